//! Waiting for an event, never for time to pass: look often, give up after a deadline and say what did not happen.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};

/// How long an ordinary event may take on a busy machine, in an unoptimised build.
pub const SOON: Duration = Duration::from_secs(30);

/// Waits until `look` sees something, at most [`SOON`].
pub async fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(SOON, what, look).await
}

/// Waits until it is true, at most [`SOON`].
pub async fn until_true(what: &str, mut is_true: impl FnMut() -> bool) {
    until(what, || is_true().then_some(())).await;
}

/// Waits until `look` sees something, at most so long.
pub async fn within<T>(most: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    within_asking(most, what, async || look()).await
}

/// Waits until `look`, which has to ask somebody, sees something, at most so long.
pub async fn within_asking<T>(most: Duration, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_millis(20));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(began.elapsed() < most, "within {most:?} it did not happen: {what}");
    }
}
