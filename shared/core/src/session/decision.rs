//! What a fact does: the next head, the new messages and the moves of earlier ones. Carrying it out is the shell's.

use jiff::Timestamp;

use super::state::Session;
use crate::channel::render::clean;
use crate::delivery::{Delivery, Trouble};
use crate::message::{Audience, Author, Kind, Message};

/// Everything a fact changes. It is committed in one transaction or decided again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The head after the fact; equal to the one before when nothing changes.
    pub session: Session,
    /// New transcript entries, in order.
    pub messages: Vec<Message>,
    /// Moves of earlier messages on their way to the customer.
    pub changes: Vec<Change>,
    /// Why nothing changed, when nothing did.
    pub because: Option<Because>,
}

/// The most earlier messages that one decision moves. Decision, messages and marks are written in one transaction,
/// which holds 100 items in DynamoDB.
pub const MOST_CHANGES: usize = 60;

/// The delivery of an earlier message as it shall be. `rev` is one above the one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its place in the transcript.
    pub seq: u64,
    /// Its delivery afterwards.
    pub delivery: Delivery,
}

/// Why a fact changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// The session is over; the shell opens another for the customer's message.
    SessionIsOver,
    /// A person has the session; the machine's words are not wanted.
    PersonOwnsSession,
    /// The answer belongs to a turn that was answered or given up.
    TurnIsOver,
    /// It is handed off already.
    AlreadyHandedOff,
    /// It is resolved already.
    AlreadyResolved,
    /// The assistant has it already.
    AssistantHasIt,
    /// The assistant is switched off for this line, so there is nobody to give it back to.
    AssistantIsOff,
    /// The clock came early, or twice.
    NotDueYet,
    /// The message's trouble is known already, or over.
    NothingToReport,
    /// The words are blank.
    NothingWasSaid,
}

impl Because {
    /// The reason in words, for a person who asked for the change.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SessionIsOver => "the session is resolved; the customer's next message opens a new one",
            Self::PersonOwnsSession => "a person has the session",
            Self::TurnIsOver => "the turn was answered already",
            Self::AlreadyHandedOff => "the session is handed off already",
            Self::AlreadyResolved => "the session is resolved already",
            Self::AssistantHasIt => "the assistant has the session already",
            Self::AssistantIsOff => {
                "the assistant is switched off for this line: set ai_enabled = true first"
            }
            Self::NotDueYet => "nothing is due yet",
            Self::NothingToReport => "there is nothing to report",
            Self::NothingWasSaid => "there are no words in it",
        }
    }
}

impl Decision {
    /// Nothing changes, and why.
    #[must_use]
    pub fn unchanged(session: &Session, because: Because) -> Self {
        Self { session: session.clone(), messages: Vec::new(), changes: Vec::new(), because: Some(because) }
    }

    /// The start of a change: the head one version on.
    pub(super) fn begin(session: &Session) -> Self {
        let mut next = session.clone();
        next.version += 1;
        Self { session: next, messages: Vec::new(), changes: Vec::new(), because: None }
    }

    /// Adds a transcript entry at the next place.
    pub(super) fn say(&mut self, entry: Entry<'_>, now: Timestamp) -> &mut Self {
        self.session.last_seq += 1;
        self.messages.push(Message {
            seq: self.session.last_seq,
            at: entry.at.unwrap_or(now),
            author: entry.author,
            audience: entry.audience,
            kind: entry.kind,
            text: clean(entry.text),
            epoch: self.session.epoch,
            source: entry.source.map(str::to_owned),
            delivery: entry.delivery,
        });
        self
    }

    /// Adds a note that only a rep sees.
    pub(super) fn note(&mut self, text: &str, now: Timestamp) -> &mut Self {
        self.say(Entry::new(Author::System, Audience::Rep, text), now)
    }

    /// Moves an earlier message.
    pub(super) fn change(&mut self, message: &Message, to: impl FnOnce(&Delivery) -> Delivery) -> &mut Self {
        if let Some(delivery) = &message.delivery {
            self.changes.push(Change { seq: message.seq, delivery: to(delivery) });
        }
        self
    }

    /// Takes back what the machine said and nobody has begun to send: a person's word stands over it.
    pub(super) fn silence_the_machine(&mut self, open: &[Message], why: &str) -> &mut Self {
        use crate::delivery::DeliveryState::{Held, Queued, Unknown};
        let machine = open.iter().filter(|m| m.is_machine_word() || m.author == Author::System);
        let unsent = machine.filter(|m| m.is_in(&[Queued, Held, Unknown]));
        // Whatever is beyond the most that fits is stopped when it is about to leave: its epoch is over.
        for message in unsent.take(MOST_CHANGES) {
            // What may have arrived is not called unsent; but a worker about to repeat it must look again first.
            let in_doubt = message.is_in(&[Unknown]);
            let stop = |d: &Delivery| if in_doubt { d.touched() } else { d.cancelled(Trouble::new(why)) };
            self.change(message, stop);
        }
        self
    }
}

/// A transcript entry before it has a place.
pub(super) struct Entry<'a> {
    pub(super) author: Author,
    pub(super) audience: Audience,
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) at: Option<Timestamp>,
    pub(super) source: Option<&'a str>,
    pub(super) delivery: Option<Delivery>,
}

impl<'a> Entry<'a> {
    pub(super) fn new(author: Author, audience: Audience, text: &'a str) -> Self {
        Self { author, audience, kind: Kind::Text, text, at: None, source: None, delivery: None }
    }
}
