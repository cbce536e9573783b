//! What the line makes of a webhook, as JSON for an operator who asks "why was this ignored?".

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::convert::receipt;
use super::parse::{Content, Echo, IdentityChange, InboundMessage, InboundStatus, parse};
use super::verify::{AppSecret, verify};

/// Verifies and reads a body by the same code that serves webhooks. With `now`, messages tell their age.
#[must_use]
pub fn inspect(body: Bytes, header: Option<&str>, secrets: &[AppSecret], now: Option<Timestamp>) -> Value {
    let verified = match verify(body, header, secrets) {
        Ok(verified) => verified,
        Err(why) => return refused(&why.to_string()),
    };
    let parsed = parse(&verified);
    let event = |event: &super::parse::AccountEvent| json!({ "field": event.field, "key": event.key });
    json!({
        "signature_valid": true,
        "messages": parsed.messages.iter().map(|one| message(one, now)).collect::<Vec<_>>(),
        "statuses": parsed.statuses.iter().map(status).collect::<Vec<_>>(),
        "status_count": parsed.statuses.len(),
        "account_events": parsed.account_events.iter().map(event).collect::<Vec<_>>(),
        "identity_changes": parsed.identity_changes.iter().map(identity_change).collect::<Vec<_>>(),
        "echoes": parsed.echoes.iter().map(echo).collect::<Vec<_>>(),
        "value_errors": parsed.value_errors,
        "unreadable": parsed.unreadable.len(),
        "ignore_reason": parsed.ignore_reason,
    })
}

/// Nothing unsigned is read.
fn refused(why: &str) -> Value {
    json!({
        "signature_valid": false,
        "signature_problem": why,
        "messages": [],
        "statuses": [],
        "status_count": 0,
        "account_events": [],
        "identity_changes": [],
        "echoes": [],
        "value_errors": 0,
        "unreadable": 0,
        "ignore_reason": "bad_signature",
    })
}

fn message(message: &InboundMessage, now: Option<Timestamp>) -> Value {
    let age = |now: Timestamp| Some(now.duration_since(message.timestamp?).as_secs());
    let mut seen = object(json!({
        "id": message.id,
        "phone_number_id": said(&message.phone_number_id),
        "from": message.from,
        "user_id": message.user_id,
        "name": message.name,
        "username": message.username,
        "kind": message.kind(),
        "process": message.process,
        "starts_ai_turn": message.starts_ai_turn(),
        "why": message.why,
        "text": message.content.words(),
        "reply_to": message.reply_to,
        // Where an answer goes: never a user id in `to`.
        "reply_field": if message.phone().is_some() { "to" } else { "recipient" },
        "forwarded": message.forwarded,
        "referral_source_id": message.referral_source_id,
        "referred_product": message.referred_product,
        "group_id": message.group_id,
        "error_code": message.error_code,
        "age_seconds": now.and_then(age),
    }));
    seen.append(&mut object(facts(&message.content)));
    Value::Object(seen)
}

/// What only this kind has.
fn facts(content: &Content) -> Value {
    match content {
        Content::Media { id, mime, filename, .. } => {
            json!({ "media_id": id, "mime": mime, "filename": filename, "fetch_media": id.is_some() })
        }
        Content::Sticker { id, animated } => json!({ "media_id": id, "animated": animated }),
        Content::Location { latitude, longitude, name, address } => {
            json!({ "latitude": latitude, "longitude": longitude, "place_name": name, "address": address })
        }
        Content::Contacts { cards, requested } => json!({
            "contact_count": cards.len(),
            "updates_sender_phone": requested,
            "sender_phone": cards.first().filter(|_| *requested).and_then(|card| {
                card.wa_id.clone().or_else(|| Some(card.phone.as_deref()?.trim_start_matches('+').to_owned()))
            }),
        }),
        Content::Choice { id, .. } => json!({ "choice_id": id }),
        Content::Form(form) => json!({ "form": form }),
        Content::Reaction { target, emoji } => json!({ "target": target, "emoji": emoji }),
        Content::Order { lines, .. } => json!({ "item_count": lines.len() }),
        Content::Edit { target, .. } | Content::Revoke { target } => json!({ "target": target }),
        Content::Unsupported { what } => json!({ "unsupported_type": what }),
        Content::Text(_) | Content::System | Content::Unknown => json!({}),
    }
}

fn status(status: &InboundStatus) -> Value {
    json!({
        "id": status.id,
        "phone_number_id": said(&status.phone_number_id),
        "status": status.status,
        "error_code": status.error_code,
        "error_class": status.error_class(),
        "callback_data": status.callback_data,
        "charge": status.charge,
        // As far as the body alone decides: whether we know the message is the store's to say.
        "effect": if receipt(status).is_some() { "apply" } else { "ignore" },
    })
}

fn identity_change(change: &IdentityChange) -> Value {
    json!({
        "type": change.kind,
        "old_wa_id": change.old_wa_id,
        "new_wa_id": change.new_wa_id,
        "old_user_id": change.old_user_id,
        "new_user_id": change.new_user_id,
    })
}

fn echo(echo: &Echo) -> Value {
    json!({
        "id": echo.id,
        "phone_number_id": said(&echo.phone_number_id),
        "to": echo.to,
        "to_user_id": echo.to_user_id,
        "kind": echo.content.kind(),
        "text": echo.content.words(),
        "author": "business_human",
        "process": echo.process,
    })
}

fn said(id: &str) -> Option<&str> {
    Some(id).filter(|id| !id.is_empty())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
#[path = "inspect_tests.rs"]
pub(super) mod tests;
