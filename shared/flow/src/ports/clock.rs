//! The time, and waiting for it.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// A clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits. Used only between attempts of one commit, for milliseconds; longer waits are `wake_at`s.
    async fn sleep(&self, wait: SignedDuration);
}
