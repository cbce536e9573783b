//! Deliveries in memory: lanes by lease, moves by compare-and-set.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::{Delivery, MessageId, OrgId, SessionId};
use shared_flow::ports::{Deliveries, PortResult};

use super::{Lease, MemoryStore};

#[async_trait]
impl Deliveries for MemoryStore {
    async fn take_lane(
        &self,
        org: &OrgId,
        session: SessionId,
        who: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool> {
        let mut tables = self.lock();
        let lane = &mut tables.record_mut(org, session).lane;
        let free = lane.as_ref().is_none_or(|lease| lease.until <= now || lease.by == who);
        if free {
            *lane = Some(Lease { by: who.to_owned(), until });
        }
        Ok(free)
    }

    async fn release_lane(&self, org: &OrgId, session: SessionId, who: &str) -> PortResult<()> {
        let mut tables = self.lock();
        let lane = &mut tables.record_mut(org, session).lane;
        lane.take_if(|lease| lease.by == who);
        Ok(())
    }

    async fn advance(&self, org: &OrgId, id: MessageId, to: &Delivery) -> PortResult<bool> {
        let mut tables = self.lock();
        let message = tables.record_mut(org, id.session).messages.get_mut(&id.seq);
        let Some(delivery) = message.and_then(|message| message.delivery.as_mut()) else { return Ok(false) };
        if Some(delivery.rev) != to.rev.checked_sub(1) {
            return Ok(false);
        }
        *delivery = to.clone();
        if let Some(vendor_id) = &to.vendor_id {
            tables.sent.insert((org.clone(), vendor_id.clone()), id);
        }
        Ok(true)
    }

    async fn by_vendor_id(&self, org: &OrgId, vendor_id: &str) -> PortResult<Option<MessageId>> {
        Ok(self.lock().sent.get(&(org.clone(), vendor_id.to_owned())).copied())
    }
}
