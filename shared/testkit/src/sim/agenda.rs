//! What will happen by itself, in order of time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::channel::LineKey;
use shared::{CustomerAddress, MessageId, OrgId};
use shared_flow::ingest::Inbound;
use shared_flow::ports::{Job, StatusNote};
use uuid::Uuid;

/// Something that will happen.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// An event of the script, by number.
    Script(usize),
    /// WhatsApp posts what it has gathered for a line.
    Flush(usize),
    /// WhatsApp posts a webhook.
    Post(Box<Post>),
    /// The CRM posts a webhook.
    Hook { org: OrgId, case: Uuid },
    /// A person's request goes to the line.
    Request(Box<Job>),
    /// A request arrives at WhatsApp that its sender has given up.
    LateSend(Box<Sending>),
    /// The clock of the line looks.
    Tick,
    /// An operator puts back what was parked.
    Redrive,
    /// Faults end.
    Stop,
    /// What is owed now is written down under a number.
    Owed(u8),
    /// What was owed under a number must be done.
    Settled(u8),
}

/// A WhatsApp webhook.
#[derive(Clone, Debug, Default)]
pub(super) struct Post {
    /// Customer messages and who wrote them.
    pub(super) messages: Vec<(usize, Inbound)>,
    pub(super) statuses: Vec<StatusNote>,
    pub(super) garbage: Vec<Vec<u8>>,
    /// How often it was sent before.
    pub(super) attempt: u32,
}

/// A request to send.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) org: OrgId,
    pub(super) line: LineKey,
    pub(super) to: CustomerAddress,
    pub(super) text: String,
    pub(super) id: MessageId,
}

/// What will happen by itself, in order of time and then of entry.
#[derive(Default)]
pub(super) struct Agenda {
    entries: BTreeMap<(Timestamp, u64), Due>,
    last: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at: Timestamp, due: Due) {
        self.last += 1;
        self.entries.insert((at, self.last), due);
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// The next thing, if its time has come.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Due> {
        let first = self.entries.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
