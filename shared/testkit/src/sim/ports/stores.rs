//! The stores behind the wire, and what was written to them.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::agent::Verdict;
use shared::channel::LineKey;
use shared::crm::Cursor;
use shared::{
    Contact, ContactId, Delivery, Identity, Message, MessageId, OrgId, Policy, Session, SessionId,
};
use shared_flow::ports::settings::policy;
use shared_flow::ports::{
    Claim, Commit, Committed, Contacts, Cursors, Deliveries, Due, Job, Parked, Parking, PortResult, Sessions,
    Target as Whose, Turns, Waking,
};
use uuid::Uuid;

use super::SimPorts;
use crate::sim::fault::Fault;
use crate::sim::history::{Committing, Event};
use crate::sim::sabotage::Sabotage;
use crate::sim::scenario::Target::Table;
use crate::sim::world::{World, later};

#[async_trait]
impl Sessions for SimPorts {
    async fn latest_session(
        &self,
        org: &OrgId,
        contact: ContactId,
        line: &LineKey,
    ) -> PortResult<Option<SessionId>> {
        let found = self.through(Table, self.store.latest_session(org, contact, line)).await?;
        self.world.lock().forget_read();
        Ok(found)
    }

    async fn head(&self, org: &OrgId, session: SessionId) -> PortResult<Option<Session>> {
        let mut found = self.through(Table, self.store.head(org, session)).await?;
        let mut world = self.world.lock();
        world.forget_read();
        if world.sabotage == Some(Sabotage::OpenWindow) {
            let now = world.now;
            found.iter_mut().for_each(|head| head.last_inbound_at = Some(now));
        }
        Ok(found)
    }

    async fn messages(
        &self,
        org: &OrgId,
        session: SessionId,
        from: u64,
        limit: usize,
    ) -> PortResult<Vec<Message>> {
        let found = self.through(Table, self.store.messages(org, session, from, limit)).await?;
        let mut world = self.world.lock();
        if world.is_worker("conversation")
            && let Some(read) = world.read()
        {
            read.open = found.iter().filter(|message| message.is_open()).cloned().collect();
        }
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> PortResult<Committed> {
        self.through(Table, async {
            let written = sabotaged(&mut self.world.lock(), commit);
            let outcome = self.store.commit(written.as_ref().unwrap_or(commit)).await?;
            self.world.lock().committed(commit, outcome);
            Ok(outcome)
        })
        .await
    }

    async fn recent(&self, org: &OrgId, limit: usize) -> PortResult<Vec<Session>> {
        self.through(Table, self.store.recent(org, limit)).await
    }
}

/// What is written instead of the commit, if a planted mistake strikes.
fn sabotaged(world: &mut World, commit: &Commit) -> Option<Commit> {
    world.sabotage?;
    let mut written = commit.clone();
    if !commit.messages.is_empty() && world.sabotages(Sabotage::DropMessage, 4) {
        written.messages.clear();
    } else if world.sabotages(Sabotage::ForgetMark, 1) {
        written.mark = None;
    } else if !commit.changes.is_empty() && world.sabotages(Sabotage::SpeakAfterTakeover, 1) {
        written.changes.clear();
    } else if commit.before > 1 && world.sabotages(Sabotage::SkipVersion, 1) {
        written.session.version += 1;
    } else {
        return None;
    }
    Some(written)
}

impl World {
    pub(in crate::sim) fn is_worker(&self, name: &str) -> bool {
        self.workers.get(&self.current).is_some_and(|worker| worker.name == name)
    }

    fn forget_read(&mut self) {
        if let Some(read) = self.read() {
            read.open.clear();
        }
    }

    /// Writes down a commit and what it was decided from.
    fn committed(&mut self, commit: &Commit, outcome: Committed) {
        let Some(worker) = self.workers.get(&self.current) else { return };
        let Some(Job::Command { envelope, .. }) = worker.job.as_deref() else { return };
        let read = &worker.read;
        let state = self.state_of(commit.session.id);
        let customer = match &envelope.target {
            Whose::Customer { customer, .. } => Some(customer.clone()),
            Whose::Session(_) => None,
        };
        let event = Committing {
            commit: commit.clone(),
            outcome,
            command: envelope.command.clone(),
            key: envelope.key.clone(),
            customer,
            policy: believed_policy(worker.read.org.as_ref(), read.line.as_ref(), &commit.session.org),
            open: read.open.clone(),
        };
        let fact = envelope.command.name();
        self.counters.decided(state, fact);
        if outcome == Committed::Done {
            self.states.insert(commit.session.id, commit.session.state.name());
            let moved = commit.messages.iter().filter_map(|message| message.delivery.as_ref());
            for delivery in moved.chain(commit.changes.iter().map(|change| &change.delivery)) {
                self.counters.moved(delivery.state);
            }
        }
        self.note(Event::Committed(Box::new(event)));
    }
}

/// The policy that follows from what was read; a line that is gone leaves the machine off.
fn believed_policy(
    org: Option<&shared_flow::ports::OrgSettings>,
    line: Option<&shared_flow::ports::LineSettings>,
    whose: &OrgId,
) -> Policy {
    let line = line.filter(|line| &line.org == whose);
    match (org, line) {
        (Some(org), Some(line)) => policy(org, line),
        (org, _) => Policy { ai_enabled: false, crm: org.and_then(|org| org.crm), ..Policy::default() },
    }
}

#[async_trait]
impl Contacts for SimPorts {
    async fn by_identity(&self, org: &OrgId, identity: &Identity) -> PortResult<Option<Contact>> {
        let mut found = self.through(Table, self.store.by_identity(org, identity)).await?;
        let mut world = self.world.lock();
        if found.is_some() && world.sabotages(Sabotage::SecondSession, 3) {
            let fresh = shared::ids::derive("sabotage", &[&world.sabotaged.to_string()]);
            found.iter_mut().for_each(|contact| contact.id = ContactId(fresh));
        }
        Ok(found)
    }

    async fn save(&self, contact: &Contact, identities: &[Identity]) -> PortResult<()> {
        self.through(Table, Contacts::save(&self.store, contact, identities)).await
    }
}

#[async_trait]
impl Deliveries for SimPorts {
    async fn take_lane(
        &self,
        org: &OrgId,
        session: SessionId,
        who: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let taken = self.through(Table, self.store.take_lane(org, session, who, now, until)).await?;
        Ok(taken || self.world.lock().sabotage == Some(Sabotage::IgnoreLane))
    }

    async fn release_lane(&self, org: &OrgId, session: SessionId, who: &str) -> PortResult<()> {
        self.through(Table, self.store.release_lane(org, session, who)).await
    }

    async fn advance(&self, org: &OrgId, id: MessageId, to: &Delivery) -> PortResult<bool> {
        self.through(Table, async {
            let written = self.sabotaged_move(org, id, to);
            let won = self.store.advance(org, id, written.as_ref().unwrap_or(to)).await?;
            let mut world = self.world.lock();
            let by_receipt = world.is_worker("receipts");
            let to = Box::new(written.unwrap_or_else(|| to.clone()));
            if won {
                world.counters.moved(to.state);
            }
            world.note(Event::Moved { org: org.clone(), id, to, won, by_receipt });
            Ok(won)
        })
        .await
    }

    async fn by_vendor_id(&self, org: &OrgId, vendor_id: &str) -> PortResult<Option<MessageId>> {
        self.through(Table, self.store.by_vendor_id(org, vendor_id)).await
    }
}

impl SimPorts {
    fn sabotaged_move(&self, org: &OrgId, id: MessageId, to: &Delivery) -> Option<Delivery> {
        let mut world = self.world.lock();
        let mut written = to.clone();
        if world.sabotage == Some(Sabotage::IgnoreLane) {
            let stored = self.store.transcript(org, id.session).into_iter().find(|m| m.seq == id.seq)?;
            written.rev = stored.delivery?.rev + 1;
        } else if to.state == shared::DeliveryState::Read && world.sabotages(Sabotage::LowerRank, 1) {
            written.state = shared::DeliveryState::Sent;
        } else {
            return None;
        }
        Some(written)
    }
}

#[async_trait]
impl Cursors for SimPorts {
    async fn load(&self, org: &OrgId, session: SessionId) -> PortResult<Cursor> {
        self.through(Table, self.store.load(org, session)).await
    }

    async fn save(&self, org: &OrgId, session: SessionId, to: &Cursor) -> PortResult<bool> {
        self.through(Table, Cursors::save(&self.store, org, session, to)).await
    }

    async fn ask(&self, org: &OrgId, session: SessionId) -> PortResult<()> {
        self.through(Table, self.store.ask(org, session)).await
    }

    async fn asked(&self, org: &OrgId, session: SessionId) -> PortResult<u64> {
        self.through(Table, self.store.asked(org, session)).await
    }

    async fn session_of_case(&self, org: &OrgId, case: Uuid) -> PortResult<Option<SessionId>> {
        self.through(Table, self.store.session_of_case(org, case)).await
    }
}

#[async_trait]
impl Turns for SimPorts {
    async fn claim(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<Claim> {
        self.through(Table, self.store.claim(org, session, turn, now, until)).await
    }

    async fn conclude(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        verdict: &Verdict,
    ) -> PortResult<Verdict> {
        self.through(Table, self.store.conclude(org, session, turn, verdict)).await
    }
}

#[async_trait]
impl Waking for SimPorts {
    async fn due(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Due>> {
        let lag = {
            let mut world = self.world.lock();
            if world.sabotage == Some(Sabotage::NoClock) {
                return Ok(Vec::new());
            }
            let stale = world.strike(&[Fault::StaleIndex], Table.name()).is_some();
            if stale { world.faults.between(1, 120) } else { 0 }
        };
        let lagging = later(now, SignedDuration::from_secs(-lag));
        self.through(Table, self.store.due(lagging, limit)).await
    }
}

#[async_trait]
impl Parking for SimPorts {
    async fn park(&self, parked: &Parked) -> PortResult<()> {
        self.through(Table, async {
            if self.world.lock().sabotage == Some(Sabotage::LoseParked) {
                return Ok(());
            }
            self.store.park(parked).await
        })
        .await
    }
}
