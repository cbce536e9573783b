//! Messages on their way to the customer: one worker a session at a time, each move by compare-and-set.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::{Delivery, MessageId, OrgId, SessionId};

use super::PortResult;

/// The store of deliveries.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Takes the session's lane until `until`, unless another worker has it at `now`.
    async fn take_lane(
        &self,
        org: &OrgId,
        session: SessionId,
        who: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<bool>;
    /// Gives the lane back, if `who` still has it.
    async fn release_lane(&self, org: &OrgId, session: SessionId, who: &str) -> PortResult<()>;
    /// Moves a message: stores `to` if the stored `rev` is one below `to.rev`. `false` when another writer was first.
    /// A vendor id in `to` is stored so that [`Deliveries::by_vendor_id`] finds the message.
    async fn advance(&self, org: &OrgId, id: MessageId, to: &Delivery) -> PortResult<bool>;
    /// The message that the channel knows by this id.
    async fn by_vendor_id(&self, org: &OrgId, vendor_id: &str) -> PortResult<Option<MessageId>>;
}
