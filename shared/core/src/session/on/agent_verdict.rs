//! The model's turn is over: its words go to the customer, or a person is called.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off, say_to_customer};
use crate::agent::{Answer, Escalation, GaveUp, Verdict};
use crate::handoff::Reason;
use crate::message::Author;
use crate::session::command::Conclusion;
use crate::session::decision::{Because, Decision};
use crate::session::state::Session;

/// Follows the verdict of the pending turn. The answer to an overtaken turn is thrown away once, so that the
/// customer's newer message is answered too; the second time it is used, so that a fast writer gets an answer at all.
pub(in crate::session) fn follow(session: &Session, concluded: &Conclusion, now: Timestamp) -> Decision {
    let pending = session.turn.due.is_some();
    if !pending || concluded.turn > session.turn.number {
        return Decision::unchanged(session, Because::TurnIsOver);
    }
    let overtaken = concluded.turn < session.turn.number;
    if overtaken && !session.turn.discarded {
        let mut decision = Decision::begin(session);
        decision.session.turn.discarded = true;
        return decision;
    }
    apply(session, concluded, now, overtaken)
}

fn apply(session: &Session, concluded: &Conclusion, now: Timestamp, overtaken: bool) -> Decision {
    let mut decision = Decision::begin(session);
    match &concluded.verdict {
        Verdict::Answered(answer) => {
            learn(&mut decision.session, answer);
            answer_or_escalate(&mut decision, answer, now, overtaken);
        }
        Verdict::GaveUp(why) => hand_off(&mut decision, HandingOff::because(reason_of(*why)), now),
    }
    decision
}

fn answer_or_escalate(decision: &mut Decision, answer: &Answer, now: Timestamp, overtaken: bool) {
    match &answer.escalation {
        Some(escalation) => hand_off(decision, handing_off(answer, escalation), now),
        None => {
            say_to_customer(decision, Author::Assistant, &answer.reply, now);
            let next = &mut decision.session;
            next.last_activity_at = next.last_activity_at.max(now);
            next.turn.discarded = false;
            if !overtaken {
                next.turn.due = None;
                next.waiting_since = None;
            }
        }
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
