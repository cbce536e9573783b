//! A session as the page shows it: who answers and why, and every entry of the transcript with what became of it.

use jiff::Timestamp;
use serde::Serialize;
use shared::session::state::Resolver;
use shared::{Audience, Author, DeliveryState, Message, Session, State};

/// A session.
#[derive(Clone, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// `assistant`, `handed_off` or `resolved`.
    pub state: &'static str,
    /// The state in words.
    pub story: String,
    /// The customer's number, digits only, when it is known.
    pub phone: Option<String>,
    /// The customer's business-scoped user id, when it is known.
    pub user_id: Option<String>,
    /// What the customer calls themselves.
    pub name: Option<String>,
    /// The customer's language.
    pub language: Option<String>,
    /// When it began.
    pub opened_at: Timestamp,
    /// The hand-off in force, or the one that was.
    pub handoff: Option<HandoffView>,
    /// The id of its case in the CRM, whether or not the case exists yet.
    pub case: String,
    /// The transcript, oldest first.
    pub entries: Vec<EntryView>,
}

/// A hand-off.
#[derive(Clone, Serialize)]
pub struct HandoffView {
    /// Why, in words.
    pub reason: String,
    /// What the rep reads first.
    pub summary: String,
    /// How the customer feels.
    pub sentiment: Option<String>,
}

/// An entry of the transcript.
#[derive(Clone, Serialize)]
pub struct EntryView {
    /// Its place.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// `customer`, `assistant`, `rep` or `note`.
    pub by: &'static str,
    /// Who that is, in words.
    pub who: &'static str,
    /// The words.
    pub text: String,
    /// What became of it on its way to the customer; `None` for what is not sent.
    pub fate: Option<String>,
}

impl SessionView {
    /// The view of a session and its transcript.
    #[must_use]
    pub fn of(session: &Session, messages: &[Message]) -> Self {
        Self {
            id: session.id.to_string(),
            state: session.state.name(),
            story: story(session),
            phone: session.customer.phone().map(str::to_owned),
            user_id: session.customer.user_id().map(str::to_owned),
            name: session.customer_name.clone(),
            language: session.language.clone(),
            opened_at: session.opened_at,
            handoff: session.handoff().map(|handoff| HandoffView {
                reason: match handoff.detail.as_str() {
                    "" => handoff.reason.words().to_owned(),
                    detail => format!("{} ({detail})", handoff.reason.words()),
                },
                summary: handoff.summary.clone(),
                sentiment: handoff.sentiment.clone(),
            }),
            case: shared::crm::case_id(&session.org, session.id).to_string(),
            entries: messages.iter().map(EntryView::of).collect(),
        }
    }
}

impl EntryView {
    fn of(message: &Message) -> Self {
        let (by, who) = speaker(message);
        Self {
            seq: message.seq,
            at: message.at,
            by,
            who,
            text: message.text.clone(),
            fate: message.delivery.as_ref().map(|delivery| {
                let state = fate(delivery.state);
                delivery
                    .trouble
                    .as_ref()
                    .map_or_else(|| state.to_owned(), |why| format!("{state}: {}", why.text))
            }),
        }
    }
}

fn story(session: &Session) -> String {
    match &session.state {
        State::Assistant if session.turn.due.is_some() => "The assistant is about to answer.".to_owned(),
        State::Assistant => "The assistant answers.".to_owned(),
        State::HandedOff(handoff) if handoff.claimed => "A person answers.".to_owned(),
        State::HandedOff(handoff) => format!("Waits for a person: {}.", handoff.reason.words()),
        State::Resolved(resolution) => match resolution.by {
            Resolver::Silence => "Over: nobody wrote for long enough.".to_owned(),
            Resolver::Person => "Over: a person resolved it here.".to_owned(),
            Resolver::Case => "Over: the case was closed in the CRM.".to_owned(),
        },
    }
}

fn speaker(message: &Message) -> (&'static str, &'static str) {
    match (message.author, message.audience) {
        (Author::Customer, _) => ("customer", "Customer"),
        (Author::Assistant, _) => ("assistant", "Assistant"),
        (Author::Rep, _) => ("rep", "Rep"),
        (Author::System, Audience::Both | Audience::Customer) => ("assistant", "Notice to the customer"),
        (Author::System, Audience::Rep) => ("note", "Note to the rep"),
        (Author::System, Audience::Internal) => ("note", "For the record"),
    }
}

fn fate(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "waits to be sent",
        DeliveryState::Sending => "is being sent",
        DeliveryState::Unknown => "may have arrived; being checked",
        DeliveryState::Held => "waits until the customer writes again",
        DeliveryState::Accepted => "accepted by WhatsApp",
        DeliveryState::Sent => "sent",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Read => "read",
        DeliveryState::Failed => "not delivered",
        DeliveryState::Cancelled => "not sent",
    }
}
