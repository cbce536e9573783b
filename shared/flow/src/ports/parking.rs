//! Where input goes that cannot be handled: kept whole, with the reason, for a person to look at and replay.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::OrgId;

use super::PortResult;

/// The store of parked originals.
#[async_trait]
pub trait Parking: Send + Sync {
    /// Keeps an original. The same original parked twice is one entry.
    async fn park(&self, parked: &Parked) -> PortResult<()>;
}

/// Something that could not be handled.
#[derive(Clone, PartialEq, Eq)]
pub struct Parked {
    /// Whose, where that is known.
    pub org: Option<OrgId>,
    /// Where it came from: a queue or a webhook.
    pub source: String,
    /// Why it could not be handled; no personal data.
    pub reason: String,
    /// The original, byte for byte.
    pub original: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

impl std::fmt::Debug for Parked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parked")
            .field("source", &self.source)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
