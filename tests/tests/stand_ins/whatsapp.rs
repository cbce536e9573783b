//! Meta's side of the webhooks: bodies as the Cloud API posts them, and their signature.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::graph::Sent;

/// Somebody who writes to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Digits without `+`; absent for people who write under a username.
    pub phone: Option<String>,
    /// The business-scoped user id.
    pub user_id: Option<String>,
    /// What they call themselves.
    pub name: String,
}

impl Customer {
    /// The customer with this number in the row of invented ones, known by phone and by user id.
    pub fn number(n: u32) -> Self {
        Self {
            phone: Some(format!("1202555{n:04}")),
            user_id: Some(format!("US.7140000000000{n:07}")),
            name: format!("Canary Name {n}"),
        }
    }

    /// A customer whose number WhatsApp does not tell.
    pub fn without_phone(n: u32) -> Self {
        Self { phone: None, ..Self::number(n) }
    }

    /// Where the Graph API sends an answer to this customer.
    pub fn address(&self) -> String {
        match &self.phone {
            Some(digits) => format!("+{digits}"),
            None => self.user_id.clone().unwrap(),
        }
    }
}

/// Seconds since 1970, now.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// A message id that no other message of this process has.
pub fn new_wamid() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("wamid.IN{:08x}{n:08x}", std::process::id())
}

/// One text message as it stands in `messages`.
pub fn text(customer: &Customer, wamid: &str, at: i64, body: &str) -> Value {
    let mut message =
        json!({"id": wamid, "timestamp": at.to_string(), "type": "text", "text": {"body": body}});
    if let Some(phone) = &customer.phone {
        message["from"] = json!(phone);
    }
    if let Some(user_id) = &customer.user_id {
        message["from_user_id"] = json!(user_id);
    }
    message
}

/// The `contacts` entry that comes with a customer's messages.
pub fn contact(customer: &Customer) -> Value {
    let mut contact = json!({"profile": {"name": customer.name}});
    if let Some(phone) = &customer.phone {
        contact["wa_id"] = json!(phone);
    }
    if let Some(user_id) = &customer.user_id {
        contact["user_id"] = json!(user_id);
    }
    contact
}

/// One status as it stands in `statuses`.
pub fn status(sent: &Sent, word: &str) -> Value {
    let mut status = json!({
        "id": sent.wamid, "status": word, "timestamp": now().to_string(),
        "recipient_id": sent.to.trim_start_matches('+'),
        "biz_opaque_callback_data": sent.callback,
        "pricing": {"billable": false, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    });
    if word == "failed" {
        status["errors"] = json!([{"code": 131_026, "title": "Message undeliverable", "message": "Message undeliverable",
            "error_data": {"details": "Message undeliverable."}}]);
    }
    status
}

/// A whole webhook body around one `value` of the field `messages`.
pub fn webhook(number: &str, contents: &Value) -> Value {
    let mut value = json!({"messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "12025550111", "phone_number_id": number}});
    for (key, content) in contents.as_object().unwrap() {
        value[key] = content.clone();
    }
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": "330000000000001", "changes": [{"field": "messages", "value": value}]}]})
}

/// The header `X-Hub-Signature-256` for these bytes.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digest}")
}
