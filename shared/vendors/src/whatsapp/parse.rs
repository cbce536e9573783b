//! What a signed webhook carries: messages, statuses and the other things that share the address, item by item.
//!
//! Meta batches up to 1,000 updates of several numbers into one body. An odd item never costs its neighbours: what
//! can be named is named `unknown`, what cannot is handed back whole, to be parked.

mod content;
mod message;
mod others;
mod read_content;
mod status;

use std::fmt;

use bytes::Bytes;
use serde_json::value::RawValue;

pub use self::content::{Card, Choice, Content, MediaKind, OrderLine};
pub use self::message::InboundMessage;
pub use self::others::{AccountEvent, Echo, IdentityChange};
pub use self::status::InboundStatus;
pub use super::convert::{customer_message, event_key, status_note};
use super::loose::Fields;
use super::verify::Verified;

/// Everything a body carries, in its order.
#[derive(Default)]
pub struct Parsed {
    /// What people sent us, including what must leave no trace (see [`InboundMessage::process`]).
    pub messages: Vec<InboundMessage>,
    /// What became of what we sent.
    pub statuses: Vec<InboundStatus>,
    /// Changes of templates, numbers, accounts and people's preferences, for operators.
    pub account_events: Vec<AccountEvent>,
    /// People whose number or user id changed.
    pub identity_changes: Vec<IdentityChange>,
    /// What staff typed in the WhatsApp Business app: never customer input.
    pub echoes: Vec<Echo>,
    /// Problems that Meta reports without a message.
    pub value_errors: usize,
    /// Genuine items that cannot be read, byte for byte: to be parked. The whole body, when it is not JSON.
    pub unreadable: Vec<Bytes>,
    /// Whether something in it is about a number that was not configured with the secret that signed it.
    pub unknown_number: bool,
    /// Why the whole body leaves no effect on conversations, when it does not.
    pub ignore_reason: Option<&'static str>,
}

// What is inside is personal.
impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parsed")
            .field("messages", &self.messages.len())
            .field("statuses", &self.statuses.len())
            .field("account_events", &self.account_events)
            .field("unreadable", &self.unreadable.len())
            .field("ignore_reason", &self.ignore_reason)
            .finish_non_exhaustive()
    }
}

/// Reads a signed body. Never fails: what cannot be read is in [`Parsed::unreadable`].
#[must_use]
pub fn parse(verified: &Verified) -> Parsed {
    // Bytes that are no UTF-8 become replacement characters where they stand instead of spoiling the whole body.
    let text = String::from_utf8_lossy(verified.body());
    let mut walk = Walk { verified, parsed: Parsed::default(), seen: Seen::default() };
    match Fields::read(&text) {
        Some(body) => walk.body(&body),
        None => walk.parsed.unreadable.push(verified.body().clone()),
    }
    let (ignore_reason, unknown_number) = (walk.ignore_reason(), walk.seen.unknown_number);
    Parsed { ignore_reason, unknown_number, ..walk.parsed }
}

/// What the walk met that leaves no effect.
#[derive(Default)]
struct Seen {
    other_product: bool,
    unknown_number: bool,
    other_field: bool,
}

struct Walk<'v> {
    verified: &'v Verified,
    parsed: Parsed,
    seen: Seen,
}

impl Walk<'_> {
    fn body(&mut self, body: &Fields<'_>) {
        // Another product of Meta was pointed at this address.
        if body.text("object").is_some_and(|object| object != "whatsapp_business_account") {
            self.seen.other_product = true;
            return;
        }
        for entry in self.items(body, "entry") {
            match Fields::read(entry.get()) {
                Some(entry) => self.items(&entry, "changes").into_iter().for_each(|raw| self.change(raw)),
                None => self.park(entry),
            }
        }
    }

    fn change(&mut self, raw: &RawValue) {
        let Some(change) = Fields::read(raw.get()) else { return self.park(raw) };
        let field = change.text("field").unwrap_or_else(|| "messages".to_owned());
        if !is_handled(&field) {
            self.seen.other_field = true;
            return;
        }
        match change.object("value") {
            Some(value) => self.value(&field, &value),
            None => self.park(raw),
        }
    }

    fn value(&mut self, field: &str, value: &Fields<'_>) {
        match field {
            "messages" => self.messages(value),
            "smb_message_echoes" => self.echoes(value),
            "user_preferences" => self.preferences(value),
            _ => self.parsed.account_events.push(AccountEvent::read(field, value)),
        }
    }

    fn messages(&mut self, value: &Fields<'_>) {
        let number = self.number(value);
        let contacts = message::contacts(value);
        for raw in self.items(value, "messages") {
            match message::read(raw, &number, &contacts) {
                Some(message) => self.message(raw, message),
                None => self.park(raw),
            }
        }
        for raw in self.items(value, "statuses") {
            match status::read(raw, &number) {
                Some(status) => self.parsed.statuses.push(status),
                None => self.park(raw),
            }
        }
        self.parsed.value_errors += self.items(value, "errors").len();
    }

    fn message(&mut self, raw: &RawValue, message: InboundMessage) {
        if message.why == Some(message::IDENTITY_CHANGE) {
            self.parsed.identity_changes.extend(others::identity_change(raw));
        }
        if message.why == Some(message::NO_SENDER) {
            self.park(raw);
        }
        self.parsed.messages.push(message);
    }

    fn echoes(&mut self, value: &Fields<'_>) {
        let number = self.number(value);
        for raw in self.items(value, "message_echoes") {
            match others::echo(raw, &number) {
                Some(echo) => self.parsed.echoes.push(echo),
                None => self.park(raw),
            }
        }
    }

    fn preferences(&mut self, value: &Fields<'_>) {
        if self.number(value).served {
            for preference in value.objects("user_preferences") {
                self.parsed.account_events.push(AccountEvent::preference(&preference));
            }
        }
    }

    fn number(&mut self, value: &Fields<'_>) -> Number {
        let named = value.object("metadata").and_then(|metadata| metadata.id("phone_number_id"));
        let id = named.unwrap_or_default();
        let served = self.verified.serves(&id);
        self.seen.unknown_number |= !served;
        Number { id, served }
    }

    /// A list's items. Something else in a list's place is parked whole.
    fn items<'a>(&mut self, fields: &Fields<'a>, name: &str) -> Vec<&'a RawValue> {
        let items = fields.list(name);
        if let (None, Some(raw)) = (&items, fields.raw(name)) {
            self.park(raw);
        }
        items.unwrap_or_default()
    }

    fn park(&mut self, raw: &RawValue) {
        self.parsed.unreadable.push(Bytes::copy_from_slice(raw.get().as_bytes()));
    }

    fn ignore_reason(&self) -> Option<&'static str> {
        let Parsed { messages, statuses, account_events, echoes, unreadable, .. } = &self.parsed;
        let has_effect = messages.iter().any(|message| message.why != Some(message::UNKNOWN_NUMBER))
            || statuses.iter().any(|status| status.process)
            || echoes.iter().any(|echo| echo.process)
            || !account_events.is_empty();
        let reasons = [
            (has_effect, None),
            (!unreadable.is_empty(), Some("unreadable")),
            (self.seen.other_product, Some("not_whatsapp")),
            (self.seen.unknown_number, Some(message::UNKNOWN_NUMBER)),
            (self.parsed.value_errors > 0, Some("value_level_error_no_message")),
            (self.seen.other_field, Some("field_not_handled")),
        ];
        reasons.into_iter().find(|(applies, _)| *applies).map_or(Some("nothing_inside"), |(_, reason)| reason)
    }
}

fn is_handled(field: &str) -> bool {
    matches!(field, "messages" | "smb_message_echoes" | "user_preferences") || others::is_account_field(field)
}

/// The business number a value is about.
struct Number {
    id: String,
    /// Whether it was configured with the secret that signed the body.
    served: bool,
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
