//! A model's server with a script instead of a model: OpenAI's Chat Completions on the outside.
//!
//! `POST /v1/chat/completions` answers as a compatible server does. `POST /__sandbox/faults` makes it fail on
//! purpose, `GET /__sandbox/requests` says how often it was asked and what last.

pub mod script;
mod tongues;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use self::script::Turn;
use super::faults::{Faults, Order};
use super::local_only::local_only;

/// The characters of an over-long text, when the order does not say.
const LONG_TEXT: usize = 25_000;

/// What can be made to go wrong with the next request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// 429, come back in a second.
    RateLimited,
    /// 503.
    Overloaded,
    /// The answer comes so many milliseconds late.
    Silence {
        /// How late.
        ms: u64,
    },
    /// 200 with something that is no JSON.
    Rubbish,
    /// A call of a tool that nobody offered.
    UnknownTool,
    /// The words without a call.
    PlainText,
    /// A reply without end.
    LongText {
        /// Its characters.
        #[serde(default = "long_text")]
        chars: usize,
    },
    /// The answer breaks off, `finish_reason` says `length`.
    CutOff,
    /// The provider declines to answer.
    Refusal,
    /// 401.
    Unauthorized,
}

fn long_text() -> usize {
    LONG_TEXT
}

/// The server's state. Nothing of it outlives the process: a model remembers nothing either.
pub struct ModelSandbox {
    api_key: SecretString,
    faults: Faults<Fault>,
    count: AtomicU64,
    last: Mutex<Option<Value>>,
}

impl ModelSandbox {
    /// A server that accepts this key.
    #[must_use]
    pub fn new(api_key: SecretString) -> Arc<Self> {
        Arc::new(Self { api_key, faults: Faults::none(), count: AtomicU64::new(0), last: Mutex::new(None) })
    }

    fn accepts(&self, headers: &HeaderMap) -> bool {
        let bearer =
            headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        bearer == Some(self.api_key.expose_secret())
    }

    fn note(&self, request: Option<Value>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = request;
    }
}

/// The server's addresses.
pub fn router(sandbox: Arc<ModelSandbox>) -> Router {
    let steering = Router::new()
        .route("/__sandbox/faults", post(add_fault).delete(clear_faults))
        .route("/__sandbox/requests", get(requests))
        .layer(from_fn(local_only));
    Router::new().route("/v1/chat/completions", post(complete)).merge(steering).with_state(sandbox)
}

async fn add_fault(State(sandbox): State<Arc<ModelSandbox>>, Json(order): Json<Order<Fault>>) -> StatusCode {
    sandbox.faults.add(&order);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(sandbox): State<Arc<ModelSandbox>>) -> StatusCode {
    sandbox.faults.clear();
    StatusCode::NO_CONTENT
}

async fn requests(State(sandbox): State<Arc<ModelSandbox>>) -> Json<Value> {
    let last = sandbox.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(json!({ "count": sandbox.count.load(Ordering::Relaxed), "last": last }))
}

async fn complete(State(sandbox): State<Arc<ModelSandbox>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Option<Value> = serde_json::from_slice(&body).ok();
    sandbox.note(request.clone());
    let fault = sandbox.faults.next();
    if fault == Some(Fault::Unauthorized) || !sandbox.accepts(&headers) {
        return error(
            StatusCode::UNAUTHORIZED,
            "invalid_request_error",
            "invalid_api_key",
            "The API key is not valid.",
        );
    }
    let Some(messages) = request.as_ref().and_then(asked) else {
        let what = "The request needs a model and a list of messages.";
        return error(StatusCode::BAD_REQUEST, "invalid_request_error", "missing_required_parameter", what);
    };
    let turn = script::say(messages);
    match fault {
        Some(fault) => go_wrong(fault, turn).await,
        None => finished(&turn),
    }
}

/// The messages of a request that is complete.
fn asked(request: &Value) -> Option<&[Value]> {
    request.get("model")?.as_str()?;
    let messages = request.get("messages")?.as_array()?;
    (!messages.is_empty()).then_some(messages)
}

async fn go_wrong(fault: Fault, mut turn: Turn) -> Response {
    match fault {
        Fault::RateLimited => {
            let limit = error(StatusCode::TOO_MANY_REQUESTS, "requests", "rate_limit_exceeded", "Slow down.");
            ([("retry-after", "1")], limit).into_response()
        }
        Fault::Overloaded => {
            error(StatusCode::SERVICE_UNAVAILABLE, "server_error", "overloaded", "The server is overloaded.")
        }
        Fault::Silence { ms } => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            finished(&turn)
        }
        Fault::Rubbish => "{\"choices\":[{\"message\":".into_response(),
        Fault::UnknownTool => called("refund_order", r#"{"order":"4417"}"#, "tool_calls"),
        Fault::PlainText => said(json!({ "role": "assistant", "content": turn.reply.text }), "stop"),
        Fault::LongText { chars } => {
            turn.reply.text = "all work and no play ".chars().cycle().take(chars).collect();
            finished(&turn)
        }
        Fault::CutOff => called("finish_turn", r#"{"reply":{"text":"Your order is"#, "length"),
        Fault::Refusal => said(
            json!({ "role": "assistant", "content": null, "refusal": "I cannot help with that." }),
            "stop",
        ),
        Fault::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn finished(turn: &Turn) -> Response {
    let arguments = serde_json::to_string(turn).unwrap_or_default();
    called("finish_turn", &arguments, "tool_calls")
}

fn called(tool: &str, arguments: &str, finish_reason: &str) -> Response {
    let function = json!({ "name": tool, "arguments": arguments });
    let call = json!({ "id": "call_1", "type": "function", "function": function });
    said(
        json!({ "role": "assistant", "content": null, "refusal": null, "tool_calls": [call] }),
        finish_reason,
    )
}

fn said(message: Value, finish_reason: &str) -> Response {
    let choice = json!({ "index": 0, "finish_reason": finish_reason, "message": message });
    Json(json!({
        "id": format!("chatcmpl-{:016x}", rand::random::<u64>()),
        "object": "chat.completion",
        "created": jiff::Timestamp::now().as_second(),
        "model": "scripted",
        "choices": [choice],
        "usage": { "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 },
    }))
    .into_response()
}

fn error(status: StatusCode, kind: &str, code: &str, message: &str) -> Response {
    let error = json!({ "message": message, "type": kind, "param": null, "code": code });
    (status, Json(json!({ "error": error }))).into_response()
}

#[cfg(test)]
mod tests;
