//! One item of `messages`: who sent it to which number, and whether it counts.

use std::fmt;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Number;
use super::content::Content;
use super::others::{as_digits, is_user_id};
use super::read_content::read_content;
use crate::whatsapp::loose::Fields;

/// The number was not configured with the secret that signed the body.
pub(super) const UNKNOWN_NUMBER: &str = "unknown_phone_number_id";
/// A person moved to another number or user id: told in a message, but said by nobody.
pub(super) const IDENTITY_CHANGE: &str = "identity_change";
/// Nobody could be answered.
pub(super) const NO_SENDER: &str = "no_sender";
/// Several people talk in one place: a reply to one would be read by all.
const GROUP: &str = "group_not_supported";
/// WhatsApp itself speaks.
const SYSTEM: &str = "system_message";

/// Something a person sent us, or that WhatsApp says about them.
#[derive(Clone)]
pub struct InboundMessage {
    /// WhatsApp's id of it (`wamid.…`), opaque. The same message delivered again has the same id.
    pub id: String,
    /// The business number it came to; empty when the body does not say.
    pub phone_number_id: String,
    /// The sender's WhatsApp id, normally their number's digits; absent for people who write under a username.
    pub from: Option<String>,
    /// The sender's business-scoped user id; absent in bodies from before April 2026.
    pub user_id: Option<String>,
    /// What the sender calls themselves.
    pub name: Option<String>,
    /// The sender's username. Display only: it changes.
    pub username: Option<String>,
    /// What it says.
    pub content: Content,
    /// When it was sent, by WhatsApp's clock.
    pub timestamp: Option<Timestamp>,
    /// The earlier message it answers or taps on.
    pub reply_to: Option<String>,
    /// Whether it was forwarded from another chat.
    pub forwarded: bool,
    /// The advertisement it came from.
    pub referral_source_id: Option<String>,
    /// The catalogue product it was sent from.
    pub referred_product: Option<String>,
    /// The group it came from.
    pub group_id: Option<String>,
    /// The first error Meta attached.
    pub error_code: Option<i64>,
    /// Whether it takes effect. What does not must leave no customer message.
    pub process: bool,
    /// Why it does not take effect.
    pub why: Option<&'static str>,
}

// Ids of messages hold the number of the person; names and words are theirs.
impl fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundMessage")
            .field("kind", &self.kind())
            .field("why", &self.why)
            .finish_non_exhaustive()
    }
}

impl InboundMessage {
    /// What sort of thing it is, as one word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.content.kind()
    }

    /// The sender's number, digits only; `None` when `from` is anything else than a number.
    #[must_use]
    pub fn phone(&self) -> Option<String> {
        as_digits(self.from.as_deref()?)
    }

    /// Whether its kind asks for an answer, however old it is.
    #[must_use]
    pub fn starts_ai_turn(&self) -> bool {
        self.process && self.content.in_core().is_some_and(shared::Kind::asks_for_an_answer)
    }
}

/// A sender's profile.
pub(super) struct Profile {
    wa_id: Option<String>,
    user_id: Option<String>,
    name: Option<String>,
    username: Option<String>,
}

/// The profiles beside a value's messages.
pub(super) fn contacts(value: &Fields<'_>) -> Vec<Profile> {
    let profile = |contact: Fields<'_>| {
        let shown = contact.object("profile");
        Profile {
            wa_id: contact.id("wa_id"),
            user_id: contact.id("user_id"),
            name: shown.as_ref().and_then(|shown| shown.words("name")),
            username: shown.and_then(|shown| shown.words("username")),
        }
    };
    value.objects("contacts").map(profile).collect()
}

/// The profile of a sender. They are matched by id, never by place, and a number alone does not match somebody with
/// another user id: numbers are recycled.
fn of<'p>(profiles: &'p [Profile], from: Option<&str>, user_id: Option<&str>) -> Option<&'p Profile> {
    let phone = from.and_then(as_digits);
    profiles.iter().find(|profile| match (profile.user_id.as_deref(), user_id) {
        (Some(known), Some(wanted)) => known == wanted,
        (_, _) => phone.is_some() && profile.wa_id.as_deref().and_then(as_digits) == phone,
    })
}

/// Reads an item; `None` when it has no id, without which it can be neither told from others nor answered once.
pub(super) fn read(raw: &RawValue, number: &Number, profiles: &[Profile]) -> Option<InboundMessage> {
    let item = Fields::read(raw.get())?;
    let id = item.id("id")?;
    let from = item.id("from");
    let told = item.id("from_user_id").or_else(|| from.clone().filter(|from| is_user_id(from)));
    let profile = of(profiles, from.as_deref(), told.as_deref());
    let context = item.object("context");
    let content = read_content(&item);
    let mut message = InboundMessage {
        id,
        phone_number_id: number.id.clone(),
        user_id: told.or_else(|| profile.and_then(|profile| profile.user_id.clone())),
        from,
        name: profile.and_then(|profile| profile.name.clone()),
        username: profile.and_then(|profile| profile.username.clone()),
        content,
        timestamp: item.integer("timestamp").and_then(|seconds| Timestamp::from_second(seconds).ok()),
        reply_to: context.as_ref().and_then(|context| context.id("id")),
        forwarded: context.as_ref().is_some_and(|c| c.flag("forwarded") || c.flag("frequently_forwarded")),
        referral_source_id: item.object("referral").and_then(|referral| referral.id("source_id")),
        referred_product: context.and_then(|c| c.object("referred_product")?.id("product_retailer_id")),
        group_id: item.id("group_id"),
        error_code: item.objects("errors").find_map(|error| error.integer("code")),
        process: true,
        why: None,
    };
    message.why = why_not(&message, number, &item);
    message.process = message.why.is_none();
    Some(message)
}

fn why_not(message: &InboundMessage, number: &Number, item: &Fields<'_>) -> Option<&'static str> {
    if !number.served {
        Some(UNKNOWN_NUMBER)
    } else if matches!(message.content, Content::System) {
        Some(if super::others::changes_identity(item) { IDENTITY_CHANGE } else { SYSTEM })
    } else if message.group_id.is_some() {
        Some(GROUP)
    } else if message.phone().is_none() && message.user_id.is_none() {
        Some(NO_SENDER)
    } else {
        None
    }
}
