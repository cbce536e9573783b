//! How old something is that a process holds in memory.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// A moment in the past of this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    steady: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// How long ago it was. The longer of two clocks: a function's steady clock may stand still while it is frozen
    /// between two events, and the machine's clock may be set back.
    pub(crate) fn age(self) -> Duration {
        self.steady.elapsed().max(self.wall.elapsed().unwrap_or_default())
    }
}
