//! What becomes of a message on its way to the customer: its states, who may move it where, and when to look again.
//!
//! Three writers move it: the delivery worker, the receipts of the channel, and decisions. Each move is a pure
//! function here and is stored by compare-and-set on `rev`, so two writers can never both win.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a call that sends may take, and therefore how long after its lease nothing can still be under way.
pub const SEND_LIMIT: SignedDuration = SignedDuration::from_secs(8);
/// How long a send holds its message: the call's limit, and time to write down what came of it.
pub const SEND_LEASE: SignedDuration = SignedDuration::from_secs(20);
/// How long an unknown outcome waits for a status of the channel before it is settled.
pub const UNKNOWN_WAIT: SignedDuration = SignedDuration::from_secs(90);
/// How long a message nobody fetched from its queue waits before it is fetched by the clock.
pub const UNTOUCHED_WAIT: SignedDuration = SignedDuration::from_secs(60);
/// How long a reply waits for a closed window to open again.
pub const HELD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often an outcome that stays unknown may be sent again. More would risk a third copy for the customer.
pub const REPEATS: u32 = 1;

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its turn, or for `look_at` after a failure that will pass.
    Queued,
    /// A worker has begun the call; until `look_at` the message is its own.
    Sending,
    /// The call may or may not have arrived. At `look_at` it is settled.
    Unknown,
    /// The reply window is closed; it goes out when the customer writes again, or fails at `look_at`.
    Held,
    /// The channel took it.
    Accepted,
    /// The channel sent it on.
    Sent,
    /// It is on the customer's device.
    Delivered,
    /// The customer saw it.
    Read,
    /// It will not arrive.
    Failed,
    /// It was not wanted any more before it left.
    Cancelled,
}

/// Why a message did not arrive, or waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The vendor's code, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What it means and what to do, for a rep or an operator. No personal data.
    pub text: String,
}

impl Trouble {
    /// A trouble that is ours to explain.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { code: None, text: text.into() }
    }
}

/// A message's way to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it stands.
    pub state: DeliveryState,
    /// Rises with every write; a writer that read an older one has lost.
    pub rev: u32,
    /// When somebody must look again; `None` when nothing is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// Calls whose outcome was a failure that passes.
    #[serde(default)]
    pub tries: u32,
    /// Calls begun again after an outcome stayed unknown.
    #[serde(default)]
    pub repeats: u32,
    /// Whether the last call ended without an answer, so that the message may have arrived.
    #[serde(default)]
    pub unsure: bool,
    /// The channel's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<String>,
    /// Why it failed, waits or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Whether the session has been told of a failure.
    #[serde(default)]
    pub reported: bool,
}

/// What a channel's status says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// It left the channel's server.
    Sent,
    /// It is on the device.
    Delivered,
    /// It was seen (or a voice note was played).
    Read,
    /// It did not arrive, and trying again may help.
    FailedForNow,
    /// It did not arrive and will not.
    Failed,
}

impl Delivery {
    /// A message that waits for a worker from `now` on.
    #[must_use]
    pub fn queued(now: Timestamp) -> Self {
        Self {
            state: DeliveryState::Queued,
            rev: 1,
            look_at: after(now, UNTOUCHED_WAIT),
            tries: 0,
            repeats: 0,
            unsure: false,
            vendor_id: None,
            trouble: None,
            reported: false,
        }
    }

    /// A message that waits for the reply window.
    #[must_use]
    pub fn held_from_the_start(now: Timestamp, why: Trouble) -> Self {
        Self::queued(now).held(now, why).told(now)
    }

    /// Whether something is still to be done about it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Unknown | DeliveryState::Held => {
                true
            }
            DeliveryState::Failed => !self.reported,
            DeliveryState::Accepted
            | DeliveryState::Sent
            | DeliveryState::Delivered
            | DeliveryState::Read
            | DeliveryState::Cancelled => false,
        }
    }

    /// Whether it may have arrived although it counts as not sent: a call ended without an answer.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        self.unsure || self.repeats > 0
    }

    /// Whether its fate is known well enough to be told to a rep.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self.state {
            DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Unknown => false,
            DeliveryState::Held
            | DeliveryState::Accepted
            | DeliveryState::Sent
            | DeliveryState::Delivered
            | DeliveryState::Read
            | DeliveryState::Failed
            | DeliveryState::Cancelled => true,
        }
    }

    /// Whether the next message must wait for this one: what is sent later must not arrive earlier.
    #[must_use]
    pub fn blocks_the_lane(&self) -> bool {
        !self.is_settled()
    }

    fn to(&self, state: DeliveryState) -> Self {
        Self { state, rev: self.rev + 1, look_at: None, ..self.clone() }
    }

    /// The same, written again: whoever read it before has lost, and looks at it and its session again.
    #[must_use]
    pub fn touched(&self) -> Self {
        Self { rev: self.rev + 1, ..self.clone() }
    }

    /// Another message must go first; nobody need look before then.
    #[must_use]
    pub fn waiting_until(&self, at: Timestamp) -> Self {
        Self { look_at: Some(at), ..self.touched() }
    }

    /// A worker begins the call.
    #[must_use]
    pub fn begun(&self, now: Timestamp) -> Self {
        let repeats = self.repeats + u32::from(self.unsure);
        Self { look_at: after(now, SEND_LEASE), repeats, unsure: false, ..self.to(DeliveryState::Sending) }
    }

    /// The channel took it under this id.
    #[must_use]
    pub fn accepted(&self, vendor_id: &str) -> Self {
        let id = Some(vendor_id.to_owned());
        Self { vendor_id: id, trouble: None, ..self.to(DeliveryState::Accepted) }
    }

    /// Nothing left, or it was refused for now: again at `at`. `counts` says whether it used up a try.
    #[must_use]
    pub fn postponed(&self, at: Timestamp, why: Trouble, counts: bool) -> Self {
        let tries = self.tries + u32::from(counts);
        Self { look_at: Some(at), tries, trouble: Some(why), ..self.to(DeliveryState::Queued) }
    }

    /// The call may have arrived.
    #[must_use]
    pub fn unknown(&self, now: Timestamp) -> Self {
        Self { look_at: after(now, UNKNOWN_WAIT), unsure: true, ..self.to(DeliveryState::Unknown) }
    }

    /// It will not arrive. The session is told next, so it is looked at again at once.
    #[must_use]
    pub fn failed(&self, now: Timestamp, why: Trouble) -> Self {
        Self { look_at: Some(now), trouble: Some(why), reported: false, ..self.to(DeliveryState::Failed) }
    }

    /// The session is being told; if that gets lost, it is told again later.
    #[must_use]
    pub fn telling(&self, now: Timestamp) -> Self {
        Self { rev: self.rev + 1, look_at: after(now, UNTOUCHED_WAIT), ..self.clone() }
    }

    /// It waits for the window. The session is told next, so it is looked at again at once.
    #[must_use]
    pub fn held(&self, now: Timestamp, why: Trouble) -> Self {
        Self { look_at: Some(now), trouble: Some(why), reported: false, ..self.to(DeliveryState::Held) }
    }

    /// The window is open again.
    #[must_use]
    pub fn released(&self, now: Timestamp) -> Self {
        Self {
            look_at: after(now, UNTOUCHED_WAIT),
            trouble: None,
            tries: 0,
            reported: false,
            ..self.to(DeliveryState::Queued)
        }
    }

    /// It is not wanted any more.
    #[must_use]
    pub fn cancelled(&self, why: Trouble) -> Self {
        Self { trouble: Some(why), ..self.to(DeliveryState::Cancelled) }
    }

    /// The session knows. A failure is over with that; what is held goes on waiting, but not for ever.
    #[must_use]
    pub fn told(&self, now: Timestamp) -> Self {
        let look_at = if self.state == DeliveryState::Held { after(now, HELD_FOR) } else { None };
        Self { reported: true, rev: self.rev + 1, look_at, ..self.clone() }
    }

    /// What a status of the channel makes of it, or `None` when it changes nothing: ranks only rise, and a failure
    /// never takes back what the customer already has.
    #[must_use]
    pub fn on_receipt(
        &self,
        receipt: Receipt,
        vendor_id: &str,
        why: Option<Trouble>,
        now: Timestamp,
    ) -> Option<Self> {
        let why = why.unwrap_or_else(no_reason);
        let next = match receipt {
            // Whatever we think of it, the customer has it.
            Receipt::Delivered => self.raised(DeliveryState::Delivered)?,
            Receipt::Read => self.raised(DeliveryState::Read)?,
            // Statuses repeat and overtake each other: these speak of an attempt that is over.
            Receipt::Sent | Receipt::FailedForNow | Receipt::Failed if !self.is_attempt(vendor_id) => {
                return None;
            }
            Receipt::Sent => self.raised(DeliveryState::Sent)?,
            Receipt::FailedForNow if self.tries < 5 => {
                let wait = SignedDuration::from_secs(6 * 4_i64.pow(self.tries));
                let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
                self.postponed(at, why, true)
            }
            Receipt::FailedForNow | Receipt::Failed => self.failed(now, why),
        };
        Some(Self { vendor_id: Some(vendor_id.to_owned()), unsure: false, ..next })
    }

    /// Whether the channel's `vendor_id` names the attempt that is under way. Until the channel took it, an id that is
    /// known already names the attempt before.
    fn is_attempt(&self, vendor_id: &str) -> bool {
        let known = self.vendor_id.as_deref() == Some(vendor_id);
        match self.state {
            DeliveryState::Sending | DeliveryState::Unknown => !known,
            DeliveryState::Accepted | DeliveryState::Sent => known,
            DeliveryState::Queued
            | DeliveryState::Held
            | DeliveryState::Delivered
            | DeliveryState::Read
            | DeliveryState::Failed
            | DeliveryState::Cancelled => false,
        }
    }

    /// The state raised to `state`, if that is a rise.
    fn raised(&self, state: DeliveryState) -> Option<Self> {
        (rank(state) > rank(self.state)).then(|| Self { trouble: None, ..self.to(state) })
    }
}

fn no_reason() -> Trouble {
    Trouble::new("WhatsApp reported a failure without a reason")
}

/// The order of the states a receipt may raise. Everything before the channel's word is 0.
#[must_use]
pub fn rank(state: DeliveryState) -> u8 {
    match state {
        DeliveryState::Queued
        | DeliveryState::Sending
        | DeliveryState::Unknown
        | DeliveryState::Held
        | DeliveryState::Failed
        | DeliveryState::Cancelled => 0,
        DeliveryState::Accepted => 1,
        DeliveryState::Sent => 2,
        DeliveryState::Delivered => 3,
        DeliveryState::Read => 4,
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> Option<Timestamp> {
    Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_794_819_600).unwrap()
    }

    fn accepted() -> Delivery {
        Delivery::queued(now()).begun(now()).accepted("wamid.1")
    }

    #[test]
    fn statuses_out_of_order_end_at_read() {
        let read = accepted().on_receipt(Receipt::Read, "wamid.1", None, now()).unwrap();
        assert_eq!(read.on_receipt(Receipt::Delivered, "wamid.1", None, now()), None);
        assert_eq!(read.on_receipt(Receipt::Sent, "wamid.1", None, now()), None);
        assert_eq!(read.on_receipt(Receipt::Failed, "wamid.1", None, now()), None);
    }

    #[test]
    fn a_status_settles_an_unknown_outcome_and_names_it() {
        let unknown = Delivery::queued(now()).begun(now()).unknown(now());
        let sent = unknown.on_receipt(Receipt::Sent, "wamid.9", None, now()).unwrap();
        assert_eq!((sent.state, sent.vendor_id.as_deref()), (DeliveryState::Sent, Some("wamid.9")));
        assert_eq!(sent.look_at, None);
    }

    #[test]
    fn delivered_wins_over_an_earlier_failure_and_sent_does_not() {
        let failed = accepted().on_receipt(Receipt::Failed, "wamid.1", None, now()).unwrap();
        assert_eq!(failed.on_receipt(Receipt::Sent, "wamid.1", None, now()), None);
        let seen = failed.on_receipt(Receipt::Delivered, "wamid.1", None, now()).unwrap();
        assert_eq!((seen.state, seen.trouble), (DeliveryState::Delivered, None));
    }

    #[test]
    fn a_status_of_an_earlier_attempt_does_not_touch_the_next_one() {
        let again = accepted().on_receipt(Receipt::FailedForNow, "wamid.1", None, now()).unwrap();
        let second = again.begun(now());
        for stale in [Receipt::Sent, Receipt::FailedForNow, Receipt::Failed] {
            assert_eq!(again.on_receipt(stale, "wamid.1", None, now()), None, "waiting, {stale:?}");
            assert_eq!(second.on_receipt(stale, "wamid.1", None, now()), None, "under way, {stale:?}");
            let taken = second.accepted("wamid.2");
            assert_eq!(taken.on_receipt(stale, "wamid.1", None, now()), None, "accepted, {stale:?}");
        }
        let sent = second.on_receipt(Receipt::Sent, "wamid.2", None, now()).unwrap();
        assert_eq!((sent.state, sent.vendor_id.as_deref()), (DeliveryState::Sent, Some("wamid.2")));
        let seen = second.on_receipt(Receipt::Read, "wamid.1", None, now()).unwrap();
        assert_eq!(seen.state, DeliveryState::Read, "whatever we think of it, the customer has it");
    }

    #[test]
    fn a_passing_failure_is_queued_again_but_not_for_ever() {
        let mut delivery = accepted();
        for _ in 0..5 {
            delivery = delivery.on_receipt(Receipt::FailedForNow, "wamid.1", None, now()).unwrap();
            assert_eq!(delivery.state, DeliveryState::Queued);
            delivery = delivery.begun(now()).accepted("wamid.1");
        }
        let last = delivery.on_receipt(Receipt::FailedForNow, "wamid.1", None, now()).unwrap();
        assert_eq!(last.state, DeliveryState::Failed);
    }

    #[test]
    fn every_write_is_a_new_revision() {
        let queued = Delivery::queued(now());
        let begun = queued.begun(now());
        assert_eq!((queued.rev, begun.rev, begun.unknown(now()).rev), (1, 2, 3));
        assert_eq!(begun.unknown(now()).begun(now()).repeats, 1);
    }
}
