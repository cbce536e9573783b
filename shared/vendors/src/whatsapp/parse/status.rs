//! One item of `statuses`: what became of a message that we sent.

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Number;
use crate::whatsapp::loose::Fields;
use crate::whatsapp::map;

/// The channel's word on a message that we sent.
#[derive(Clone)]
pub struct InboundStatus {
    /// WhatsApp's id of the message.
    pub id: String,
    /// The business number that sent it; empty when the body does not say.
    pub phone_number_id: String,
    /// `sent`, `delivered`, `read`, `played`, `failed`, or a word that Meta invents later.
    pub status: String,
    /// When, by WhatsApp's clock.
    pub timestamp: Option<Timestamp>,
    /// What we had sent along to recognise the message.
    pub callback_data: Option<String>,
    /// Why it failed.
    pub error_code: Option<i64>,
    /// `free`, or the category that is charged.
    pub charge: Option<String>,
    /// Whether the number was configured with the secret that signed the body.
    pub process: bool,
}

// Ids of messages hold the number of the person.
impl fmt::Debug for InboundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundStatus")
            .field("status", &self.status)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}

impl InboundStatus {
    /// What a failure means for the message: `retryable`, `not_retryable`, `window_closed`, `reconnect` or
    /// `account_blocked`. `None` without an error.
    #[must_use]
    pub fn error_class(&self) -> Option<&'static str> {
        self.error_code.map(map::error_class)
    }
}

/// Reads an item; `None` when it does not say of which message it speaks, or what.
pub(super) fn read(raw: &RawValue, number: &Number) -> Option<InboundStatus> {
    let item = Fields::read(raw.get())?;
    Some(InboundStatus {
        id: item.id("id")?,
        phone_number_id: number.id.clone(),
        status: item.id("status")?,
        timestamp: item.integer("timestamp").and_then(|seconds| Timestamp::from_second(seconds).ok()),
        callback_data: item.id("biz_opaque_callback_data"),
        error_code: item.objects("errors").find_map(|error| error.integer("code")),
        charge: item.object("pricing").and_then(|pricing| charge(&pricing)),
        process: number.served,
    })
}

/// By `type` and `category`; `billable` is to go.
fn charge(pricing: &Fields<'_>) -> Option<String> {
    let kind = pricing.words("type");
    let is_free = kind.as_deref().is_some_and(|kind| kind.starts_with("free"));
    if is_free { Some("free".to_owned()) } else { pricing.words("category") }
}
