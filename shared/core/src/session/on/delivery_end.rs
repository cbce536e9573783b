//! A message did not reach the customer: a rep is told what happened and what to do, and nobody is left unanswered.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off};
use crate::channel::render::shorten;
use crate::delivery::DeliveryState;
use crate::handoff::Reason;
use crate::message::Message;
use crate::session::command::{DeliveryEnd, Fate};
use crate::session::decision::{Because, Decision};
use crate::session::state::Session;

/// The machine has the session: what it said did not arrive, so a person must know and act.
pub(in crate::session) fn tell_or_hand_off(
    session: &Session,
    open: &[Message],
    end: &DeliveryEnd,
    now: Timestamp,
) -> Decision {
    let mut decision = tell(session, open, end, now);
    if decision.because.is_none() && end.fate == Fate::Failed {
        // Telling the customer would fail the same way.
        let how = HandingOff {
            detail: end.trouble.text.clone(),
            silent: true,
            ..HandingOff::because(Reason::DeliveryFailed)
        };
        hand_off(&mut decision, how, now);
    }
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
    let what = match end.fate {
        Fate::Failed => "Not delivered",
        Fate::Held => "Not delivered yet",
    };
    let words = shorten(&message.text, 80);
    decision.note(&format!("{what}{code}: “{words}”. {}", end.trouble.text), now);
    decision.change(message, |delivery| delivery.told(now));
    decision
}

fn stands(message: &Message, fate: Fate) -> bool {
    let wanted = match fate {
        Fate::Failed => DeliveryState::Failed,
        Fate::Held => DeliveryState::Held,
    };
    message.delivery.as_ref().is_some_and(|d| d.state == wanted && !d.reported)
}
