//! A message did not reach the customer: a rep is told what happened and what to do, and nobody is left unanswered.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off};
use crate::channel::render::shorten;
use crate::delivery::DeliveryState;
use crate::handoff::Reason;
use crate::message::{Author, Message};
use crate::session::command::{DeliveryEnd, Fate};
use crate::session::decision::{Because, Decision};
use crate::session::state::{Session, State};

/// The machine has the session: what it said did not arrive, so a person must know and act.
pub(in crate::session) fn tell_or_hand_off(
    session: &Session,
    open: &[Message],
    end: &DeliveryEnd,
    now: Timestamp,
) -> Decision {
    let mut decision = tell(session, open, end, now);
    if decision.because.is_none() && end.fate == Fate::Failed {
        // Telling the customer would fail the same way, unless they wrote meanwhile and wait for another answer.
        let how = HandingOff {
            detail: end.trouble.text.clone(),
            silent: !session.turn.is_pending(),
            ..HandingOff::because(Reason::DeliveryFailed)
        };
        hand_off(&mut decision, how, now);
    }
    decision
}

/// A message that had left needs work again. It may stand before everything that was still open, so from now on the
/// workers begin to look there; what is to be done about it they see from its own state.
pub(in crate::session) fn reopened(session: &Session, seq: u64) -> Decision {
    if seq == 0 || seq >= session.open_from {
        return Decision::unchanged(session, Because::NothingToReport);
    }
    let mut decision = Decision::begin(session);
    decision.session.open_from = seq;
    decision
}

/// Leaves a note and marks the trouble as told.
pub(in crate::session) fn tell(
    session: &Session,
    open: &[Message],
    end: &DeliveryEnd,
    now: Timestamp,
) -> Decision {
    let Some(message) = open.iter().find(|m| m.seq == end.seq && stands(m, end.fate)) else {
        return Decision::unchanged(session, Because::NothingToReport);
    };
    let mut decision = Decision::begin(session);
    let code = end.trouble.code.map(|code| format!(" (code {code})")).unwrap_or_default();
    let unsure = message.delivery.as_ref().is_some_and(crate::Delivery::may_have_arrived);
    let what = match end.fate {
        Fate::Failed if unsure => "Perhaps not delivered",
        Fate::Failed => "Not delivered",
        Fate::Held => "Not delivered yet",
    };
    let words = shorten(&message.text, 80);
    decision.note(&format!("{what}{code}: “{words}”. {}", end.trouble.text), now);
    decision.change(message, |delivery| delivery.told(now));
    if let State::HandedOff(handoff) = &mut decision.session.state
        && end.fate == Fate::Failed
        && message.author != Author::Rep
        && message.at >= handoff.at
    {
        // It was the word that a person will answer: it is made up for when the customer writes.
        handoff.told = false;
    }
    decision
}

fn stands(message: &Message, fate: Fate) -> bool {
    let wanted = match fate {
        Fate::Failed => DeliveryState::Failed,
        Fate::Held => DeliveryState::Held,
    };
    message.delivery.as_ref().is_some_and(|d| d.state == wanted && !d.reported)
}
