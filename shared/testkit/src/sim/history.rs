//! What happened, in order: what the checker judges, what the timeline shows, and what the trace hash is made of.

mod show;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use shared::channel::LineKey;
use shared::session::Because;
use shared::{Command, Delivery, Message, MessageId, OrgId, Policy, SessionId};
use shared_flow::ports::{Commit, Committed};
use uuid::Uuid;

use super::agenda::Sending;
use super::fault::Fault;
pub(super) use show::{place, short};

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A customer wrote: what WhatsApp knows, whatever becomes of it here.
    Wrote { customer: usize, wamid: String, marker: String, opens: bool },
    /// We answered 200 to a webhook with this message.
    Acknowledged { customer: usize, wamid: String },
    /// We answered 200 to a webhook with something unreadable.
    GarbageTaken { original: Vec<u8> },
    /// A queue took a command.
    Queued { lane: String, key: Option<String>, command: &'static str },
    /// A worker began.
    Began { skew_ms: i64, on: String },
    /// A worker ended.
    Ended { how: String },
    /// A worker died or was killed.
    Died { how: &'static str },
    /// A commit took effect, or was turned away.
    Committed(Box<Committing>),
    /// A decision changed nothing.
    Unchanged { session: SessionId, because: Because, command: &'static str, state: &'static str },
    /// A message moved on its way to the customer, or another writer was first.
    Moved { org: OrgId, id: MessageId, to: Box<Delivery>, won: bool, by_receipt: bool },
    /// A request to send arrived at WhatsApp.
    Arrived(Box<Sending>),
    /// WhatsApp took it: from now on the customer sees it.
    Took { id: MessageId, vendor_id: String, customer: Option<usize> },
    /// WhatsApp refused it.
    Declined { id: MessageId, why: &'static str },
    /// What the sender learned: `ok`, `fail` (certainly nothing happened) or `unknown`.
    SendEnded { id: MessageId, how: &'static str },
    /// The customer does not get a message that WhatsApp had taken.
    TakenBack { id: MessageId, vendor_id: String },
    /// The model was asked, and which of the customers' words it was shown.
    Asked { session: SessionId, turn: u32, seen: Vec<String> },
    /// The model said something, recognised by its number.
    Said { number: u32, seen: Vec<String> },
    /// A record of ours appeared in the CRM.
    Filed { org: OrgId, case: Uuid, record: String, text: String },
    /// A case of ours appeared in the CRM.
    CaseOpened { org: OrgId, case: Uuid },
    /// The CRM refused one message for good.
    CrmRefused { record: String },
    /// A rep did something in the CRM: `replied`, `noted`, `closed`, `deleted`.
    Rep { org: OrgId, case: Uuid, record: String, what: &'static str },
    /// A person asked for something from here.
    Requested { session: SessionId, what: &'static str },
    /// The assistant was switched for a line.
    Switched { line: LineKey, on: bool },
    /// A fault struck.
    Struck { fault: Fault, number: u64, at: &'static str },
    /// A job was parked.
    Parked { key: Option<String> },
    /// What was parked was put back.
    Redriven { key: Option<String> },
    /// A remark for the timeline.
    Remark(&'static str),
}

/// A commit and what it was decided from.
#[derive(Clone, Debug)]
pub(super) struct Committing {
    pub(super) commit: Commit,
    pub(super) outcome: Committed,
    pub(super) command: Command,
    pub(super) key: Option<String>,
    pub(super) customer: Option<shared::CustomerAddress>,
    pub(super) policy: Policy,
    pub(super) open: Vec<Message>,
}

/// An event, when it happened and who did it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) worker: u32,
    pub(super) who: &'static str,
    pub(super) event: Event,
}

/// What happened so far.
pub(super) struct History {
    entries: Vec<Entry>,
    hash: DefaultHasher,
    record: bool,
    idle: bool,
}

impl History {
    /// An empty history; `record` keeps also what only a timeline needs, `idle` shows also who did nothing.
    pub(super) fn new(record: bool, idle: bool) -> Self {
        Self { entries: Vec::new(), hash: DefaultHasher::new(), record, idle }
    }

    pub(super) fn push(&mut self, at: Timestamp, worker: u32, who: &'static str, event: Event) {
        (at.as_nanosecond(), worker, who).hash(&mut self.hash);
        digest(&event, &mut self.hash);
        let only_shown = matches!(event, Event::Began { .. } | Event::Ended { .. } | Event::Remark(_));
        if self.record || !only_shown {
            self.entries.push(Entry { at, worker, who, event });
        }
    }

    /// Whether a timeline is wanted.
    pub(super) fn records(&self) -> bool {
        self.record
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What happened, in words; without those who came and went without doing anything, unless they are wanted.
    pub(super) fn timeline(&self) -> Vec<String> {
        let is_frame = |entry: &Entry| matches!(entry.event, Event::Began { .. } | Event::Ended { .. });
        let busy: BTreeSet<u32> = self.entries.iter().filter(|e| !is_frame(e)).map(|e| e.worker).collect();
        self.entries
            .iter()
            .filter(|e| self.idle || busy.contains(&e.worker))
            .map(ToString::to_string)
            .collect()
    }

    /// The faults that struck, by number.
    pub(super) fn struck(&self) -> BTreeSet<u64> {
        let numbers = self.entries.iter().filter_map(|entry| match entry.event {
            Event::Struck { number, .. } => Some(number),
            _ => None,
        });
        numbers.collect()
    }

    /// The same for equal runs.
    pub(super) fn hash(&self) -> u64 {
        self.hash.finish()
    }
}

/// What tells one event from another: its sort and its ids. Words follow from them.
fn digest(event: &Event, to: &mut DefaultHasher) {
    std::mem::discriminant(event).hash(to);
    match event {
        Event::Wrote { wamid, customer, .. } | Event::Acknowledged { wamid, customer } => {
            (wamid, customer).hash(to);
        }
        Event::Committed(commit) => {
            let session = &commit.commit.session;
            (session.id, session.version, session.last_seq, commit.command.name()).hash(to);
        }
        Event::Unchanged { session, because, .. } => (session, because).hash(to),
        Event::Moved { id, to: delivery, won, .. } => (id, delivery.state, delivery.rev, won).hash(to),
        Event::Took { id, vendor_id, .. } | Event::TakenBack { id, vendor_id, .. } => {
            (id, vendor_id).hash(to)
        }
        Event::Declined { id, why } | Event::SendEnded { id, how: why } => (id, why).hash(to),
        Event::Filed { record, .. } | Event::CrmRefused { record, .. } => record.hash(to),
        Event::CaseOpened { case, .. } => case.hash(to),
        Event::Rep { record, what, .. } => (record, what).hash(to),
        Event::Struck { fault, number, .. } => (fault, number).hash(to),
        Event::Asked { session, turn, .. } => (session, turn).hash(to),
        Event::Said { number, .. } => number.hash(to),
        Event::Queued { lane, key, command } => (lane, key, command).hash(to),
        Event::Requested { session, what } => (session, what).hash(to),
        Event::Parked { key } | Event::Redriven { key } => key.hash(to),
        Event::Began { skew_ms, .. } => skew_ms.hash(to),
        Event::Died { how } => how.hash(to),
        Event::GarbageTaken { .. }
        | Event::Ended { .. }
        | Event::Arrived(_)
        | Event::Switched { .. }
        | Event::Remark(_) => {}
    }
}
