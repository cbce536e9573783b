//! Whatever must happen later stands in one index by the time it is due.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::{OrgId, SessionId};

use super::PortResult;

/// The index of what is due. It may lag: something just done may still be listed, and what it wakes finds nothing.
#[async_trait]
pub trait Waking: Send + Sync {
    /// What was due at `now`, the longest overdue first, at most `limit`.
    async fn due(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Due>>;
}

/// Something due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Whose.
    pub org: OrgId,
    /// The session it belongs to.
    pub session: SessionId,
    /// Which part of it.
    pub what: What,
    /// For deliveries: the place of the first message that is due.
    pub seq: Option<u64>,
    /// Since when.
    pub at: Timestamp,
}

/// A part of a session that keeps its own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// The head: a turn, silence, a check.
    Session,
    /// A message on its way to the customer.
    Delivery,
    /// The CRM's copy.
    Cursor,
}
