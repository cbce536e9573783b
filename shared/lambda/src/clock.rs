//! The machine's clock, which tests on stand-ins may set ahead.

use async_trait::async_trait;
use shared::{SignedDuration, Timestamp};
use shared_flow::ports::Clock;

/// The machine's clock, moved by a fixed time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock {
    ahead: SignedDuration,
}

impl SystemClock {
    /// A clock that is so far ahead of the machine's.
    #[must_use]
    pub const fn ahead_by(ahead: SignedDuration) -> Self {
        Self { ahead }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now().saturating_add(self.ahead).unwrap_or(Timestamp::MAX)
    }

    async fn sleep(&self, wait: SignedDuration) {
        tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_can_be_ahead_of_the_machine() {
        let ahead = SystemClock::ahead_by(SignedDuration::from_hours(12)).now();
        let machine = SystemClock::default().now();
        assert!(ahead.duration_since(machine) > SignedDuration::from_hours(11));
    }
}
