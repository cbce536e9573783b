//! The customer wrote: it enters the transcript, and somebody owes an answer.

use jiff::Timestamp;

use super::hand_off::{HandingOff, hand_off, tell_at_last};
use super::window::release;
use crate::channel::render::{clean, shorten};
use crate::handoff::{Reason, notice};
use crate::message::{Audience, Author, Message};
use crate::policy::Policy;
use crate::session::command::CustomerMessage;
use crate::session::decision::{Decision, Entry};
use crate::session::state::Session;

/// How many of the customer's last words are kept for a summary, and how much of each.
const WORDS: usize = 3;
const WORDS_EACH: usize = 300;

/// The machine has the session: a turn falls due, or a person is called when the machine may not answer.
pub(in crate::session) fn to_assistant(
    session: &Session,
    open: &[Message],
    message: &CustomerMessage,
    now: Timestamp,
    policy: &Policy,
) -> Decision {
    let mut decision = append(session, message, now);
    // A rep who gave the session back may have said something before, while the window was closed.
    release(&mut decision, open, now);
    if !message.kind.asks_for_an_answer() {
        return decision;
    }
    // However long it lay in a queue: its time was judged when it was received.
    let late = now.duration_since(message.at) > policy.stale_after;
    let reason = match (policy.ai_enabled, late) {
        (false, _) => Some(Reason::AssistantOff),
        (true, true) => Some(Reason::LateMessage),
        (true, false) => None,
    };
    match reason {
        Some(reason) => hand_off(&mut decision, HandingOff::because(reason), now),
        None => decision.session.turn.ask(now, policy),
    }
    decision
}

/// A person has the session: they see it, and replies that waited for the window go out. A customer who could not be
/// told of the hand-off is told now.
pub(in crate::session) fn to_person(
    session: &Session,
    open: &[Message],
    message: &CustomerMessage,
    now: Timestamp,
) -> Decision {
    let mut decision = append(session, message, now);
    release(&mut decision, open, now);
    if message.kind.asks_for_an_answer() {
        tell_at_last(&mut decision, now);
    }
    decision
}

fn append(session: &Session, message: &CustomerMessage, now: Timestamp) -> Decision {
    let text = clean(&message.text);
    let at = message.at.min(now);
    let mut decision = Decision::begin(session);
    decision.say(
        Entry {
            kind: message.kind,
            at: Some(at),
            source: Some(&message.source),
            ..Entry::new(Author::Customer, Audience::Both, &text)
        },
        now,
    );
    let next = &mut decision.session;
    next.customer = next.customer.refreshed(&message.customer);
    next.customer_name = message.name.clone().or(next.customer_name.take());
    next.last_activity_at = next.last_activity_at.max(now);
    if message.kind.opens_the_window() {
        next.last_inbound_at = next.last_inbound_at.max(Some(at));
    }
    if message.kind.asks_for_an_answer() {
        next.waiting_since = next.waiting_since.or(Some(now));
        remember_words(next, &text);
    }
    decision
}

fn remember_words(session: &mut Session, text: &str) {
    session.recent_words.push(shorten(text, WORDS_EACH));
    let surplus = session.recent_words.len().saturating_sub(WORDS);
    session.recent_words.drain(..surplus);
    if session.language.is_none() {
        // A burst of short messages is clearer as a whole.
        session.language = notice::language_of(&session.recent_words.join(" ")).map(str::to_owned);
    }
}
