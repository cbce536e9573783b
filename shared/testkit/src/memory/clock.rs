//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared_flow::ports::Clock;

/// A clock under a test's control. A clone is another handle to the same clock.
#[derive(Clone)]
pub struct VirtualClock {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    now: Timestamp,
    slept: Vec<SignedDuration>,
}

impl VirtualClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { now, slept: Vec::new() })) }
    }

    /// Sets the time, backwards too: clocks do that.
    pub fn set(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// Moves the time; held at the ends of time.
    pub fn advance(&self, by: SignedDuration) {
        let mut inner = self.lock();
        inner.now = inner.now.saturating_add(by).unwrap_or(inner.now);
    }

    /// The waits asked for so far, in order. They took no time.
    #[must_use]
    pub fn slept(&self) -> Vec<SignedDuration> {
        self.lock().slept.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep(&self, wait: SignedDuration) {
        self.lock().slept.push(wait);
    }
}
