//! Handing off: the state changes, the rep gets a note that explains, the customer gets exactly one message.

use jiff::Timestamp;

use crate::channel::render;
use crate::delivery::{Delivery, Trouble};
use crate::handoff::{Handoff, Reason, notice, summary};
use crate::message::{Audience, Author};
use crate::session::decision::{Decision, Entry};
use crate::session::state::{Session, State};

/// Why and with which words a session is handed off.
pub(super) struct HandingOff {
    pub(super) reason: Reason,
    pub(super) detail: String,
    /// The model's summary, when it made one.
    pub(super) summary: Option<String>,
    pub(super) sentiment: Option<String>,
    /// What the customer is told; the line's notice when the model has no words.
    pub(super) reply: Option<String>,
    /// Whether telling the customer makes sense at all.
    pub(super) silent: bool,
    /// Whether a person has acted, rather than the machine given up.
    pub(super) claimed: bool,
}

impl HandingOff {
    pub(super) fn because(reason: Reason) -> Self {
        Self {
            reason,
            detail: String::new(),
            summary: None,
            sentiment: None,
            reply: None,
            silent: false,
            claimed: false,
        }
    }
}

/// Hands the session off: note for the rep first, so that it stands before whatever follows, then the customer's word.
pub(super) fn hand_off(decision: &mut Decision, how: HandingOff, now: Timestamp) {
    let next = &mut decision.session;
    let words: Vec<&str> = next.recent_words.iter().map(String::as_str).collect();
    let summary =
        how.summary.filter(|text| !render::is_blank(text)).unwrap_or_else(|| summary::from_words(&words));
    let handoff = Handoff {
        reason: how.reason,
        detail: render::clean(&how.detail),
        summary: render::clean(&summary),
        sentiment: how.sentiment.as_deref().map(render::clean),
        at: now,
        claimed: how.claimed,
        told: !how.silent && next.window_is_open(now),
    };
    let note = note(next, &handoff);
    next.state = State::HandedOff(handoff);
    next.turn.call_off();
    next.last_activity_at = next.last_activity_at.max(now);
    decision.note(&note, now);
    match how.reply.filter(|text| !render::is_blank(text)) {
        _ if how.silent => {}
        Some(words) => say_to_customer(decision, Author::Assistant, &words, now),
        None => say_notice(decision, now),
    }
}

/// Makes up for a notice that could not be sent at the hand-off, once, and only while no person has acted.
pub(super) fn tell_at_last(decision: &mut Decision, now: Timestamp) {
    let open = decision.session.window_is_open(now);
    let State::HandedOff(handoff) = &mut decision.session.state else { return };
    if open && !handoff.claimed && !handoff.told {
        handoff.told = true;
        say_notice(decision, now);
    }
}

/// Tells the customer in their language that a person will answer.
fn say_notice(decision: &mut Decision, now: Timestamp) {
    let words = notice::for_language(decision.session.language.as_deref());
    say_to_customer(decision, Author::System, words, now);
}

/// What the rep reads in the case: reason, mood, language.
fn note(session: &Session, handoff: &Handoff) -> String {
    let mut lines = vec![format!("Handed off: {}.", handoff.reason.words())];
    if !render::is_blank(&handoff.detail) {
        lines.push(format!("Reason: {}", handoff.detail));
    }
    lines.push(format!("Summary: {}", handoff.summary));
    if let Some(sentiment) = &handoff.sentiment {
        lines.push(format!("Sentiment: {sentiment}"));
    }
    if let Some(language) = &session.language {
        lines.push(format!("Language: {language}"));
    }
    lines.join("\n")
}

/// Adds words for the customer, in as many messages as the channel needs, held when the window is closed.
pub(super) fn say_to_customer(decision: &mut Decision, author: Author, text: &str, now: Timestamp) {
    speak(decision, Speech { author, audience: Audience::Both, text, source: None }, now);
}

/// Words for the customer and where they come from.
pub(super) struct Speech<'a> {
    pub(super) author: Author,
    pub(super) audience: Audience,
    pub(super) text: &'a str,
    pub(super) source: Option<&'a str>,
}

/// The most messages that one text becomes. One fact may not flood a customer, and must fit one transaction.
const MOST_PARTS: usize = 9;

/// Adds words for the customer. A person's word waits for a closed window; a machine's is dropped with a reason.
pub(super) fn speak(decision: &mut Decision, speech: Speech<'_>, now: Timestamp) {
    let open = decision.session.window_is_open(now);
    let parts = render::split(decision.session.channel(), &render::clean(speech.text));
    for part in parts.iter().take(MOST_PARTS) {
        let delivery = match (open, speech.author) {
            (true, _) => Delivery::queued(now),
            (false, Author::Rep) => Delivery::held_from_the_start(now, window_closed()),
            (false, Author::Assistant | Author::System | Author::Customer) => {
                Delivery::queued(now).cancelled(window_closed())
            }
        };
        let entry = Entry {
            source: speech.source,
            delivery: Some(delivery),
            ..Entry::new(speech.author, speech.audience, part)
        };
        decision.say(entry, now);
    }
    let left_out: usize = parts.iter().skip(MOST_PARTS).map(|part| part.chars().count()).sum();
    if left_out > 0 {
        let what =
            format!("The text was too long: its last {left_out} characters were not sent. Send them apart.");
        decision.note(&what, now);
    }
}

/// Why nothing may be sent now.
pub(in crate::session) fn window_closed() -> Trouble {
    Trouble::new(
        "The 24-hour reply window is closed: the customer's last message is older. \
         What you write waits until they write again; to reach them sooner, send an approved template.",
    )
}
