//! A person answered in the CRM: the words go to the customer, and from then on the machine is silent.

use jiff::Timestamp;

use super::hand_off::{HandingOff, Speech, hand_off, speak, window_closed};
use crate::handoff::{Handoff, Reason};
use crate::message::{Audience, Author, Message};
use crate::session::command::RepReply;
use crate::session::decision::Decision;
use crate::session::state::{Session, State};

/// Why a machine's unsent word was taken back.
pub(super) const PERSON_SPOKE: &str = "a person answered first";

/// Nobody had handed off: answering is taking over.
pub(in crate::session) fn takes_over(
    session: &Session,
    open: &[Message],
    reply: &RepReply,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::begin(session);
    decision.silence_the_machine(open, PERSON_SPOKE);
    decision.session.epoch += 1;
    let how = HandingOff { silent: true, claimed: true, ..HandingOff::because(Reason::RepReplied) };
    hand_off(&mut decision, how, now);
    pass_on(&mut decision, reply, now);
    decision
}

/// The session waits for a person or has one: an answer silences what the machine still had to say, be it only the
/// notice that somebody will answer.
pub(in crate::session) fn answers(
    session: &Session,
    open: &[Message],
    handoff: &Handoff,
    reply: &RepReply,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::begin(session);
    decision.silence_the_machine(open, PERSON_SPOKE);
    if !handoff.claimed {
        decision.session.epoch += 1;
        decision.session.state = State::HandedOff(Handoff { claimed: true, ..handoff.clone() });
    }
    pass_on(&mut decision, reply, now);
    decision
}

/// The session is over: the words still reach the customer.
pub(in crate::session) fn after_the_end(session: &Session, reply: &RepReply, now: Timestamp) -> Decision {
    let mut decision = Decision::begin(session);
    pass_on(&mut decision, reply, now);
    decision
}

/// The rep sees their own words in the CRM already, so they are not mirrored there; only a closed window is.
fn pass_on(decision: &mut Decision, reply: &RepReply, now: Timestamp) {
    let text = &reply.text;
    let source = Some(reply.record.as_str());
    speak(decision, Speech { author: Author::Rep, audience: Audience::Customer, text, source }, now);
    if !decision.session.window_is_open(now) {
        decision.note(&format!("Not delivered yet. {}", window_closed().text), now);
    }
    let next = &mut decision.session;
    next.last_activity_at = next.last_activity_at.max(now);
    next.waiting_since = None;
}
