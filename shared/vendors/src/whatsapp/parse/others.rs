//! What shares the address without being a message or a status: account events, changed identities, echoes of staff.

use std::fmt;

use serde_json::value::RawValue;

use super::Number;
use super::content::Content;
use super::read_content::read_content;
use crate::whatsapp::loose::Fields;

/// Something happened to a template, a number, an account or a person's preferences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEvent {
    /// The webhook field that told it.
    pub field: String,
    /// What happened, in Meta's word.
    pub key: Option<String>,
}

/// The fields that tell an operator something. The others (calls, flows, history …) are acknowledged and left.
pub(super) fn is_account_field(field: &str) -> bool {
    matches!(
        field,
        "account_update"
            | "account_alerts"
            | "account_review_update"
            | "business_capability_update"
            | "message_template_status_update"
            | "message_template_quality_update"
            | "message_template_components_update"
            | "template_category_update"
            | "phone_number_quality_update"
            | "phone_number_name_update"
            | "security"
    )
}

impl AccountEvent {
    /// Each field keeps its word in another place.
    pub(super) fn read(field: &str, value: &Fields<'_>) -> Self {
        let places = ["event", "decision", "new_quality_score", "new_category", "alert_type"];
        let alert = || value.object("alert_info").and_then(|info| info.id("alert_type"));
        let key = places.iter().find_map(|place| value.id(place)).or_else(alert);
        Self { field: field.to_owned(), key }
    }

    pub(super) fn preference(preference: &Fields<'_>) -> Self {
        Self { field: "user_preferences".to_owned(), key: preference.id("value") }
    }
}

/// A person is known under other ids from now on. The same person: nothing new begins.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct IdentityChange {
    /// Which change, in Meta's word.
    pub kind: String,
    /// The number's digits until now.
    pub old_wa_id: Option<String>,
    /// The number's digits from now on.
    pub new_wa_id: Option<String>,
    /// The user id until now.
    pub old_user_id: Option<String>,
    /// The user id from now on.
    pub new_user_id: Option<String>,
}

// Ids of people.
impl fmt::Debug for IdentityChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityChange").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Whether a system message tells of other ids. A changed security code, for one, does not.
pub(super) fn changes_identity(item: &Fields<'_>) -> bool {
    let kind = item.object("system").and_then(|system| system.text("type"));
    let known = ["user_changed_number", "user_changed_user_id", "customer_changed_number"];
    kind.is_some_and(|kind| known.contains(&kind.as_str()))
}

/// Reads an identity change. What the fields leave out is read from the sentence, which names both ids.
pub(super) fn identity_change(raw: &RawValue) -> Option<IdentityChange> {
    let item = Fields::read(raw.get())?;
    let system = item.object("system")?;
    let (before, after) = system.text("body").and_then(|body| ids_in(&body)).unwrap_or_default();
    let user = |id: &str| is_user_id(id).then(|| id.to_owned());
    let number = |id: Option<String>| as_digits(&id?);
    Some(IdentityChange {
        kind: system.text("type").unwrap_or_default(),
        old_wa_id: number(item.id("from"))
            .or_else(|| number(system.id("customer")))
            .or_else(|| as_digits(&before)),
        new_wa_id: number(system.id("wa_id"))
            .or_else(|| number(system.id("new_wa_id")))
            .or_else(|| as_digits(&after)),
        old_user_id: system.id("previous_user_id").or_else(|| user(&before)),
        new_user_id: system.id("user_id").or_else(|| user(&after)),
    })
}

/// `… changed from A to B` names A and B.
fn ids_in(body: &str) -> Option<(String, String)> {
    let (rest, after) = body.trim_end_matches('.').rsplit_once(" to ")?;
    let (_, before) = rest.rsplit_once(" from ")?;
    Some((before.trim().to_owned(), after.trim().to_owned()))
}

/// Whether it has the form of a business-scoped user id: two letters of a country, a dot, and letters, digits or dots.
pub(super) fn is_user_id(text: &str) -> bool {
    text.split_once('.').is_some_and(|(country, rest)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    })
}

/// The digits of a phone number: 5 to 15 of them, with or without `+` before, and nothing else. Digits gathered from
/// among other characters would be another person's number.
pub(super) fn as_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = (5..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.to_owned())
}

/// What staff typed in the WhatsApp Business app.
#[derive(Clone)]
pub struct Echo {
    /// WhatsApp's id of it.
    pub id: String,
    /// The business number it was typed on; empty when the body does not say.
    pub phone_number_id: String,
    /// The customer's number, when there is one.
    pub to: Option<String>,
    /// The customer's user id.
    pub to_user_id: Option<String>,
    /// What it says.
    pub content: Content,
    /// Whether the number was configured with the secret that signed the body.
    pub process: bool,
}

// Words and ids of people.
impl fmt::Debug for Echo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Echo").field("kind", &self.content.kind()).finish_non_exhaustive()
    }
}

/// Reads an echo; `None` without an id.
pub(super) fn echo(raw: &RawValue, number: &Number) -> Option<Echo> {
    let item = Fields::read(raw.get())?;
    Some(Echo {
        id: item.id("id")?,
        phone_number_id: number.id.clone(),
        to: item.id("to"),
        to_user_id: item.id("to_user_id"),
        content: read_content(&item),
        process: number.served,
    })
}
