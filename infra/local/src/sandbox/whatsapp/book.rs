//! What the sandbox keeps: chats with their messages, and the webhooks that nobody has answered yet.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most messages kept of one chat; the oldest go first.
const CHAT_MESSAGES: usize = 500;
/// How long free text is allowed after the customer's last message.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Everything that survives a restart.
#[derive(Default, Serialize, Deserialize)]
pub struct Book {
    /// By phone number, digits only.
    pub chats: BTreeMap<String, Chat>,
    /// Oldest first.
    pub webhooks: Vec<Webhook>,
    /// The number that the next webhook gets.
    pub next: u64,
}

/// One customer.
#[derive(Serialize, Deserialize)]
pub struct Chat {
    /// Digits only.
    pub phone: String,
    /// The business-scoped user id.
    pub user_id: String,
    /// What the customer calls themselves.
    pub name: Option<String>,
    /// When the customer last wrote, by the messages' own time.
    pub last_inbound_at: Option<Timestamp>,
    /// Oldest first.
    pub messages: Vec<ChatMessage>,
}

/// One message of a chat.
#[derive(Clone, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The `wamid`.
    pub id: String,
    /// Who wrote it.
    pub from: Side,
    /// The words, or a placeholder for what has none.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// What becomes of a business's message.
    pub fate: Option<Fate>,
    /// The business's own mark on it.
    pub tag: Option<String>,
}

/// Who wrote a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The person.
    Customer,
    /// The company.
    Business,
}

/// What becomes of a business's message, known when it is accepted.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It arrives and is read.
    Arrives {
        /// When it leaves.
        sent: Timestamp,
        /// When the phone has it.
        delivered: Timestamp,
        /// When it is read.
        read: Timestamp,
    },
    /// It fails.
    Fails {
        /// When.
        at: Timestamp,
        /// With which code.
        code: u32,
    },
}

/// A webhook that waits for its 200.
#[derive(Clone, Serialize, Deserialize)]
pub struct Webhook {
    /// Its number.
    pub id: u64,
    /// Webhooks of one lane go one after the other.
    pub lane: String,
    /// The exact bytes.
    pub body: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Not before this.
    pub due: Timestamp,
    /// How often it was tried.
    pub tries: u32,
}

impl Book {
    /// The chat of a phone number, begun if there is none.
    pub fn chat(&mut self, phone: &str) -> &mut Chat {
        self.chats.entry(phone.to_owned()).or_insert_with(|| Chat {
            phone: phone.to_owned(),
            user_id: user_id(phone),
            name: None,
            last_inbound_at: None,
            messages: Vec::new(),
        })
    }

    /// The phone number behind a business-scoped user id.
    #[must_use]
    pub fn phone_of(&self, user_id: &str) -> Option<String> {
        self.chats.values().find(|chat| chat.user_id == user_id).map(|chat| chat.phone.clone())
    }

    /// Adds a webhook, not to be sent before `due`.
    pub fn queue(&mut self, lane: &str, body: String, made_at: Timestamp, due: Timestamp) {
        self.next += 1;
        self.webhooks.push(Webhook { id: self.next, lane: lane.to_owned(), body, made_at, due, tries: 0 });
    }

    /// The chats as they look at `now`, the one with the newest message first.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> Vec<ChatView> {
        let mut views: Vec<ChatView> = self.chats.values().map(|chat| chat.view(now)).collect();
        views.sort_by_key(|chat| std::cmp::Reverse(chat.messages.last().map(|message| message.at)));
        views
    }
}

impl Chat {
    /// Adds a message.
    pub fn add(&mut self, message: ChatMessage) {
        self.messages.push(message);
        let surplus = self.messages.len().saturating_sub(CHAT_MESSAGES);
        self.messages.drain(..surplus);
    }

    /// Whether free text may be sent to this customer.
    #[must_use]
    pub fn window_is_open(&self, now: Timestamp) -> bool {
        self.last_inbound_at.is_some_and(|at| now.duration_since(at) < WINDOW)
    }

    fn view(&self, now: Timestamp) -> ChatView {
        ChatView {
            phone: self.phone.clone(),
            user_id: self.user_id.clone(),
            name: self.name.clone(),
            messages: self.messages.iter().map(|message| message.view(now)).collect(),
        }
    }
}

impl ChatMessage {
    fn view(&self, now: Timestamp) -> MessageView {
        let (ticks, error) = self.ticks(now);
        MessageView {
            id: self.id.clone(),
            from: self.from,
            text: self.text.clone(),
            at: self.at,
            ticks,
            error,
            tag: self.tag.clone(),
        }
    }

    fn ticks(&self, now: Timestamp) -> (Option<&'static str>, Option<u32>) {
        match &self.fate {
            None => (None, None),
            Some(Fate::Fails { at, code }) if *at <= now => (Some("failed"), Some(*code)),
            Some(Fate::Arrives { read, .. }) if *read <= now => (Some("read"), None),
            Some(Fate::Arrives { delivered, .. }) if *delivered <= now => (Some("delivered"), None),
            Some(Fate::Arrives { sent, .. }) if *sent <= now => (Some("sent"), None),
            Some(_) => (Some("accepted"), None),
        }
    }
}

/// A chat as tests and the playground see it.
#[derive(Clone, Serialize)]
pub struct ChatView {
    /// Digits only.
    pub phone: String,
    /// The business-scoped user id.
    pub user_id: String,
    /// What the customer calls themselves.
    pub name: Option<String>,
    /// Oldest first.
    pub messages: Vec<MessageView>,
}

/// A message as tests and the playground see it.
#[derive(Clone, Serialize)]
pub struct MessageView {
    /// The `wamid`.
    pub id: String,
    /// Who wrote it.
    pub from: Side,
    /// The words.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// How far a business's message got: `accepted`, `sent`, `delivered`, `read` or `failed`.
    pub ticks: Option<&'static str>,
    /// Why it failed.
    pub error: Option<u32>,
    /// The business's own mark on it, `biz_opaque_callback_data`.
    pub tag: Option<String>,
}

/// A business-scoped user id for a phone number: always the same, and not the number.
#[must_use]
pub fn user_id(phone: &str) -> String {
    let hash = Sha256::digest(format!("business-scoped user {phone}"));
    let number = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("US.{number:020}")
}

/// A message id like Meta's: opaque, with characters that are easily lost in an address or a key.
#[must_use]
pub fn wamid() -> String {
    format!("wamid.SB+{:032X}/{:08X}==", rand::random::<u128>(), rand::random::<u32>())
}
