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
    let summary = how.summary.filter(|s| !s.trim().is_empty()).unwrap_or_else(|| summary::from_words(&words));
    let handoff = Handoff {
        reason: how.reason,
        detail: render::clean(&how.detail),
        summary: render::clean(&summary),
        sentiment: how.sentiment,
        at: now,
        claimed: how.claimed,
    };
    let note = note(next, &handoff);
    next.state = State::HandedOff(handoff);
    next.turn.due = None;
    next.turn.discarded = false;
    next.last_activity_at = next.last_activity_at.max(now);
    decision.note(&note, now);
    if !how.silent {
        let told = how.reply.filter(|text| !text.trim().is_empty());
        let author = if told.is_some() { Author::Assistant } else { Author::System };
        let told =
            told.unwrap_or_else(|| notice::for_language(decision.session.language.as_deref()).to_owned());
        say_to_customer(decision, author, &told, now);
    }
}

/// What the rep reads in the case: reason, mood, language.
fn note(session: &Session, handoff: &Handoff) -> String {
    let mut lines = vec![format!("Handed off: {}.", handoff.reason.words())];
    if !handoff.detail.trim().is_empty() {
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

/// Adds words for the customer. A person's word waits for a closed window; a machine's is dropped with a reason.
pub(super) fn speak(decision: &mut Decision, speech: Speech<'_>, now: Timestamp) {
    let open = decision.session.window_is_open(now);
    let text = render::clean(speech.text);
    for part in render::split(decision.session.channel(), &text) {
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
            ..Entry::new(speech.author, speech.audience, &part)
        };
        decision.say(entry, now);
    }
}

/// Why nothing may be sent now.
pub(in crate::session) fn window_closed() -> Trouble {
    Trouble::new(
        "The 24-hour reply window is closed: the customer's last message is older. \
         A reply goes out when they write again; to reach them sooner, send an approved template.",
    )
}
