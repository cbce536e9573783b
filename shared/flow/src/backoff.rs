//! How long to wait before trying again, by what went wrong. The jitter is computed, so that a replay waits the same.

use jiff::{SignedDuration, Timestamp};
use shared::ids::derive;

/// A wait between `base` and `cap` that doubles with each try, spread over its second half by what is tried.
#[must_use]
pub fn doubling(base: SignedDuration, cap: SignedDuration, tries: u32, what: &str) -> SignedDuration {
    let doubled = base.as_millis().saturating_mul(1_i128 << tries.min(20));
    let most = doubled.min(cap.as_millis());
    let spread = i128::from(share(what, tries));
    let wait = most / 2 + (most / 2) * spread / 1000;
    SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX))
}

/// The waits of writes to a CRM that is away: seconds at first, ten minutes in the end, each within 20 % of its mark.
/// Longer ones would keep a rep's words from the customer long after the CRM is back.
#[must_use]
pub fn crm(failures: u32, what: &str) -> SignedDuration {
    const SECONDS: [i64; 7] = [2, 5, 15, 30, 60, 120, 300];
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let mark = SECONDS.get(index).copied().unwrap_or(600);
    let spread = i64::from(share(what, failures)) - 500;
    SignedDuration::from_millis(mark * 1000 + mark * 400 * spread / 1000)
}

/// `now` plus `wait`, held at the end of time.
#[must_use]
pub fn at(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// A number from 0 to 999 that depends on what is tried and how often it was.
fn share(what: &str, tries: u32) -> u16 {
    let bits = derive("jitter", &[what, &tries.to_string()]).as_u128();
    u16::try_from(bits % 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_under_the_cap() {
        let cap = SignedDuration::from_secs(30);
        let waits: Vec<_> =
            (0..40).map(|n| doubling(SignedDuration::from_millis(200), cap, n, "m")).collect();
        assert!(waits.iter().all(|w| *w <= cap && *w >= SignedDuration::from_millis(100)));
        assert!(waits[20] > waits[0]);
    }

    #[test]
    fn crm_waits_stay_near_their_marks() {
        for failures in 1..20 {
            let wait = crm(failures, "s").as_secs_f64();
            assert!((1.6..=720.0).contains(&wait), "{failures}: {wait}");
        }
        assert!(crm(1, "s") < SignedDuration::from_secs(3));
    }
}
