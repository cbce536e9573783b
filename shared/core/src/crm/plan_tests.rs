//! The plan of a copy, step by step, against a table of what a session and its copy look like.

use super::*;
use crate::channel::LineKey;
use crate::delivery::{Delivery, Trouble};
use crate::handoff::{Handoff, Reason};
use crate::session::state::{Opening, Resolution};
use crate::{Audience, ContactId, CustomerAddress, Kind, OrgId, Timestamp, ids};

const EVERY: CrmMode = CrmMode::EveryConversation;
const HANDOFF: CrmMode = CrmMode::OnlyOnHandoff;

fn now() -> Timestamp {
    Timestamp::from_second(1_794_819_600).unwrap()
}

fn session(state: State) -> Session {
    let customer = CustomerAddress::Whatsapp { user_id: None, phone: Some("12025550142".to_owned()) };
    let opening = Opening {
        org: OrgId::new("acme").unwrap(),
        contact: ContactId(ids::derive("contact", &[])),
        line: LineKey::whatsapp("880200000000011"),
        customer,
        name: None,
        key: "first".to_owned(),
        at: now(),
    };
    Session { state, last_seq: 9, version: 9, ..Session::open(opening) }
}

fn handoff() -> Handoff {
    Handoff {
        reason: Reason::AskedForHuman,
        detail: String::new(),
        summary: "Wants a person.".to_owned(),
        sentiment: None,
        at: now(),
        claimed: false,
        told: true,
    }
}

fn resolved(by: Resolver, handoff: Option<Handoff>) -> State {
    State::Resolved(Resolution { by, at: now(), handoff })
}

/// A copy that has everything up to `synced_seq`.
fn copy(synced_seq: u64) -> Cursor {
    Cursor { contact: Some("c".to_owned()), case_exists: true, synced_seq, ..Cursor::default() }
}

fn message(seq: u64, author: Author, audience: Audience, delivery: Option<Delivery>) -> Message {
    let text = format!("words {seq}");
    Message { seq, at: now(), author, audience, kind: Kind::Text, text, epoch: 0, source: None, delivery }
}

/// The next step in a word.
fn step(session: &Session, messages: &[Message], cursor: &Cursor, mode: CrmMode) -> String {
    match next_step(session, messages, "Hello", cursor, mode, "https://support.example/s/1") {
        Step::Contact(_) => "contact".to_owned(),
        Step::Case(draft) => format!("case: {}", draft.description),
        Step::Activity { seq, draft } => format!("activity {seq}: {:?}", draft.kind),
        Step::Skip { seq } => format!("skip {seq}"),
        Step::Describe { from, to } => format!("describe: {from} -> {to}"),
        Step::Resolve => "resolve".to_owned(),
        Step::Wait => "wait".to_owned(),
        Step::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn when_a_conversation_becomes_a_case() {
    let nothing = Cursor::default();
    let known = Cursor { contact: Some("c".to_owned()), ..Cursor::default() };
    let described = Cursor { description: Some("Wants a person.".to_owned()), ..copy(9) };
    let resolved_alone = resolved(Resolver::Silence, None);
    for (state, cursor, mode, expected) in [
        (State::Assistant, &nothing, EVERY, "contact"),
        (State::Assistant, &known, EVERY, "case: Hello"),
        (State::HandedOff(handoff()), &known, EVERY, "case: Wants a person."),
        (State::Assistant, &nothing, HANDOFF, "nothing"),
        (resolved_alone.clone(), &nothing, HANDOFF, "nothing"),
        (State::HandedOff(handoff()), &nothing, HANDOFF, "contact"),
        (State::HandedOff(handoff()), &known, HANDOFF, "case: Wants a person."),
        (resolved(Resolver::Case, Some(handoff())), &known, HANDOFF, "case: Wants a person."),
        // A case that exists is kept true, whoever has the session now.
        (State::Assistant, &described, HANDOFF, "nothing"),
        (resolved_alone, &described, HANDOFF, "resolve"),
    ] {
        assert_eq!(step(&session(state.clone()), &[], cursor, mode), expected, "{state:?} {mode:?}");
    }
}

#[test]
fn the_description_follows_the_handoff_and_names_what_it_replaces() {
    let handed = session(State::HandedOff(handoff()));
    let first_words = Cursor { description: Some("Hello".to_owned()), ..copy(9) };
    assert_eq!(step(&handed, &[], &first_words, EVERY), "describe: Hello -> Wants a person.");
    // Not known what stands there: the CRM writes only where nothing does.
    assert_eq!(step(&handed, &[], &copy(9), EVERY), "describe:  -> Wants a person.");
    let written = Cursor { description: Some("Wants a person.".to_owned()), ..copy(9) };
    assert_eq!(step(&handed, &[], &written, EVERY), "nothing");
    // Before the transcript, so that the rep who opens the new case reads it first.
    let message = message(1, Author::Customer, Audience::Both, None);
    let behind = Cursor { synced_seq: 0, ..first_words };
    assert_eq!(step(&handed, &[message], &behind, EVERY), "describe: Hello -> Wants a person.");
}

#[test]
fn what_is_mirrored_and_what_is_waited_for() {
    let queued = Delivery::queued(now());
    let sending = queued.begun(now());
    let why = || Trouble::new("why");
    for (author, audience, delivery, expected) in [
        (Author::Customer, Audience::Both, None, "activity 1: FromCustomer"),
        (Author::System, Audience::Rep, None, "activity 1: Note"),
        (Author::System, Audience::Internal, None, "skip 1"),
        // The rep wrote it there: it is never written a second time, whatever becomes of it.
        (Author::Rep, Audience::Customer, Some(queued.clone()), "skip 1"),
        (Author::Assistant, Audience::Both, Some(queued.clone()), "wait"),
        (Author::Assistant, Audience::Both, Some(sending.clone()), "wait"),
        (Author::Assistant, Audience::Both, Some(sending.unknown(now())), "wait"),
        (Author::Assistant, Audience::Both, Some(sending.accepted("w")), "activity 1: FromAssistant"),
        (Author::System, Audience::Both, Some(sending.accepted("w")), "activity 1: FromAssistant"),
        (Author::Assistant, Audience::Both, Some(sending.failed(now(), why())), "activity 1: FromAssistant"),
        (Author::Assistant, Audience::Both, Some(queued.held(now(), why())), "activity 1: FromAssistant"),
        (Author::Assistant, Audience::Both, Some(queued.cancelled(why())), "activity 1: FromAssistant"),
    ] {
        let one = [message(1, author, audience, delivery)];
        assert_eq!(step(&session(State::Assistant), &one, &copy(0), EVERY), expected, "{one:?}");
    }
}

#[test]
fn what_is_in_the_copy_is_not_written_again() {
    let messages = [1, 2, 3].map(|seq| message(seq, Author::Customer, Audience::Both, None));
    assert_eq!(step(&session(State::Assistant), &messages, &copy(1), EVERY), "activity 2: FromCustomer");
    assert_eq!(step(&session(State::Assistant), &messages, &copy(3), EVERY), "nothing");
}

#[test]
fn a_case_is_resolved_by_us_only_if_we_ended_the_session_and_only_at_the_end() {
    for (by, expected) in
        [(Resolver::Silence, "resolve"), (Resolver::Person, "resolve"), (Resolver::Case, "nothing")]
    {
        let over = session(resolved(by, None));
        assert_eq!(step(&over, &[], &copy(9), EVERY), expected, "{by:?}");
        let last = [message(9, Author::System, Audience::Rep, None)];
        assert_eq!(step(&over, &last, &copy(8), EVERY), "activity 9: Note", "{by:?}");
        let written = Cursor { resolution_written: true, ..copy(9) };
        assert_eq!(step(&over, &[], &written, EVERY), "nothing");
    }
    assert_eq!(step(&session(State::Assistant), &[], &copy(9), EVERY), "nothing");
}
