//! The customer's side: writing to the business, and what a look at the phones would show.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::Envelope;
use super::book::{ChatMessage, Side, wamid};
use super::check::phone;
use super::{Desk, WhatsAppSandbox};

/// The most characters that a customer writes at once.
const TEXT: usize = 4096;
/// The most characters of a name.
const NAME: usize = 100;

/// Why a customer could not write.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// Not a phone number.
    #[error("a phone number has 7 to 15 digits, with its country code, such as +1 202 555 0142")]
    Phone,
    /// Nothing to send, or too much.
    #[error("a message has 1 to 4096 characters")]
    Text,
    /// A time that cannot be.
    #[error("a timestamp is a number of seconds since 1970")]
    Time,
    /// The file could not be written: nothing was promised.
    #[error("the sandbox could not write its file: {0}")]
    Store(#[from] std::io::Error),
}

/// What a customer writes.
#[derive(Deserialize)]
pub struct Words {
    /// The words.
    text: String,
    /// What they call themselves from now on.
    name: Option<String>,
    /// When they wrote it, in Unix seconds, if not just now: for messages that come late.
    timestamp: Option<i64>,
}

pub(super) async fn write(
    State(sandbox): State<Arc<WhatsAppSandbox>>,
    Path(phone): Path<String>,
    Json(words): Json<Words>,
) -> Response {
    let at = words.timestamp.map(Timestamp::from_second).transpose().map_err(|_| CustomerError::Time);
    let written = match at {
        Ok(at) => sandbox.customer_writes(&phone, words.name.as_deref(), &words.text, at).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(error @ CustomerError::Store(_)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))).into_response(),
    }
}

pub(super) async fn chats(State(sandbox): State<Arc<WhatsAppSandbox>>) -> Json<Value> {
    let waiting = sandbox.desk().book.webhooks.len();
    Json(json!({ "chats": sandbox.chats(), "webhooks_waiting": waiting }))
}

impl WhatsAppSandbox {
    /// Sends a customer's message to the business and returns its id. Once it returns, the webhook is certain to
    /// come. `at` is for messages that come late; the reply window counts from it.
    pub async fn customer_writes(
        &self,
        number: &str,
        name: Option<&str>,
        text: &str,
        at: Option<Timestamp>,
    ) -> Result<String, CustomerError> {
        let number = phone(number).ok_or(CustomerError::Phone)?;
        if text.trim().is_empty() || text.chars().count() > TEXT {
            return Err(CustomerError::Text);
        }
        let now = Timestamp::now();
        let at = at.unwrap_or(now);
        let id = wamid();
        let from = Side::Customer;
        let message = ChatMessage { id: id.clone(), from, text: text.to_owned(), at, fate: None, tag: None };
        let name = name.map(|name| name.trim().chars().take(NAME).collect::<String>());
        self.change(|desk| self.take_in(desk, &number, name, message, now)).await?;
        Ok(id)
    }

    fn take_in(
        &self,
        desk: &mut Desk,
        number: &str,
        name: Option<String>,
        message: ChatMessage,
        now: Timestamp,
    ) {
        let before = desk.book.webhooks.len();
        let chat = desk.book.chat(number);
        chat.name = name.filter(|name| !name.is_empty()).or(chat.name.take());
        chat.last_inbound_at = chat.last_inbound_at.max(Some(message.at));
        let body = Envelope(&self.line).message(chat, &message);
        chat.add(message);
        desk.book.queue(number, body, now, now);
        self.double(desk, before);
    }

    /// Doubles as many of the webhooks that came after the first `before` as duplicates were ordered. The double
    /// has a lane of its own, since duplicates may come at the same time.
    pub(super) fn double(&self, desk: &mut Desk, before: usize) {
        let new: Vec<_> = desk.book.webhooks.iter().skip(before).cloned().collect();
        for webhook in new {
            if self.duplicates.next().is_some() {
                let lane = format!("{} again", webhook.lane);
                desk.book.queue(&lane, webhook.body, webhook.made_at, webhook.due);
            }
        }
    }
}
