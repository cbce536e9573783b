//! What the core is told of a webhook's items: a customer's message in words, a status as a receipt.

use jiff::Timestamp;
use serde_json::Value;
use shared::channel::LineKey;
use shared::channel::render::{clean, is_blank, shorten};
use shared::delivery::Receipt;
use shared::session::CustomerMessage;
use shared::{CustomerAddress, OrgId};
use shared_flow::ports::StatusNote;

use super::map;
use super::parse::{Card, Content, InboundMessage, InboundStatus, MediaKind, OrderLine};

/// The most characters of one message that are kept: what WhatsApp's own field holds, and less than a stored item may.
const LONGEST: usize = 65_536;
/// The most characters of a sender's name that are kept. Nothing limits a profile's name but the size of the body.
const LONGEST_NAME: usize = 200;

/// A message as the core knows it, and the line it came in on; `None` for what no customer said to us.
/// The time is WhatsApp's, or `received` when it gave none; whether to believe it is the core's to say.
#[must_use]
pub fn customer_message(message: &InboundMessage, received: Timestamp) -> Option<(LineKey, CustomerMessage)> {
    if !message.process {
        return None;
    }
    let line = LineKey::whatsapp(&message.phone_number_id);
    let message = CustomerMessage {
        source: message.id.clone(),
        kind: message.content.in_core()?,
        text: shorten(&in_words(&message.content), LONGEST),
        at: message.timestamp.unwrap_or(received),
        customer: CustomerAddress::Whatsapp { user_id: message.user_id.clone(), phone: message.phone() },
        name: message.name.as_deref().and_then(name),
    };
    Some((line, message))
}

/// A sender's name as it may be stored and shown; `None` when nobody could see it.
fn name(told: &str) -> Option<String> {
    Some(shorten(&clean(told), LONGEST_NAME)).filter(|name| !is_blank(name))
}

/// The key of a message as a fact: the same message delivered again has the same.
#[must_use]
pub fn event_key(message: &InboundMessage) -> String {
    format!("wa:{}:{}", message.phone_number_id, message.id)
}

/// A status as the receipt it is; `None` for words that raise nothing and for numbers that are not ours.
#[must_use]
pub fn status_note(status: &InboundStatus, org: &OrgId, received: Timestamp) -> Option<StatusNote> {
    Some(StatusNote {
        org: org.clone(),
        vendor_id: status.id.clone(),
        callback: status.callback_data.clone(),
        receipt: receipt(status)?,
        trouble: status.error_code.map(map::trouble),
        at: received,
    })
}

/// What a status says of its message.
pub(super) fn receipt(status: &InboundStatus) -> Option<Receipt> {
    let receipt = match status.status.as_str() {
        "sent" => Receipt::Sent,
        "delivered" => Receipt::Delivered,
        // A voice note that was played was seen.
        "read" | "played" => Receipt::Read,
        "failed" if status.error_class() == Some("retryable") => Receipt::FailedForNow,
        "failed" => Receipt::Failed,
        _ => return None,
    };
    status.process.then_some(receipt)
}

/// The message in words, for a transcript, a case and a model that read nothing else.
fn in_words(content: &Content) -> String {
    match content {
        Content::Text(text) if text.trim().is_empty() => "[empty message]".to_owned(),
        Content::Text(text) => text.clone(),
        Content::Media { kind, caption, filename, .. } => {
            media(*kind, caption.as_deref(), filename.as_deref())
        }
        Content::Sticker { .. } => "[sticker]".to_owned(),
        Content::Location { latitude, longitude, name, address } => {
            let place = joined([name, address].into_iter().flatten().cloned(), ", ");
            labelled("location", &[&place, &format!("https://maps.google.com/?q={latitude},{longitude}")])
        }
        Content::Contacts { cards, .. } => labelled("contact", &[&joined(cards.iter().map(card), "; ")]),
        Content::Choice { title, .. } => title.clone().unwrap_or_else(|| "[choice]".to_owned()),
        Content::Form(answers) => labelled("form", &[&answers.as_ref().map(form).unwrap_or_default()]),
        Content::Reaction { emoji: Some(emoji), .. } => format!("[reaction {emoji}]"),
        Content::Reaction { emoji: None, .. } => "[reaction removed]".to_owned(),
        Content::Order { lines, note } => {
            let ordered = joined(lines.iter().map(order_line), "; ");
            labelled("order", &[&ordered, note.as_deref().unwrap_or_default()])
        }
        Content::Edit { text, .. } => {
            labelled("edited an earlier message", &[text.as_deref().unwrap_or_default()])
        }
        Content::Revoke { .. } => "[deleted an earlier message]".to_owned(),
        Content::Unsupported { what: Some(what) } => {
            format!("[something WhatsApp cannot pass on: {what}]")
        }
        Content::Unsupported { what: None } => "[something WhatsApp cannot pass on]".to_owned(),
        Content::Unknown | Content::System => "[a kind of message that is not known here]".to_owned(),
    }
}

fn labelled(label: &str, parts: &[&str]) -> String {
    let said = joined(parts.iter().map(|part| (*part).to_owned()), " ");
    if said.is_empty() { format!("[{label}]") } else { format!("[{label}] {said}") }
}

fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

fn media(kind: MediaKind, caption: Option<&str>, filename: Option<&str>) -> String {
    let label = match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio file",
        MediaKind::Voice => "voice message",
        MediaKind::Document => "document",
    };
    labelled(label, &[filename.unwrap_or_default(), caption.unwrap_or_default()])
}

fn card(card: &Card) -> String {
    joined([&card.name, &card.phone].into_iter().flatten().cloned(), ", ")
}

fn order_line(line: &OrderLine) -> String {
    let quantity = line.quantity.as_deref().unwrap_or("1");
    let price = joined([&line.price, &line.currency].into_iter().flatten().cloned(), " ");
    let at = if price.is_empty() { String::new() } else { format!(" at {price}") };
    format!("{quantity} × {}{at}", line.product)
}

/// The answers of a form. Its token is ours and says nothing to a reader.
fn form(answers: &Value) -> String {
    let Some(fields) = answers.as_object() else { return answers.to_string() };
    let answer = |(name, value): (&String, &Value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}: {value}")
    };
    joined(fields.iter().filter(|(name, _)| *name != "flow_token").map(answer), "; ")
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
