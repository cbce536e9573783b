//! How the Graph API answers: its error shape, and the codes that a send can meet.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error as the Graph API tells it.
#[derive(Debug)]
pub struct GraphError {
    status: StatusCode,
    code: u32,
    kind: &'static str,
    title: &'static str,
    details: String,
}

impl GraphError {
    fn new(status: StatusCode, code: u32, title: &'static str, details: &str) -> Self {
        Self { status, code, kind: "OAuthException", title, details: details.to_owned() }
    }

    /// 100: something is missing or misspelt.
    pub fn parameter(details: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 100, "Invalid parameter", details)
    }

    /// 131009: something has a value that cannot be.
    pub fn value(details: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 131_009, "Parameter value is not valid", details)
    }

    /// 190: the token does not count.
    pub fn token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            190,
            "Authentication Error",
            "Access token has expired or is not valid",
        )
    }

    /// 33: there is no such business number.
    pub fn number() -> Self {
        let kind = "GraphMethodException";
        let details = "The business phone number does not exist or was deleted";
        Self { kind, ..Self::new(StatusCode::BAD_REQUEST, 33, "Parameter value is not valid", details) }
    }

    /// 131026: nobody of that id is to be reached.
    pub fn undeliverable() -> Self {
        Self::new(StatusCode::BAD_REQUEST, 131_026, "Message undeliverable", "Message undeliverable")
    }

    /// 131047: the window is closed.
    pub fn window() -> Self {
        let details = "More than 24 hours have passed since the recipient last replied to the sender number.";
        Self::new(StatusCode::BAD_REQUEST, 131_047, "Re-engagement message", details)
    }

    /// 130429: too fast for the number.
    pub fn throughput() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            130_429,
            "Rate limit hit",
            "Message failed to send: too many messages",
        )
    }

    /// 131056: too fast for this customer.
    pub fn pair_rate() -> Self {
        let details = "Too many messages from this number to the same recipient";
        Self::new(
            StatusCode::BAD_REQUEST,
            131_056,
            "(Business Account, Consumer Account) pair rate limit hit",
            details,
        )
    }

    /// 131000 with status 500.
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 131_000, "Something went wrong", "Something went wrong")
    }
}

impl IntoResponse for GraphError {
    fn into_response(self) -> Response {
        let Self { status, code, kind, title, details } = self;
        let error = json!({
            "message": format!("(#{code}) {title}"),
            "type": kind,
            "code": code,
            "error_data": { "messaging_product": "whatsapp", "details": details },
            "fbtrace_id": format!("A{:016x}", rand::random::<u64>()),
        });
        (status, Json(json!({ "error": error }))).into_response()
    }
}

/// The answer to an accepted message.
pub fn accepted(contact: &Value, wamid: &str) -> Response {
    let body =
        json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [{ "id": wamid }] });
    Json(body).into_response()
}

/// No answer: the connection breaks. A body that fails at once makes the server close before it wrote anything.
pub fn hang_up() -> Response {
    let broken =
        futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("hung up on purpose")) });
    Body::from_stream(broken).into_response()
}
