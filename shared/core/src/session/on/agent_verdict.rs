//! The model's turn is over: its words go to the customer, or a person is called.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off, say_to_customer, window_closed};
use crate::agent::{Answer, Escalation, GaveUp, Verdict};
use crate::handoff::Reason;
use crate::message::Author;
use crate::policy::Policy;
use crate::session::command::Conclusion;
use crate::session::decision::{Because, Decision};
use crate::session::state::Session;

/// Follows the verdict of the pending turn. The answer to an overtaken turn is thrown away once, so that the
/// customer's newer message is answered too; the second time it is used, so that a fast writer gets an answer at all.
pub(in crate::session) fn follow(
    session: &Session,
    concluded: &Conclusion,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let turn = &session.turn;
    if !turn.wants(concluded.turn) {
        return Decision::unchanged(session, Because::TurnIsOver);
    }
    let mut decision = Decision::begin(session);
    if !policy.ai_enabled {
        // Switched off while it was thinking: what a person wanted to stop is not said.
        hand_off(&mut decision, HandingOff::because(Reason::AssistantOff), now);
    } else if concluded.turn < turn.number && !turn.discarded {
        decision.session.turn.discarded = true;
        decision.session.turn.over = concluded.turn;
    } else {
        apply(&mut decision, concluded, now);
    }
    decision
}

fn apply(decision: &mut Decision, concluded: &Conclusion, now: Timestamp) {
    match &concluded.verdict {
        Verdict::Answered(answer) => {
            learn(&mut decision.session, answer);
            answer_or_escalate(decision, concluded.turn, answer, now);
        }
        Verdict::GaveUp(why) => hand_off(decision, HandingOff::because(reason_of(*why)), now),
    }
}

fn answer_or_escalate(decision: &mut Decision, turn: u32, answer: &Answer, now: Timestamp) {
    match &answer.escalation {
        Some(escalation) => hand_off(decision, handing_off(answer, escalation), now),
        None if !answer.is_usable() => {
            hand_off(decision, HandingOff::because(Reason::AssistantMalformed), now);
        }
        None if !decision.session.window_is_open(now) => cannot_say(decision, answer, now),
        None => {
            say_to_customer(decision, Author::Assistant, &answer.reply, now);
            answered(&mut decision.session, turn, now);
        }
    }
}

/// The window closed before the answer was there: the rep sees what it would have been, and must find another way.
fn cannot_say(decision: &mut Decision, answer: &Answer, now: Timestamp) {
    say_to_customer(decision, Author::Assistant, &answer.reply, now);
    let detail = window_closed().text;
    hand_off(
        decision,
        HandingOff { detail, silent: true, ..HandingOff::because(Reason::DeliveryFailed) },
        now,
    );
}

/// The turn is answered. If the customer wrote meanwhile, the newer turn is owed from now on.
fn answered(session: &mut Session, turn: u32, now: Timestamp) {
    session.last_activity_at = session.last_activity_at.max(now);
    if turn == session.turn.number {
        session.turn.call_off();
        session.waiting_since = None;
    } else {
        session.turn.over = turn;
        session.turn.discarded = false;
        session.turn.since = Some(now);
    }
}

fn handing_off(answer: &Answer, escalation: &Escalation) -> HandingOff {
    HandingOff {
        detail: escalation.detail.clone(),
        summary: Some(escalation.summary.clone()),
        sentiment: answer.sentiment.clone(),
        reply: Some(answer.reply.clone()),
        ..HandingOff::because(escalation.reason)
    }
}

fn learn(session: &mut Session, answer: &Answer) {
    session.language = answer.language.clone().or(session.language.take());
}

fn reason_of(why: GaveUp) -> Reason {
    match why {
        GaveUp::Unavailable => Reason::AssistantUnavailable,
        GaveUp::Malformed => Reason::AssistantMalformed,
        GaveUp::Refused => Reason::Policy,
    }
}
