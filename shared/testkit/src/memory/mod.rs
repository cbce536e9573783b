//! The store ports in memory, with exactly the semantics their documentation promises, and accessors for checkers.
//!
//! One lock guards everything, so each call is one atomic step. All maps are ordered: equal runs give equal results.

mod clock;
mod contacts;
mod cursors;
mod deliveries;
mod parking;
mod queues;
mod sessions;
mod settings;
mod turns;
mod waking;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use shared::agent::Verdict;
use shared::channel::LineKey;
use shared::crm::Cursor;
use shared::{Contact, ContactId, Identity, Message, MessageId, OrgId, Session, SessionId};
use shared_flow::ports::Parked;
use uuid::Uuid;

pub use clock::VirtualClock;
pub use queues::{MemoryQueues, Ticket};
pub use settings::{MemorySettings, org_settings};

/// All store ports in one place. A clone is another handle to the same data.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

/// What names a session.
type Key = (OrgId, SessionId);

#[derive(Default)]
struct Tables {
    sessions: BTreeMap<Key, Record>,
    pointers: BTreeMap<(OrgId, ContactId, LineKey), SessionId>,
    /// Until when each fact counts as seen.
    marks: BTreeMap<(OrgId, String), Timestamp>,
    cases: BTreeMap<(OrgId, Uuid), SessionId>,
    sent: BTreeMap<(OrgId, String), MessageId>,
    contacts: BTreeMap<(OrgId, ContactId), Contact>,
    identities: BTreeMap<(OrgId, Identity), ContactId>,
    parked: BTreeMap<(Option<OrgId>, String, Vec<u8>), Parked>,
}

/// All that is stored under one session.
#[derive(Default)]
struct Record {
    head: Option<Session>,
    messages: BTreeMap<u64, Message>,
    lane: Option<Lease>,
    turns: BTreeMap<u32, TurnRecord>,
    cursor: Option<Cursor>,
    asked: u64,
}

struct Lease {
    by: String,
    until: Timestamp,
}

#[derive(Default)]
struct TurnRecord {
    claims: u32,
    until: Option<Timestamp>,
    verdict: Option<Verdict>,
}

impl Tables {
    fn record(&self, org: &OrgId, session: SessionId) -> Option<&Record> {
        self.sessions.get(&(org.clone(), session))
    }

    fn record_mut(&mut self, org: &OrgId, session: SessionId) -> &mut Record {
        self.sessions.entry((org.clone(), session)).or_default()
    }
}

/// What checkers read. Everything comes in key order.
impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // A panic in a test leaves whole values behind, since no call is interrupted half way.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every session's head, of every organisation.
    #[must_use]
    pub fn all_sessions(&self) -> Vec<Session> {
        self.lock().sessions.values().filter_map(|record| record.head.clone()).collect()
    }

    /// A session's whole transcript.
    #[must_use]
    pub fn transcript(&self, org: &OrgId, session: SessionId) -> Vec<Message> {
        let tables = self.lock();
        tables.record(org, session).map(|r| r.messages.values().cloned().collect()).unwrap_or_default()
    }

    /// Every mark, expired or not, and until when it counts.
    #[must_use]
    pub fn all_marks(&self) -> Vec<(OrgId, String, Timestamp)> {
        self.lock().marks.iter().map(|((org, mark), until)| (org.clone(), mark.clone(), *until)).collect()
    }

    /// Every pointer to an open session.
    #[must_use]
    pub fn all_pointers(&self) -> Vec<(OrgId, ContactId, LineKey, SessionId)> {
        let tables = self.lock();
        let pointers = tables.pointers.iter();
        pointers.map(|((org, contact, line), id)| (org.clone(), *contact, line.clone(), *id)).collect()
    }

    /// Every contact.
    #[must_use]
    pub fn all_contacts(&self) -> Vec<Contact> {
        self.lock().contacts.values().cloned().collect()
    }

    /// Every case that belongs to a session.
    #[must_use]
    pub fn all_cases(&self) -> Vec<(OrgId, Uuid, SessionId)> {
        self.lock().cases.iter().map(|((org, case), session)| (org.clone(), *case, *session)).collect()
    }

    /// Every vendor id and the message it belongs to.
    #[must_use]
    pub fn all_vendor_ids(&self) -> Vec<(OrgId, String, MessageId)> {
        self.lock().sent.iter().map(|((org, vendor), id)| (org.clone(), vendor.clone(), *id)).collect()
    }

    /// A session's cursor, if one was ever stored.
    #[must_use]
    pub fn cursor(&self, org: &OrgId, session: SessionId) -> Option<Cursor> {
        self.lock().record(org, session).and_then(|record| record.cursor.clone())
    }

    /// A session's turns that have a verdict, by number.
    #[must_use]
    pub fn verdicts(&self, org: &OrgId, session: SessionId) -> Vec<(u32, Verdict)> {
        let tables = self.lock();
        let turns = tables.record(org, session).into_iter().flat_map(|record| &record.turns);
        turns.filter_map(|(number, turn)| Some((*number, turn.verdict.clone()?))).collect()
    }

    /// How often a turn was claimed: each claim may have called the model.
    #[must_use]
    pub fn claims(&self, org: &OrgId, session: SessionId, turn: u32) -> u32 {
        let tables = self.lock();
        let turn = tables.record(org, session).and_then(|record| record.turns.get(&turn));
        turn.map_or(0, |turn| turn.claims)
    }

    /// Everything parked.
    #[must_use]
    pub fn all_parked(&self) -> Vec<Parked> {
        self.lock().parked.values().cloned().collect()
    }
}
