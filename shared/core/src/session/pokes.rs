//! Which workers to wake after a change, read off the difference between before and after.

use jiff::{SignedDuration, Timestamp};

use super::command::Command;
use super::decision::Decision;
use super::state::Session;
use crate::policy::Policy;

/// A nudge to a worker. It carries no content: the worker reads what there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Poke {
    /// Messages may want sending.
    Deliveries,
    /// The CRM's copy may be behind.
    CrmSync,
    /// A turn is due after this wait.
    Turn {
        /// The turn's number.
        number: u32,
        /// How long to wait first; zero when it is due.
        wait: SignedDuration,
    },
}

/// The pokes that a committed decision calls for.
#[must_use]
pub fn pokes(
    before: &Session,
    decision: &Decision,
    command: &Command,
    now: Timestamp,
    policy: &Policy,
) -> Vec<Poke> {
    if matches!(command, Command::Woke) {
        return all(&decision.session, now, policy);
    }
    let after = &decision.session;
    let mut pokes = Vec::new();
    let reopened = after.open_from < before.open_from;
    if decision.messages.iter().any(crate::Message::is_open) || !decision.changes.is_empty() || reopened {
        pokes.push(Poke::Deliveries);
    }
    let told = !decision.messages.is_empty() || !decision.changes.is_empty();
    if policy.crm.is_some() && (told || before.state != after.state) {
        pokes.push(Poke::CrmSync);
    }
    if after.turn.number != before.turn.number {
        pokes.extend(turn(after, now));
    }
    pokes
}

/// Every poke that could be missing: for a fact that arrived twice, and when the clock looks.
#[must_use]
pub fn all(session: &Session, now: Timestamp, policy: &Policy) -> Vec<Poke> {
    let crm = policy.crm.map(|_| Poke::CrmSync);
    [Some(Poke::Deliveries), crm, turn(session, now)].into_iter().flatten().collect()
}

fn turn(session: &Session, now: Timestamp) -> Option<Poke> {
    let due = session.turn.due?;
    let wait = due.duration_since(now).max(SignedDuration::ZERO);
    Some(Poke::Turn { number: session.turn.number, wait })
}
