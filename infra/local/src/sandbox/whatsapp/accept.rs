//! Taking a message into the book: the customer's phone gets it, and its statuses are queued as webhooks.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::body::{Envelope, Told};
use super::book::{Book, Chat, ChatMessage, Fate, Side, wamid};
use super::check::{Outbound, Recipient};
use super::graph::GraphError;

use super::{Fault, Pace};

/// What was accepted.
pub struct Accepted {
    /// The new message's id.
    pub wamid: String,
    /// The recipient as the answer repeats it.
    pub contact: Value,
}

/// Accepts a message and decides what becomes of it.
pub fn accept(
    book: &mut Book,
    outbound: Outbound,
    envelope: &Envelope<'_>,
    pace: Pace,
    fault: Option<&Fault>,
) -> Result<Accepted, GraphError> {
    let Outbound { to, input, text, template, tag } = outbound;
    let (phone, by_phone) = match to {
        Recipient::Phone(phone) => (phone, true),
        Recipient::User(user) => (book.phone_of(&user).ok_or_else(GraphError::undeliverable)?, false),
        Recipient::Nowhere => return Ok(Accepted { wamid: wamid(), contact: json!({ "input": input }) }),
    };
    let now = Timestamp::now();
    if !template && !book.chats.get(&phone).is_some_and(|chat| chat.window_is_open(now)) {
        return Err(GraphError::window());
    }
    let chat = book.chat(&phone);
    let fate = fate(now, pace, fault);
    let message = ChatMessage { id: wamid(), from: Side::Business, text, at: now, fate: Some(fate), tag };
    let statuses = match fault {
        Some(Fault::LostStatuses) => Vec::new(),
        _ => statuses(envelope, chat, &message, by_phone),
    };
    let contact = match by_phone {
        true => json!({ "input": input, "wa_id": chat.phone }),
        false => json!({ "input": input, "user_id": chat.user_id }),
    };
    let wamid = message.id.clone();
    chat.add(message);
    for (due, body) in statuses {
        book.queue(&phone, body, now, due);
    }
    Ok(Accepted { wamid, contact })
}

fn fate(now: Timestamp, pace: Pace, fault: Option<&Fault>) -> Fate {
    let after = |wait: std::time::Duration| {
        now.saturating_add(SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO)).unwrap_or(now)
    };
    match fault {
        Some(Fault::FailedStatus { code }) => Fate::Fails { at: after(pace.sent), code: *code },
        _ => {
            Fate::Arrives { sent: after(pace.sent), delivered: after(pace.delivered), read: after(pace.read) }
        }
    }
}

/// The webhooks about a message, with the time of each.
fn statuses(
    envelope: &Envelope<'_>,
    chat: &Chat,
    message: &ChatMessage,
    by_phone: bool,
) -> Vec<(Timestamp, String)> {
    let tell = |at: Timestamp, name: &'static str, error: Option<u32>| {
        (at, envelope.status(chat, message, &Told { name, at, error, by_phone }))
    };
    match &message.fate {
        None => Vec::new(),
        Some(Fate::Fails { at, code }) => vec![tell(*at, "failed", Some(*code))],
        Some(Fate::Arrives { sent, delivered, read }) => {
            vec![tell(*sent, "sent", None), tell(*delivered, "delivered", None), tell(*read, "read", None)]
        }
    }
}
