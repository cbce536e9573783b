//! What is missing in the CRM's copy, one step at a time. Carrying a step out twice changes nothing there.

use super::cursor::Cursor;
use super::draft::{self, ActivityDraft, CaseDraft, ContactDraft};
use crate::message::{Author, Message};
use crate::policy::CrmMode;
use crate::session::{Resolver, Session, State};

/// The next thing to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Find the customer's contact, or create it.
    Contact(ContactDraft),
    /// Create the case.
    Case(CaseDraft),
    /// Add a message.
    Activity {
        /// The message's place, where the cursor stands afterwards.
        seq: u64,
        /// What to add.
        draft: ActivityDraft,
    },
    /// Nothing to add for these messages: move on to this place.
    Skip {
        /// Where the cursor stands afterwards.
        seq: u64,
    },
    /// Put the hand-off's summary into the description.
    Describe {
        /// What we wrote there before.
        from: String,
        /// What shall stand there.
        to: String,
    },
    /// Set the resolved status.
    Resolve,
    /// A message's fate is not known yet; the rest waits so that the order holds.
    Wait,
    /// The copy is complete.
    Nothing,
}

/// Reads off the next step.
///
/// `messages` are those after `cursor.synced_seq`, in order; `first_words` the customer's first, for the subject;
/// `link` the address under which a rep sees the session.
#[must_use]
pub fn next_step(
    session: &Session,
    messages: &[Message],
    first_words: &str,
    cursor: &Cursor,
    mode: CrmMode,
    link: &str,
) -> Step {
    if !wants_a_case(session, cursor, mode) {
        return Step::Nothing;
    }
    if cursor.contact.is_none() {
        return Step::Contact(draft::contact(session));
    }
    if !cursor.case_exists {
        return Step::Case(draft::case(session, first_words, cursor.contact.clone()));
    }
    if let Some(step) = description(session, cursor) {
        return step;
    }
    if let Some(message) = messages.iter().find(|m| m.seq > cursor.synced_seq) {
        return mirror(session, message, cursor, link);
    }
    if is_ours_to_resolve(session) && !cursor.resolution_written {
        return Step::Resolve;
    }
    Step::Nothing
}

/// A session has a case from its first message, or from its hand-off on; a case that exists is always kept true.
fn wants_a_case(session: &Session, cursor: &Cursor, mode: CrmMode) -> bool {
    match mode {
        CrmMode::EveryConversation => session.last_seq > 0,
        // The contact is the first thing written for a hand-off. From then on a case may exist although its creation
        // was never answered, and a session that is handed back meanwhile must not leave it empty.
        CrmMode::OnlyOnHandoff => cursor.contact.is_some() || session.handoff().is_some(),
    }
}

fn description(session: &Session, cursor: &Cursor) -> Option<Step> {
    let summary = &session.handoff()?.summary;
    let written = cursor.description.clone().unwrap_or_default();
    (written != *summary).then(|| Step::Describe { from: written, to: summary.clone() })
}

fn mirror(session: &Session, message: &Message, cursor: &Cursor, link: &str) -> Step {
    if !message.is_for_the_rep() {
        return Step::Skip { seq: message.seq };
    }
    if message.delivery.as_ref().is_some_and(|d| !d.is_settled()) {
        return Step::Wait;
    }
    let first = message.seq == 1;
    let draft = draft::activity(session, message, first, link, cursor.contact.clone());
    Step::Activity { seq: message.seq, draft }
}

fn is_ours_to_resolve(session: &Session) -> bool {
    match &session.state {
        State::Resolved(resolution) => match resolution.by {
            Resolver::Silence | Resolver::Person => true,
            Resolver::Case => false,
        },
        State::Assistant | State::HandedOff(_) => false,
    }
}

/// The customer's first words in a transcript.
#[must_use]
pub fn first_words(messages: &[Message]) -> &str {
    messages.iter().find(|m| m.author == Author::Customer).map_or("", |m| m.text.as_str())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
