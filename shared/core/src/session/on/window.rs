//! The reply window is open again: what a person said while it was closed goes out.

use jiff::Timestamp;

use crate::delivery::DeliveryState::Held;
use crate::message::Message;
use crate::session::decision::{Because, Decision, MOST_CHANGES};
use crate::session::state::Session;

/// The customer wrote in a later session of the same line. Who has this session, or had it, does not change.
pub(in crate::session) fn reopened(
    session: &Session,
    open: &[Message],
    at: Timestamp,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::begin(session);
    decision.session.last_inbound_at = session.last_inbound_at.max(Some(at.min(now)));
    release(&mut decision, open, now);
    if decision.changes.is_empty() {
        return Decision::unchanged(session, Because::NothingToReport);
    }
    decision
}

/// Lets what waited for the window go, if it is open.
pub(super) fn release(decision: &mut Decision, open: &[Message], now: Timestamp) {
    if !decision.session.window_is_open(now) {
        return;
    }
    // What is beyond the most that fits goes with the customer's next message.
    for held in open.iter().filter(|m| m.is_in(&[Held])).take(MOST_CHANGES) {
        decision.change(held, |delivery| delivery.released(now));
    }
}
