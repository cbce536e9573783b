//! The other stores behind the wire, and how messages moved in them.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::agent::Verdict;
use shared::crm::Cursor;
use shared::{Contact, ContactId, Delivery, DeliveryState, Identity, MessageId, OrgId, SessionId};
use shared_flow::ports::{
    Claim, Contacts, Cursors, Deliveries, Due, Parked, Parking, PortResult, Turns, Waking,
};
use uuid::Uuid;

use super::SimPorts;
use crate::sim::fault::Fault;
use crate::sim::history::Event;
use crate::sim::sabotage::Sabotage;
use crate::sim::scenario::Target::Table;
use crate::sim::world::later;

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
        } else if to.state == DeliveryState::Read && world.sabotages(Sabotage::LowerRank, 1) {
            written.state = DeliveryState::Sent;
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
