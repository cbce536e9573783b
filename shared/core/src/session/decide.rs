//! The whole behaviour of a session as one table.

use jiff::Timestamp;

use super::command::Command;
use super::decision::{Because, Decision};
use super::on::{
    agent_verdict, case_closed, customer_message, delivery_end, person, rep_reply, silence, window,
};
use super::state::{Session, State};
use super::timer;
use crate::message::Message;
use crate::policy::Policy;

/// Says what a fact does to a session.
///
/// `open` are the session's messages that still need work on their way to the customer. It has no clock and does no
/// input or output, so deciding again after a lost write gives the same decision or, if the world moved, a right one.
#[must_use]
#[deny(clippy::wildcard_enum_match_arm, clippy::match_wildcard_for_single_variants)]
pub fn decide(
    session: &Session,
    open: &[Message],
    command: &Command,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    use Command as C;
    use State::{Assistant, HandedOff, Resolved};

    let decision = match (&session.state, command) {
        (Assistant, C::CustomerWrote(message)) => {
            customer_message::to_assistant(session, open, message, now, policy)
        }
        (HandedOff(_), C::CustomerWrote(message)) => customer_message::to_person(session, open, message, now),
        (Resolved(_), C::CustomerWrote(_)) => Decision::unchanged(session, Because::SessionIsOver),

        (Assistant, C::AgentConcluded(concluded)) => agent_verdict::follow(session, concluded, now, policy),
        // The model answered after a person took over: the person's word stands.
        (HandedOff(_), C::AgentConcluded(_)) => Decision::unchanged(session, Because::PersonOwnsSession),
        (Resolved(_), C::AgentConcluded(_)) => Decision::unchanged(session, Because::SessionIsOver),

        (Assistant | HandedOff(_) | Resolved(_), C::RepReplied(reply)) if reply.is_blank() => {
            Decision::unchanged(session, Because::NothingWasSaid)
        }
        (Assistant, C::RepReplied(reply)) => rep_reply::takes_over(session, open, reply, now),
        (HandedOff(handoff), C::RepReplied(reply)) => rep_reply::answers(session, open, handoff, reply, now),
        // A rep's word counts after the end too; it reaches the customer and opens nothing.
        (Resolved(_), C::RepReplied(reply)) => rep_reply::after_the_end(session, reply, now),

        (Assistant, C::CaseClosed(_)) => case_closed::resolve(session, open, now),
        (HandedOff(_), C::CaseClosed(_)) => case_closed::resolve(session, open, now),
        (Resolved(_), C::CaseClosed(_)) => Decision::unchanged(session, Because::AlreadyResolved),

        (Assistant, C::DeliveryEnded(end)) => delivery_end::tell_or_hand_off(session, open, end, now),
        (HandedOff(_), C::DeliveryEnded(end)) => delivery_end::tell(session, open, end, now),
        (Resolved(_), C::DeliveryEnded(end)) => delivery_end::tell(session, open, end, now),

        (Assistant | HandedOff(_) | Resolved(_), C::DeliveryReopened { seq }) => {
            delivery_end::reopened(session, *seq)
        }

        // The window is the customer's, not the state's: also what a rep said before the end goes out.
        (Assistant | HandedOff(_) | Resolved(_), C::WindowReopened { at }) => {
            window::reopened(session, open, *at, now)
        }

        (Assistant, C::HandoffRequested(by)) => person::takes_over(session, open, by, now),
        (HandedOff(_), C::HandoffRequested(_)) => Decision::unchanged(session, Because::AlreadyHandedOff),
        (Resolved(_), C::HandoffRequested(_)) => Decision::unchanged(session, Because::SessionIsOver),

        (Assistant, C::HandBackRequested(_)) => Decision::unchanged(session, Because::AssistantHasIt),
        (HandedOff(_), C::HandBackRequested(by)) => person::gives_back(session, open, by, now, policy),
        (Resolved(_), C::HandBackRequested(_)) => Decision::unchanged(session, Because::SessionIsOver),

        (Assistant, C::ResolveRequested(by)) => person::resolves(session, open, by, now),
        (HandedOff(_), C::ResolveRequested(by)) => person::resolves(session, open, by, now),
        (Resolved(_), C::ResolveRequested(_)) => Decision::unchanged(session, Because::AlreadyResolved),

        (Assistant, C::Woke) => silence::in_assistant(session, open, now, policy),
        (HandedOff(_), C::Woke) => silence::re_arm(session, now),
        (Resolved(_), C::Woke) => silence::re_arm(session, now),
    };
    timer::arm(session, decision, open, now, policy)
}
