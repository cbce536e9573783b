//! What becomes of one queue record: done, again later, or parked. A panic is that record's failure and nobody else's.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use shared::SignedDuration;
use shared_flow::ports::{Clock, Parked, Parking, PortError, PortResult};

/// The receive on which hopeless input is put aside instead of tried again, where a queue says nothing else.
pub const PARK_AT: u32 = 3;

/// The longest that a record is kept back because something is away.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// How a handler that could do its work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The record is dealt with.
    Finished,
    /// It is too early; again after this wait.
    Again(SignedDuration),
}

/// What to do with the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Remove it.
    Remove,
    /// Show it again after this wait.
    Retry(SignedDuration),
}

/// One receipt of one record.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The queue it came from.
    pub queue: &'a str,
    /// How often it was received, this time included.
    pub receives: u32,
    /// The receive on which hopeless input is put aside.
    pub park_at: u32,
    /// The record, byte for byte.
    pub original: &'a [u8],
}

/// Runs a handler for one record and says what becomes of the record.
///
/// A store or queue that is away never parks anything: the record comes back until it can be handled. Input that
/// cannot be read, and input that makes the handler panic, is parked on the third receive: kept whole, and shown.
pub async fn attend<F>(attempt: Attempt<'_>, parking: &dyn Parking, clock: &dyn Clock, handler: F) -> Verdict
where
    F: Future<Output = PortResult<Done>>,
{
    let reason = match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(Done::Finished)) => return Verdict::Remove,
        Ok(Ok(Done::Again(wait))) => return Verdict::Retry(wait),
        Ok(Err(error @ PortError::Unavailable { .. })) => {
            tracing::warn!(queue = attempt.queue, receives = attempt.receives, error = %error, "comes back");
            return Verdict::Retry(wait(attempt.receives));
        }
        Ok(Err(error @ PortError::Unreadable { .. })) => error.to_string(),
        // The panic's own words may hold a customer's; they are not repeated.
        Err(_) => "the handler panicked".to_owned(),
    };
    if attempt.receives < attempt.park_at {
        tracing::warn!(queue = attempt.queue, receives = attempt.receives, reason, "comes back");
        return Verdict::Retry(wait(attempt.receives));
    }
    park(attempt, parking, clock, reason).await
}

/// Puts a record aside: kept whole, and shown.
pub(crate) async fn park(
    attempt: Attempt<'_>,
    parking: &dyn Parking,
    clock: &dyn Clock,
    reason: String,
) -> Verdict {
    metrics::counter!("Parked").increment(1);
    tracing::error!(
        queue = attempt.queue,
        reason,
        "parked: look at it with `switchboard parked` or, deployed, `switchboard redrive`"
    );
    let parked = Parked {
        org: None,
        source: attempt.queue.to_owned(),
        reason,
        original: attempt.original.to_vec(),
        at: clock.now(),
    };
    match parking.park(&parked).await {
        Ok(()) => Verdict::Remove,
        Err(_) => Verdict::Retry(wait(attempt.receives)),
    }
}

/// Half a second, doubling, at most a minute: an outage of hours fits into what a queue allows before it calls a record
/// dead, and nobody waits much longer than it lasted.
fn wait(receives: u32) -> SignedDuration {
    let doubled = 250_i64.saturating_mul(1_i64 << receives.min(10));
    SignedDuration::from_millis(doubled).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use shared::Timestamp;

    use super::*;

    #[derive(Default)]
    struct Fake(Mutex<Vec<Parked>>);

    #[async_trait::async_trait]
    impl Parking for Fake {
        async fn park(&self, parked: &Parked) -> PortResult<()> {
            self.0.lock().unwrap().push(parked.clone());
            Ok(())
        }
    }

    #[async_trait::async_trait]
    impl Clock for Fake {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        async fn sleep(&self, _: SignedDuration) {}
    }

    async fn run(receives: u32, handler: impl Future<Output = PortResult<Done>>) -> (Verdict, usize) {
        let fake = Fake::default();
        let attempt = Attempt { queue: "command", receives, park_at: PARK_AT, original: b"{}" };
        let verdict = attend(attempt, &fake, &fake, handler).await;
        let parked = fake.0.lock().unwrap().len();
        (verdict, parked)
    }

    #[tokio::test]
    async fn a_panic_comes_back_and_is_parked_on_the_third_receive() {
        let (verdict, parked) = run(1, async { panic!("a customer's words") }).await;
        assert!(matches!(verdict, Verdict::Retry(_)));
        assert_eq!(parked, 0);
        assert_eq!(run(3, async { panic!("a customer's words") }).await, (Verdict::Remove, 1));
    }

    #[tokio::test]
    async fn an_outage_parks_nothing_however_long_it_lasts() {
        let error = PortError::Unavailable { what: "the table", why: "timeout".into() };
        let (verdict, parked) = run(500, async { Err(error) }).await;
        assert_eq!((verdict, parked), (Verdict::Retry(SignedDuration::from_secs(60)), 0));
    }

    #[tokio::test]
    async fn unreadable_input_is_parked_too() {
        let error = PortError::Unreadable { what: "the queue", why: "not JSON".into() };
        assert_eq!(run(3, async { Err(error) }).await, (Verdict::Remove, 1));
    }
}
