//! Webhook bodies as Meta writes them, down to the escapes: the signature covers these very bytes.

use jiff::Timestamp;
use serde::Serialize;

use super::Line;
use super::book::{Chat, ChatMessage};

/// The business account that owns the number.
const ACCOUNT: &str = "102290129340398";

/// What every webhook of a number has around it.
pub struct Envelope<'a>(pub(super) &'a Line);

/// A status to tell.
pub struct Told {
    /// `sent`, `delivered`, `read` or `failed`.
    pub name: &'static str,
    /// When.
    pub at: Timestamp,
    /// Why it failed.
    pub error: Option<u32>,
    /// Whether the message was sent to the phone number rather than to the user id.
    pub by_phone: bool,
}

impl Envelope<'_> {
    /// The webhook about a customer's message.
    pub fn message(&self, chat: &Chat, message: &ChatMessage) -> String {
        let inbound = Inbound {
            from: &chat.phone,
            from_user_id: &chat.user_id,
            id: &message.id,
            timestamp: message.at.as_second().to_string(),
            r#type: "text",
            text: Text { body: &message.text },
        };
        self.around(Some([contact(chat)]), Some([inbound]), None)
    }

    /// The webhook about what became of a business's message. A failed one tells no contact, and only the address
    /// that was used.
    pub fn status(&self, chat: &Chat, message: &ChatMessage, told: &Told) -> String {
        let failed = told.error.is_some();
        let status = Status {
            id: &message.id,
            status: told.name,
            timestamp: told.at.as_second().to_string(),
            recipient_id: told.by_phone.then_some(chat.phone.as_str()),
            recipient_user_id: (!told.by_phone || !failed).then_some(chat.user_id.as_str()),
            biz_opaque_callback_data: message.tag.as_deref(),
            pricing: (told.name == "sent").then_some(FREE),
            errors: told.error.map(|code| [Failure { code, title: FAILED, message: FAILED }]),
        };
        self.around((!failed).then(|| [contact(chat)]), None, Some([status]))
    }

    fn around(
        &self,
        contacts: Option<[Contact<'_>; 1]>,
        messages: Option<[Inbound<'_>; 1]>,
        statuses: Option<[Status<'_>; 1]>,
    ) -> String {
        let metadata = Metadata {
            display_phone_number: &self.0.display_number,
            phone_number_id: &self.0.phone_number_id,
        };
        let value = Value { messaging_product: "whatsapp", metadata, contacts, messages, statuses };
        let entry = Entry { id: ACCOUNT, changes: [Change { value, field: "messages" }] };
        let hook = Hook { object: "whatsapp_business_account", entry: [entry] };
        // Plain structs of texts and numbers cannot fail to serialise.
        escape(&serde_json::to_string(&hook).unwrap_or_default())
    }
}

fn contact(chat: &Chat) -> Contact<'_> {
    Contact { profile: Profile { name: chat.name.as_deref() }, wa_id: &chat.phone, user_id: &chat.user_id }
}

/// Meta's own way to write JSON: `\u` escapes for all but ASCII, and an escaped slash. Both can only stand inside
/// strings, so the text is rewritten character by character.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        match c {
            '/' => escaped.push_str("\\/"),
            c if c.is_ascii() => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

const FAILED: &str = "Message failed to send";
const FREE: Pricing =
    Pricing { billable: false, pricing_model: "PMP", r#type: "free_customer_service", category: "service" };

#[derive(Serialize)]
struct Hook<'a> {
    object: &'static str,
    entry: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    id: &'static str,
    changes: [Change<'a>; 1],
}

#[derive(Serialize)]
struct Change<'a> {
    value: Value<'a>,
    field: &'static str,
}

#[derive(Serialize)]
struct Value<'a> {
    messaging_product: &'static str,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<[Contact<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<[Inbound<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<[Status<'a>; 1]>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    display_phone_number: &'a str,
    phone_number_id: &'a str,
}

#[derive(Serialize)]
struct Contact<'a> {
    profile: Profile<'a>,
    wa_id: &'a str,
    user_id: &'a str,
}

#[derive(Serialize)]
struct Profile<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

#[derive(Serialize)]
struct Inbound<'a> {
    from: &'a str,
    from_user_id: &'a str,
    id: &'a str,
    timestamp: String,
    r#type: &'static str,
    text: Text<'a>,
}

#[derive(Serialize)]
struct Text<'a> {
    body: &'a str,
}

#[derive(Serialize)]
struct Status<'a> {
    id: &'a str,
    status: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<Pricing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<[Failure; 1]>,
}

#[derive(Serialize)]
struct Pricing {
    billable: bool,
    pricing_model: &'static str,
    r#type: &'static str,
    category: &'static str,
}

#[derive(Serialize)]
struct Failure {
    code: u32,
    title: &'static str,
    message: &'static str,
}
