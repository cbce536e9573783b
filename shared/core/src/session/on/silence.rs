//! The clock looked: an answer is overdue, the customer has gone quiet, or it was only a check.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off};
use super::person::end;
use crate::handoff::Reason;
use crate::message::Message;
use crate::policy::Policy;
use crate::session::decision::{Because, Decision};
use crate::session::state::{Resolver, Session};

/// The machine has the session: an overdue turn goes to a person, a quiet session is resolved.
pub(in crate::session) fn in_assistant(
    session: &Session,
    open: &[Message],
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if session.wake_at.is_some_and(|at| at > now) {
        return Decision::unchanged(session, Because::NotDueYet);
    }
    let mut decision = Decision::begin(session);
    decision.session.check_at = session.check_at.filter(|at| *at > now);
    // Counted from when the turn was first owed: a customer who keeps writing moves its time, not our patience.
    let overdue = session.turn.since.is_some_and(|since| now.duration_since(since) >= policy.answer_within);
    let quiet = now.duration_since(session.last_activity_at) >= policy.auto_resolve_after;
    if session.turn.is_pending() && !policy.ai_enabled {
        hand_off(&mut decision, HandingOff::because(Reason::AssistantOff), now);
    } else if session.turn.is_pending() && overdue {
        hand_off(&mut decision, HandingOff::because(Reason::AssistantUnavailable), now);
    } else if quiet && !session.turn.is_pending() && open.is_empty() {
        end(&mut decision.session, Resolver::Silence, now);
    }
    decision
}

/// A person has the session, or it is over: the clock never ends a person's session, it only checks on the workers.
pub(in crate::session) fn re_arm(session: &Session, now: Timestamp) -> Decision {
    if session.wake_at.is_none_or(|at| at > now) {
        return Decision::unchanged(session, Because::NotDueYet);
    }
    let mut decision = Decision::begin(session);
    decision.session.check_at = session.check_at.filter(|at| *at > now);
    decision
}
