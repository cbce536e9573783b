//! What must hold of every decision and of every state between two facts.

use shared::channel::render::{clean, is_blank};
use shared::session::decision::MOST_CHANGES;
use shared::session::{Because, Dispatch, Fate, decide, dispatch};
use shared::{Author, Command, Decision, Delivery, DeliveryState, Message, State};

use crate::world::World;

/// The laws of one decision, made in `world` and not carried out yet.
pub fn of_a_decision(world: &World, command: &Command, decision: &Decision) {
    let again = decide(&world.session, &world.open(), command, world.now, &world.policy);
    assert_eq!(&again, decision, "deciding again gives the same");
    if decision.because.is_some() {
        assert_eq!(decision.session, world.session, "what is unchanged is unchanged");
        assert!(decision.messages.is_empty() && decision.changes.is_empty());
    } else {
        assert_eq!(decision.session.version, world.session.version + 1);
    }
    transcript_grows(world, decision);
    changes_fit(world, decision);
    nothing_the_customer_wrote_is_lost(world, command, decision);
    nothing_a_rep_wrote_is_lost(command, decision);
    what_waited_for_the_window_goes(world, command, decision);
    a_turn_ends_with_words_or_a_person(world, command, decision);
    bad_news_of_the_machine_calls_a_person(world, command, decision);
    the_machine_speaks_only_when_asked(world, command, decision);
    a_person_silences_the_machine(world, command, decision);
    a_verdict_counts_once(world, command, decision);
    the_customer_is_told(world, decision);
    the_end_is_the_end(world, decision);
}

fn transcript_grows(world: &World, decision: &Decision) {
    assert!(decision.messages.len() <= 12, "one fact has bounded consequences");
    for (seq, message) in (world.session.last_seq + 1..).zip(&decision.messages) {
        assert_eq!(message.seq, seq, "places are taken in order");
        assert_eq!(message.epoch, decision.session.epoch);
        assert_eq!(message.text, clean(&message.text), "hidden characters do not enter the transcript");
    }
    assert_eq!(decision.session.last_seq, world.session.last_seq + decision.messages.len() as u64);
}

fn changes_fit(world: &World, decision: &Decision) {
    assert!(decision.changes.len() <= MOST_CHANGES);
    let mut seqs: Vec<u64> = decision.changes.iter().map(|change| change.seq).collect();
    seqs.dedup();
    assert_eq!(seqs.len(), decision.changes.len(), "no message is moved twice");
    for change in &decision.changes {
        let before = world.messages.iter().find(|m| m.seq == change.seq).unwrap();
        assert_eq!(change.delivery.rev, before.delivery.as_ref().unwrap().rev + 1);
    }
}

fn nothing_the_customer_wrote_is_lost(world: &World, command: &Command, decision: &Decision) {
    let theirs: Vec<&Message> = by(decision, Author::Customer);
    let Command::CustomerWrote(wrote) = command else {
        assert!(theirs.is_empty(), "nobody speaks for the customer");
        return;
    };
    assert_eq!(decision.because.is_some(), world.session.is_resolved());
    if decision.because.is_none() {
        assert_eq!(theirs.len(), 1);
        assert_eq!((theirs[0].text.clone(), theirs[0].kind), (clean(&wrote.text), wrote.kind));
        assert_eq!(theirs[0].source.as_ref(), Some(&wrote.source));
        let owed =
            decision.session.turn.is_pending() || matches!(decision.session.state, State::HandedOff(_));
        assert!(owed || !wrote.kind.asks_for_an_answer(), "whoever asks is owed an answer");
    }
}

fn nothing_a_rep_wrote_is_lost(command: &Command, decision: &Decision) {
    let Command::RepReplied(reply) = command else { return };
    if is_blank(&reply.text) {
        assert!(decision.because.is_some(), "no words, no answer");
        return;
    }
    let parts = by(decision, Author::Rep);
    assert!(!parts.is_empty() && parts.iter().all(|part| part.is_open()));
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let said: String = parts.iter().map(|part| squeeze(&part.text)).collect();
    assert!(squeeze(&clean(&reply.text)).starts_with(&said));
    let cut = said.len() < squeeze(&clean(&reply.text)).len();
    let told = decision.messages.iter().any(|m| m.text.contains("characters were not sent"));
    assert_eq!(cut, told, "what does not fit is said to be left out");
}

fn what_waited_for_the_window_goes(world: &World, command: &Command, decision: &Decision) {
    let wrote = matches!(command, Command::CustomerWrote(_) | Command::WindowReopened { .. });
    if !wrote || decision.because == Some(Because::SessionIsOver) {
        return;
    }
    if decision.session.window_is_open(world.now) {
        let held = world.messages.iter().filter(|m| m.is_in(&[DeliveryState::Held])).count();
        assert_eq!(decision.changes.len(), held.min(MOST_CHANGES));
        assert!(decision.changes.iter().all(|change| change.delivery.state == DeliveryState::Queued));
    }
}

/// Nobody is left without an answer: a turn is over when words are on their way, or a person has been called.
fn a_turn_ends_with_words_or_a_person(world: &World, command: &Command, decision: &Decision) {
    let machines = [&world.session, &decision.session].map(|session| session.state == State::Assistant);
    if machines == [true, true] && world.session.turn.is_pending() && !decision.session.turn.is_pending() {
        assert!(matches!(command, Command::AgentConcluded(_)));
        let said = decision.messages.iter().filter(|m| m.author == Author::Assistant);
        assert!(said.clone().count() > 0 && said.clone().all(Message::is_open), "the turn ended in silence");
    }
}

fn bad_news_of_the_machine_calls_a_person(world: &World, command: &Command, decision: &Decision) {
    let Command::DeliveryEnded(end) = command else { return };
    if decision.because.is_none() && end.fate == Fate::Failed && world.session.state == State::Assistant {
        assert!(matches!(decision.session.state, State::HandedOff(_)), "the customer has no answer");
    }
}

fn the_machine_speaks_only_when_asked(world: &World, command: &Command, decision: &Decision) {
    if by(decision, Author::Assistant).is_empty() {
        return;
    }
    assert_eq!(world.session.state, State::Assistant, "a person has it, or nobody");
    assert!(world.policy.ai_enabled, "the assistant is switched off");
    let Command::AgentConcluded(concluded) = command else { panic!("no model said that: {command:?}") };
    assert!(concluded.turn > world.turns_over, "these words were thought before a person spoke");
}

fn a_person_silences_the_machine(world: &World, command: &Command, decision: &Decision) {
    let acted = match command {
        Command::HandoffRequested(_)
        | Command::HandBackRequested(_)
        | Command::ResolveRequested(_)
        | Command::CaseClosed(_) => decision.because.is_none(),
        Command::RepReplied(_) => decision.because.is_none() && !world.session.is_resolved(),
        _ => false,
    };
    if !acted {
        return;
    }
    for message in &world.messages {
        let machine = matches!(message.author, Author::Assistant | Author::System);
        // What may have arrived already is not sent again either, once the session is somebody else's.
        let moved_on = decision.session.epoch > world.session.epoch;
        let unsent = message.is_in(&[DeliveryState::Queued, DeliveryState::Held])
            || (moved_on && message.is_in(&[DeliveryState::Unknown]));
        let cancelled = |d: &Delivery| d.state == DeliveryState::Cancelled;
        let taken_back =
            decision.changes.iter().any(|change| change.seq == message.seq && cancelled(&change.delivery));
        if machine && unsent && !taken_back {
            let fate = dispatch(&decision.session, message, world.now, &world.policy);
            assert_ne!(fate, Dispatch::Send, "a person acted: {message:?}");
        }
    }
}

fn a_verdict_counts_once(world: &World, command: &Command, decision: &Decision) {
    if let Command::AgentConcluded(_) = command {
        let again = decide(&decision.session, &[], command, world.now, &world.policy);
        assert!(again.because.is_some(), "the same verdict counts once");
    }
}

/// At a hand-off the customer is told, or the session knows that they were not.
fn the_customer_is_told(world: &World, decision: &Decision) {
    let (State::Assistant, State::HandedOff(handoff)) = (&world.session.state, &decision.session.state)
    else {
        return;
    };
    let to_customer = |m: &&Message| m.author != Author::Rep && m.is_in(&[DeliveryState::Queued]);
    assert_eq!(handoff.told, decision.messages.iter().filter(to_customer).count() > 0);
    let notes = decision.messages.iter().filter(|m| m.text.starts_with("Handed off: "));
    assert_eq!(notes.count(), 1, "the rep reads why");
}

fn the_end_is_the_end(world: &World, decision: &Decision) {
    if world.session.is_resolved() {
        assert_eq!(decision.session.state, world.session.state);
    }
    assert!(
        decision.session.epoch == world.session.epoch || decision.session.epoch == world.session.epoch + 1
    );
}

fn by(decision: &Decision, author: Author) -> Vec<&Message> {
    decision.messages.iter().filter(|m| m.author == author).collect()
}

/// The laws of what is stored between two facts.
pub fn of_a_world(world: &World) {
    let session = &world.session;
    if session.version == 0 {
        return;
    }
    let assistant = session.state == State::Assistant;
    assert!(assistant || !session.turn.is_pending(), "only the machine owes turns");
    if assistant {
        assert_eq!(session.waiting_since.is_some(), session.turn.is_pending(), "who waits is owed a turn");
        assert!(session.wake_at.is_some(), "the clock must come back");
    }
    assert!(session.turn.over <= session.turn.number);
    let first_open = world.messages.iter().filter(|m| m.is_open()).map(|m| m.seq).min();
    assert!(first_open.is_none_or(|seq| session.open_from <= seq), "work must be found");
    assert!(session.open_from <= session.last_seq + 1);
    for message in &world.messages {
        let look_at = message.delivery.as_ref().and_then(|d| d.look_at);
        assert_eq!(message.is_open(), look_at.is_some(), "open means somebody looks again: {message:?}");
    }
}
