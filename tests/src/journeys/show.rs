//! What a fact did, in words that a person can review.

use jiff::Timestamp;
use shared::session::{Change, Decision, Poke, Resolver, Session, State};
use shared::{Audience, Author, Delivery, Kind, Message};

use super::words::show_time;

/// The longest text that is shown whole.
const SHOWN: usize = 400;

/// All that a decision did.
#[must_use]
pub fn effects(before: &Session, open: &[Message], decision: &Decision, now: Timestamp) -> Vec<String> {
    if let Some(because) = decision.because {
        return vec![format!("nothing: {because:?}")];
    }
    let after = &decision.session;
    let mut lines = Vec::new();
    lines.extend(decision.messages.iter().filter(|m| m.author == Author::Customer).map(message));
    lines.extend(state(before, after));
    lines.extend(decision.changes.iter().filter_map(|change| moved(open, change)));
    lines.extend(decision.messages.iter().filter(|m| m.author != Author::Customer).map(message));
    lines.extend(turn(before, after, now));
    if after.language != before.language {
        lines.push(format!("language {}", after.language.as_deref().unwrap_or("unknown")));
    }
    if after.wake_at != before.wake_at {
        lines.push(after.wake_at.map_or("no wake".to_owned(), |at| format!("wake {}", show_time(at, now))));
    }
    lines
}

fn state(before: &Session, after: &Session) -> Option<String> {
    match (&before.state, &after.state) {
        (same, other) if same == other => None,
        (State::HandedOff(_), State::HandedOff(handoff)) if !handoff.claimed => None,
        (State::HandedOff(_), State::HandedOff(_)) => Some("a person has it".to_owned()),
        (_, State::HandedOff(handoff)) => {
            let whose = if handoff.claimed { ", a person has it" } else { "" };
            Some(format!("handed off: {}{whose}", handoff.reason.words()))
        }
        (_, State::Resolved(resolution)) => Some(match resolution.by {
            Resolver::Silence => "resolved: nobody wrote".to_owned(),
            Resolver::Person => "resolved by a person".to_owned(),
            Resolver::Case => "resolved: the case was closed".to_owned(),
        }),
        (_, State::Assistant) => Some("the assistant has it".to_owned()),
    }
}

fn turn(before: &Session, after: &Session, now: Timestamp) -> Option<String> {
    let (was, is) = (&before.turn, &after.turn);
    match is.due {
        _ if is.discarded && !was.discarded => {
            Some(format!("answer thrown away, turn {} is owed", is.number))
        }
        Some(due) if was.due != is.due || was.number != is.number => {
            Some(format!("turn {} due {}", is.number, show_time(due, now)))
        }
        Some(_) if was.over != is.over => Some(format!("turn {} is still owed", is.number)),
        None if was.due.is_some() => Some(format!("no turn owed after {}", is.number)),
        Some(_) | None => None,
    }
}

fn message(message: &Message) -> String {
    let kind = if message.kind == Kind::Text {
        String::new()
    } else {
        format!(" {:?}", message.kind).to_lowercase()
    };
    let who = match (message.author, message.audience) {
        (Author::Customer, _) => return format!("#{} customer{kind}", message.seq),
        (Author::Assistant, _) => "assistant",
        (Author::Rep, _) => "rep",
        (Author::System, Audience::Rep | Audience::Internal) => "note",
        (Author::System, Audience::Customer | Audience::Both) => "notice",
    };
    let words = quote(&message.text);
    match &message.delivery {
        Some(delivery) => format!("#{} {who} {}: {words}", message.seq, standing(delivery)),
        None => format!("#{} {who}: {words}", message.seq),
    }
}

fn moved(open: &[Message], change: &Change) -> Option<String> {
    let before = open.iter().find(|m| m.seq == change.seq)?.delivery.as_ref()?;
    Some(step(change.seq, before, &change.delivery))
}

/// How a message moved on its way to the customer.
#[must_use]
pub fn step(seq: u64, before: &Delivery, after: &Delivery) -> String {
    if before.state == after.state && after.reported && !before.reported {
        return format!("#{seq} {}, and the rep knows", name(after));
    }
    if before.state == after.state {
        return format!("#{seq} {}, to be looked at again", name(after));
    }
    let why = after.trouble.as_ref().filter(|_| before.trouble != after.trouble);
    let why = why.map(|trouble| format!(": {}", trouble.text)).unwrap_or_default();
    let again = if after.repeats > before.repeats { " again" } else { "" };
    format!("#{seq} {} → {}{again}{why}", name(before), name(after))
}

fn standing(delivery: &Delivery) -> String {
    let why = delivery.trouble.as_ref().map(|trouble| format!(" ({})", trouble.text));
    format!("{}{}", name(delivery), why.unwrap_or_default())
}

fn name(delivery: &Delivery) -> String {
    format!("{:?}", delivery.state).to_lowercase()
}

/// The nudges, in one line.
#[must_use]
pub fn pokes(pokes: &[Poke]) -> Option<String> {
    let named = pokes.iter().map(|poke| match poke {
        Poke::Deliveries => "deliveries".to_owned(),
        Poke::CrmSync => "crm".to_owned(),
        Poke::Turn { number, wait } => format!("turn {number} in {}s", wait.as_secs()),
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("poke {}", named.join(", ")))
}

/// Words on one line, and not too many of them.
#[must_use]
pub fn quote(text: &str) -> String {
    let line = text.replace('\n', " | ");
    let length = line.chars().count();
    if length <= SHOWN {
        return format!("“{line}”");
    }
    let head: String = line.chars().take(40).collect();
    let tail: String = line.chars().skip(length - 40).collect();
    format!("“{head}…{tail}” ({length} characters)")
}
