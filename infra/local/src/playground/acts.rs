//! The page's data and its three acts: the customer writes, the rep replies, the rep closes the case.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::PlaygroundContext;
use super::desk::{CaseView, DeskError};
use super::views::SessionView;
use crate::sandbox::whatsapp::{ChatView, CustomerError};

/// The most characters that a rep writes at once.
const REPLY: usize = 4096;

/// Whose conversation is shown.
#[derive(Deserialize)]
pub struct Chosen {
    /// The customer's number, digits only; without it the newest chat is shown.
    phone: Option<String>,
}

/// All that the page shows.
#[derive(Serialize)]
pub struct Shown {
    customers: Vec<Customer>,
    chat: Option<ChatView>,
    sessions: Vec<SessionView>,
    case: Option<CaseView>,
}

#[derive(Serialize)]
struct Customer {
    phone: String,
    name: Option<String>,
}

pub(super) async fn state(
    State(context): State<Arc<PlaygroundContext>>,
    Query(chosen): Query<Chosen>,
) -> Json<Shown> {
    let chats = context.whatsapp.as_ref().map(|whatsapp| whatsapp.chats()).unwrap_or_default();
    let customers =
        chats.iter().map(|chat| Customer { phone: chat.phone.clone(), name: chat.name.clone() }).collect();
    let wanted = |chat: &ChatView| chosen.phone.as_ref().is_none_or(|phone| *phone == chat.phone);
    let chat = chats.into_iter().find(wanted);
    let mut sessions = context.transcript.sessions().await;
    // Where WhatsApp is the real one, there are no chats to choose from: everything is shown.
    if context.whatsapp.is_some() {
        sessions.retain(|session| chat.as_ref().is_some_and(|chat| is_of(session, chat)));
    }
    let case = case(&context, sessions.first()).await;
    Json(Shown { customers, chat, sessions, case })
}

fn is_of(session: &SessionView, chat: &ChatView) -> bool {
    session.user_id.as_ref() == Some(&chat.user_id) || session.phone.as_ref() == Some(&chat.phone)
}

async fn case(context: &PlaygroundContext, newest: Option<&SessionView>) -> Option<CaseView> {
    context.cases.as_ref()?.case(&newest?.case).await
}

/// What the customer writes.
#[derive(Deserialize)]
pub struct CustomerWords {
    phone: String,
    name: Option<String>,
    text: String,
}

pub(super) async fn customer(
    State(context): State<Arc<PlaygroundContext>>,
    Json(words): Json<CustomerWords>,
) -> Result<StatusCode, Refusal> {
    let whatsapp = context.whatsapp.as_ref().ok_or_else(|| Refusal::not_here("WhatsApp"))?;
    whatsapp.customer_writes(&words.phone, words.name.as_deref(), &words.text, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the rep writes.
#[derive(Deserialize)]
pub struct RepWords {
    case: String,
    text: String,
}

pub(super) async fn reply(
    State(context): State<Arc<PlaygroundContext>>,
    Json(words): Json<RepWords>,
) -> Result<StatusCode, Refusal> {
    let text = words.text.trim();
    if text.is_empty() || text.chars().count() > REPLY {
        return Err(Refusal(StatusCode::BAD_REQUEST, "A reply has 1 to 4096 characters.".to_owned()));
    }
    let cases = context.cases.as_ref().ok_or_else(|| Refusal::not_here("the CRM"))?;
    cases.reply(&words.case, text).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The case to close.
#[derive(Deserialize)]
pub struct Closing {
    case: String,
}

pub(super) async fn close(
    State(context): State<Arc<PlaygroundContext>>,
    Json(closing): Json<Closing>,
) -> Result<StatusCode, Refusal> {
    let cases = context.cases.as_ref().ok_or_else(|| Refusal::not_here("the CRM"))?;
    cases.close(&closing.case).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why an act was not done, as the page shows it.
pub struct Refusal(StatusCode, String);

impl Refusal {
    fn not_here(what: &str) -> Self {
        Self(StatusCode::CONFLICT, format!("{what} is the real one in this run: act there."))
    }
}

impl From<CustomerError> for Refusal {
    fn from(error: CustomerError) -> Self {
        let status = match error {
            CustomerError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
            CustomerError::Phone | CustomerError::Text | CustomerError::Time => StatusCode::BAD_REQUEST,
        };
        Self(status, error.to_string())
    }
}

impl From<DeskError> for Refusal {
    fn from(error: DeskError) -> Self {
        Self(StatusCode::BAD_GATEWAY, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}
