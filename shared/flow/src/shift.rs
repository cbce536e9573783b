//! One run of a worker: who it is, and when it must have written down what it did.

use jiff::{SignedDuration, Timestamp};

/// A worker's run.
#[derive(Debug, Clone)]
pub struct Shift {
    /// Unlike any other run: leases are taken in this name.
    pub who: String,
    /// When the run is ended from outside.
    pub ends_at: Timestamp,
}

impl Shift {
    /// A run that begins now and may take so long.
    #[must_use]
    pub fn new(who: impl Into<String>, now: Timestamp, lasts: SignedDuration) -> Self {
        Self { who: who.into(), ends_at: now.saturating_add(lasts).unwrap_or(Timestamp::MAX) }
    }

    /// Whether a call of this length can be begun and its outcome still be written down.
    #[must_use]
    pub fn has_time_for(&self, call: SignedDuration, now: Timestamp) -> bool {
        self.ends_at.duration_since(now) >= call + SignedDuration::from_secs(5)
    }
}
