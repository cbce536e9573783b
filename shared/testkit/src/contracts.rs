//! What every store must do, whatever it is made of: one suite per port, so that the simulation cannot lie.
//!
//! Each suite wants a fresh, empty store and panics where the store breaks its promise. The stores of the
//! simulator and of the real table run the same suites.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a suite fails by panicking")]

mod contacts;
mod cursors;
mod deliveries;
mod parking;
mod queues;
mod sessions;
mod settings;
mod turns;
mod waking;

use jiff::{SignedDuration, Timestamp};
use shared::channel::LineKey;
use shared::ids::derive;
use shared::session::state::Opening;
use shared::session::{Resolution, Resolver};
use shared::{Audience, Author, Contact, CustomerAddress, Delivery, Kind, Message, OrgId, Session, State};
use shared_flow::ports::Commit;

pub use contacts::contacts;
pub use cursors::cursors;
pub use deliveries::deliveries;
pub use parking::parking;
pub use queues::{QueueReader, queues};
pub use sessions::sessions;
pub use settings::{configured, settings};
pub use turns::turns;
pub use waking::waking;

/// The time at which every suite starts.
fn now() -> Timestamp {
    Timestamp::from_second(1_794_819_600).expect("a time of this century")
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn org(name: &str) -> OrgId {
    OrgId::new(name).expect("a name of small letters")
}

fn line() -> LineKey {
    LineKey::whatsapp("880200000000011")
}

/// A customer who is known by this user id.
fn customer(user_id: &str) -> CustomerAddress {
    CustomerAddress::Whatsapp { user_id: Some(user_id.to_owned()), phone: None }
}

/// A session of this customer that nothing was written to yet; `key` is what opens it.
fn session(org: &OrgId, user_id: &str, key: &str) -> Session {
    let contact = Contact::new(org, &customer(user_id), None).id;
    let opening = Opening {
        org: org.clone(),
        contact,
        line: line(),
        customer: customer(user_id),
        name: Some("Dana".to_owned()),
        key: key.to_owned(),
        at: now(),
    };
    Session::open(opening)
}

fn said(seq: u64, text: &str) -> Message {
    Message {
        seq,
        at: now(),
        author: Author::Customer,
        audience: Audience::Both,
        kind: Kind::Text,
        text: text.to_owned(),
        epoch: 0,
        source: Some(format!("wamid.{seq}")),
        delivery: None,
    }
}

/// A message that waits to be sent.
fn queued(seq: u64) -> Message {
    Message { author: Author::Assistant, delivery: Some(Delivery::queued(now())), ..said(seq, "An answer.") }
}

/// The head one version on.
fn next(session: &Session) -> Session {
    Session { version: session.version + 1, ..session.clone() }
}

fn resolved(session: &Session) -> Session {
    let resolution = Resolution { by: Resolver::Person, at: now(), handoff: None };
    Session { state: State::Resolved(resolution), ..next(session) }
}

/// Writes the step from `before` to `to`, with these messages and nothing else.
fn commit(before: &Session, to: &Session, messages: Vec<Message>) -> Commit {
    Commit {
        before: before.version,
        session: to.clone(),
        messages,
        changes: Vec::new(),
        mark: None,
        case: None,
        now: now(),
    }
}

/// The first write of a session.
fn opening(session: &Session, messages: Vec<Message>) -> (Session, Commit) {
    let first = next(session);
    let commit = commit(session, &first, messages);
    (first, commit)
}

/// An id that nothing stored has.
fn stranger() -> shared::SessionId {
    shared::SessionId(derive("contract", &["stranger"]))
}
