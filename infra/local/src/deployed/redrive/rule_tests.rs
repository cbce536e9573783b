//! The rules of a replay, and what the line itself makes of what they let through.

use shared::agent::{GaveUp, Verdict};
use shared::channel::LineKey;
use shared::handoff::Reason;
use shared::message::Kind;
use shared::session::state::Opening;
use shared::session::{By, Conclusion, CustomerMessage, decide};
use shared::{ContactId, CustomerAddress, Session, SessionId, State};
use shared_flow::ports::Target;
use uuid::Uuid;

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_794_819_600 + minutes * 60).unwrap()
}

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn customer() -> CustomerAddress {
    CustomerAddress::Whatsapp { user_id: Some("US.1".to_owned()), phone: None }
}

fn job(command: Command, received: Timestamp) -> Job {
    let target = Target::Session(SessionId(Uuid::from_u128(7)));
    let envelope = Envelope { org: org(), target, key: Some("k".to_owned()), command, at: received };
    Job::Command { lane: "lane".to_owned(), envelope: Box::new(envelope) }
}

fn wrote(written: Timestamp) -> Command {
    Command::CustomerWrote(CustomerMessage {
        source: "wamid.1".to_owned(),
        kind: Kind::Text,
        text: "hello".to_owned(),
        at: written,
        customer: customer(),
        name: None,
    })
}

fn sent(ruling: Ruling) -> Envelope {
    let Ruling::Send(job) = ruling else { panic!("not sent: {ruling:?}") };
    let Job::Command { envelope, .. } = *job else { panic!("no fact") };
    *envelope
}

/// What the line does with the replayed fact in a session that nobody has taken.
fn decided(envelope: &Envelope, now: Timestamp) -> State {
    let session = Session::open(Opening {
        org: org(),
        contact: ContactId(Uuid::from_u128(1)),
        line: LineKey::whatsapp("880200000000011"),
        customer: customer(),
        name: None,
        key: String::new(),
        at: now,
    });
    decide(&session, &[], &envelope.command, now, &Policy::default()).session.state
}

#[test]
fn a_customers_message_reaches_a_person_however_old_it_is() {
    let days = 24 * 60;
    for age in [11, 60, 2 * days, 8 * days + 1, 13 * days, 400 * days] {
        let envelope = sent(rule(job(wrote(at(-age)), at(-age)), at(-age), at(0)));
        assert_eq!(envelope.key.as_deref(), Some("k"), "the key stays, so that it counts once");
        let State::HandedOff(handoff) = decided(&envelope, at(0)) else { panic!("{age} min: answered") };
        assert_eq!(handoff.reason, Reason::LateMessage, "{age}");
    }
}

#[test]
fn a_message_of_a_moment_ago_is_answered_by_the_assistant() {
    let envelope = sent(rule(job(wrote(at(-5)), at(-5)), at(-5), at(0)));
    assert!(matches!(decided(&envelope, at(0)), State::Assistant));
}

#[test]
fn an_old_verdict_is_not_said_and_its_session_is_looked_at() {
    let verdict =
        || Command::AgentConcluded(Conclusion { turn: 1, verdict: Verdict::GaveUp(GaveUp::Unavailable) });
    let late = sent(rule(job(verdict(), at(-11)), at(-11), at(0)));
    assert_eq!((late.command, late.key), (Command::Woke, None));
    let fresh = sent(rule(job(verdict(), at(-9)), at(-9), at(0)));
    assert_eq!((fresh.command, fresh.key.as_deref()), (verdict(), Some("k")));
}

#[test]
fn an_old_wish_of_a_person_is_asked_for_again() {
    let by = || By { via: "test".to_owned() };
    for wish in [Command::HandBackRequested(by()), Command::ResolveRequested(by())] {
        assert!(matches!(rule(job(wish.clone(), at(-11)), at(-11), at(0)), Ruling::Stays(_)));
        assert!(matches!(rule(job(wish, at(-9)), at(-9), at(0)), Ruling::Send(_)));
    }
    // To a person is always the safe direction.
    let to_person = job(Command::HandoffRequested(by()), at(-600));
    assert!(matches!(rule(to_person, at(-600), at(0)), Ruling::Send(_)));
}

#[test]
fn a_turn_is_taken_up_while_it_is_fresh_and_then_without_waiting() {
    let session = SessionId(Uuid::from_u128(7));
    let turn = |wait| Job::Turn { org: org(), session, number: 3, wait };
    let waiting = turn(SignedDuration::from_secs(3));
    assert!(matches!(rule(waiting.clone(), at(-11), at(0)), Ruling::Unneeded(_)));
    assert_eq!(rule(waiting, at(-9), at(0)), send(turn(SignedDuration::ZERO)));
}

#[test]
fn what_carries_nothing_is_replayed_at_any_age() {
    let session = SessionId(Uuid::from_u128(7));
    for job in [
        Job::Deliver { org: org(), session },
        Job::SyncCrm { org: org(), session },
        Job::LookAtCase { org: org(), case: Uuid::from_u128(9) },
    ] {
        assert_eq!(rule(job.clone(), at(-100_000), at(0)), send(job.clone()));
        assert_eq!(named(&job).1, &org());
    }
}
