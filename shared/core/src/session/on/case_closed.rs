//! The case was closed in the CRM: the session is over, and the machine has nothing more to say in it.

use jiff::Timestamp;

use super::person::{end, unanswered};
use crate::message::Message;
use crate::session::decision::Decision;
use crate::session::state::{Resolver, Session};

/// Resolves the session. What a rep wrote before is still delivered.
pub(in crate::session) fn resolve(session: &Session, open: &[Message], now: Timestamp) -> Decision {
    let mut decision = Decision::begin(session);
    decision.silence_the_machine(open, "the case was closed");
    decision.session.epoch += 1;
    if session.turn.is_pending() {
        decision.note(&format!("The case was closed.{}", unanswered(session)), now);
    }
    end(&mut decision.session, Resolver::Case, now);
    decision
}
