//! The one clock of a session: when somebody must look at it, at the latest.

use jiff::{SignedDuration, Timestamp};

use super::decision::Decision;
use super::state::{Session, State};
use crate::delivery::{Delivery, DeliveryState};
use crate::message::Message;
use crate::policy::Policy;

/// How long after a change the clock makes sure that no worker missed it.
pub const CHECK_WORKERS: SignedDuration = SignedDuration::from_secs(120);
/// How long after it is due a turn nobody took is asked for again.
pub const CHECK_TURN: SignedDuration = SignedDuration::from_secs(45);

/// Sets when to look again, and from where open messages begin.
///
/// `wake_at` is a lower bound: an earlier one that has not come yet is kept, so that a busy session does not move
/// its place in the index with every message. When it comes too early it is simply re-armed.
pub(super) fn arm(
    session: &Session,
    mut decision: Decision,
    open: &[Message],
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if decision.because.is_some() {
        return decision;
    }
    if !decision.messages.is_empty() || !decision.changes.is_empty() {
        let check = later(now, CHECK_WORKERS);
        decision.session.check_at = Some(decision.session.check_at.filter(|at| *at > now).unwrap_or(check));
    }
    let left = open_after(&decision, open);
    let first = left.iter().map(|(seq, _)| *seq).min().unwrap_or(decision.session.last_seq + 1);
    // A message taken up again stands before everything that was known to be open.
    let taken_up = Some(decision.session.open_from).filter(|from| *from < session.open_from);
    // What waits for the customer keeps the session open, so until then there is nothing to look at.
    let held_until =
        left.iter().filter(|(_, d)| d.state == DeliveryState::Held).filter_map(|(_, d)| d.look_at).max();
    // Something that is overdue but cannot happen yet is looked at again soon, not at once.
    let wanted = wanted(&decision.session, held_until, policy)
        .map(|at| if at > now { at } else { later(now, CHECK_WORKERS) });
    decision.session.open_from = taken_up.map_or(first, |from| from.min(first));
    let session = &mut decision.session;
    session.wake_at = match (session.wake_at, wanted) {
        (Some(armed), Some(wanted)) if armed > now && armed <= wanted => Some(armed),
        (_, wanted) => wanted,
    };
    decision
}

/// The earliest time something must happen by itself.
fn wanted(session: &Session, held_until: Option<Timestamp>, policy: &Policy) -> Option<Timestamp> {
    let turn = session.turn.due.map(|due| later(due, CHECK_TURN));
    let silence = match session.state {
        State::Assistant => Some(later(session.last_activity_at, policy.auto_resolve_after)).max(held_until),
        State::HandedOff(_) | State::Resolved(_) => None,
    };
    [turn, silence, session.check_at].into_iter().flatten().min()
}

/// What still needs work on its way to the customer once the decision is written.
fn open_after<'a>(decision: &'a Decision, open: &'a [Message]) -> Vec<(u64, &'a Delivery)> {
    let moved =
        |seq: u64| decision.changes.iter().find(|change| change.seq == seq).map(|change| &change.delivery);
    let earlier = open.iter().filter_map(|m| Some((m.seq, moved(m.seq).or(m.delivery.as_ref())?)));
    let new = decision.messages.iter().filter_map(|m| Some((m.seq, m.delivery.as_ref()?)));
    earlier.chain(new).filter(|(_, delivery)| delivery.is_open()).collect()
}

/// `at` plus `wait`, held at the end of time.
pub(super) fn later(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
