//! A person acts on the session from here: takes it, gives it back, ends it.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off};
use crate::handoff::Reason;
use crate::message::Message;
use crate::policy::Policy;
use crate::session::command::By;
use crate::session::decision::{Because, Decision};
use crate::session::state::{Resolution, Resolver, Session, State};

/// Takes the session from the assistant; the customer is told.
pub(in crate::session) fn takes_over(
    session: &Session,
    open: &[Message],
    by: &By,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::begin(session);
    decision.silence_the_machine(open, "a person took over");
    decision.session.epoch += 1;
    let how = HandingOff { detail: via(by), claimed: true, ..HandingOff::because(Reason::ByPerson) };
    hand_off(&mut decision, how, now);
    decision
}

/// Gives the session back. If the customer waits for an answer, the assistant gives it.
pub(in crate::session) fn gives_back(
    session: &Session,
    open: &[Message],
    by: &By,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    if !policy.ai_enabled {
        return Decision::unchanged(session, Because::AssistantIsOff);
    }
    let mut decision = Decision::begin(session);
    // A notice that a colleague will answer would be untrue by now.
    decision.silence_the_machine(open, "the assistant has the session again");
    decision.session.epoch += 1;
    decision.session.state = State::Assistant;
    decision.session.last_activity_at = decision.session.last_activity_at.max(now);
    decision.note(&format!("Handed back to the assistant, {}.", via(by)), now);
    if decision.session.waiting_since.is_some() {
        decision.session.turn.ask(now, policy);
    }
    decision
}

/// Ends the session.
pub(in crate::session) fn resolves(session: &Session, open: &[Message], by: &By, now: Timestamp) -> Decision {
    let mut decision = Decision::begin(session);
    decision.silence_the_machine(open, "the session was resolved");
    decision.session.epoch += 1;
    decision.note(&format!("Resolved, {}.{}", via(by), unanswered(session)), now);
    end(&mut decision.session, Resolver::Person, now);
    decision
}

/// Makes the session resolved: no turn, no clock but the check that the workers heard of it.
pub(super) fn end(session: &mut Session, by: Resolver, now: Timestamp) {
    let handoff = session.handoff().cloned();
    session.state = State::Resolved(Resolution { by, at: now, handoff });
    session.turn.call_off();
    session.waiting_since = None;
    session.last_activity_at = session.last_activity_at.max(now);
    session.check_at = Some(crate::session::timer::later(now, crate::session::timer::CHECK_WORKERS));
}

/// What a rep must know of a session that ends while the machine still owes an answer.
pub(super) fn unanswered(session: &Session) -> &'static str {
    if session.turn.is_pending() { " The customer's last message was not answered." } else { "" }
}

fn via(by: &By) -> String {
    format!("by a person, via {}", by.via)
}
