//! A stand-in for an OpenAI-compatible model: it records every request and says what it was told to say.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the model says to one request.
#[derive(Clone, Debug)]
pub enum Says {
    /// `finish_turn` with these words.
    Reply(String),
    /// `finish_turn` with these words and a hand-off that has this summary.
    Escalates(String, String),
    /// These words without a call.
    Plain(String),
    /// A call whose arguments are no JSON.
    Rubbish,
    /// A call of a tool that nobody offered.
    UnknownTool,
    /// A page in HTML, status 200.
    Page,
    /// An error with this status and code.
    Error(u16, &'static str),
    /// Nothing, ever.
    Silence,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The body.
    pub body: Value,
}

impl Asked {
    /// What the customer said, as far as the request shows it: the `user` messages in order.
    pub fn user_lines(&self) -> Vec<String> {
        let messages = self.body["messages"].as_array().unwrap();
        messages
            .iter()
            .filter(|m| m["role"] == "user")
            .map(|m| m["content"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[derive(Default)]
struct Mind {
    asked: Vec<Asked>,
    next: VecDeque<Says>,
    always: Option<Says>,
}

/// The stand-in.
#[derive(Clone)]
pub struct Model {
    /// Its address, with `/v1`.
    pub url: String,
    key: String,
    mind: Arc<Mutex<Mind>>,
}

impl Model {
    /// Starts one that accepts this key. Without orders it repeats the customer's last line, and hands off at the
    /// word "human".
    pub async fn start(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let model = Self { url, key: key.to_owned(), mind: Arc::default() };
        let routes = Router::new()
            .route("/v1/chat/completions", post(complete))
            .route("/v1/models", get(models))
            .with_state(model.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        model
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap()
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        given == Some(&format!("Bearer {}", self.key))
    }

    /// Says this to the next request that has no earlier order.
    pub fn next(&self, says: Says) {
        self.mind().next.push_back(says);
    }

    /// Says this to every request from now on, after what was ordered for the next ones.
    pub fn always(&self, says: Says) {
        self.mind().always = Some(says);
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.mind().asked.clone()
    }

    /// The answer that the stand-in gives to these words of a customer by itself.
    pub fn echo(words: &str) -> String {
        format!("Regarding your words: {words}")
    }
}

/// The summary of every hand-off that the stand-in makes by itself.
pub const SUMMARY: &str = "Wants a person about the bicycle bell (summary by the model).";
/// What the customer is told at every hand-off that the stand-in makes by itself.
pub const FAREWELL: &str = "A colleague of mine takes over from here.";

async fn models(State(model): State<Model>, headers: HeaderMap) -> Response {
    if !model.knows(&headers) {
        return error(401, "invalid_api_key");
    }
    Json(json!({"object": "list", "data": [{"id": "any", "object": "model"}]})).into_response()
}

async fn complete(State(model): State<Model>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !model.knows(&headers) {
        return error(401, "invalid_api_key");
    }
    let offered = body["tools"][0]["function"]["name"] == "finish_turn";
    if !offered || body["messages"][0]["role"] != "system" {
        return error(400, "invalid_request_error");
    }
    let asked = Asked { body };
    let said = by_itself(&asked);
    let says = {
        let mut mind = model.mind();
        mind.asked.push(asked);
        let ordered = mind.next.pop_front().or_else(|| mind.always.clone());
        ordered.unwrap_or(said)
    };
    answer(says).await
}

fn by_itself(asked: &Asked) -> Says {
    let last = asked.user_lines().pop().unwrap_or_default();
    if last.contains("human") {
        return Says::Escalates(FAREWELL.to_owned(), SUMMARY.to_owned());
    }
    Says::Reply(Model::echo(&last))
}

async fn answer(says: Says) -> Response {
    match says {
        Says::Reply(text) => call("finish_turn", &arguments(&text, &Value::Null).to_string()),
        Says::Escalates(text, summary) => {
            let handoff = json!({"reason_code": "asked_for_human", "reason": "asked for a colleague",
                "summary": summary, "priority": "normal"});
            call("finish_turn", &arguments(&text, &handoff).to_string())
        }
        Says::Plain(text) => chosen(&json!({"role": "assistant", "content": text}), "stop"),
        Says::Rubbish => call("finish_turn", "{\"reply\": {\"text\": "),
        Says::UnknownTool => call("refund_everything", "{\"amount\": 1000000}"),
        Says::Page => Html("<!DOCTYPE html><html><body>Sign in</body></html>").into_response(),
        Says::Error(status, code) => error(status, code),
        Says::Silence => pending().await,
    }
}

/// The arguments of `finish_turn`, every key present.
fn arguments(text: &str, handoff: &Value) -> Value {
    json!({"reply": {"text": text, "format": "text", "options": [], "link": null}, "handoff": handoff,
        "fields": [], "sources": [], "language": "en", "sentiment": "neutral", "answered": "full"})
}

fn call(tool: &str, arguments: &str) -> Response {
    let call =
        json!([{"id": "call_1", "type": "function", "function": {"name": tool, "arguments": arguments}}]);
    chosen(&json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": call}), "tool_calls")
}

fn chosen(message: &Value, finish: &str) -> Response {
    Json(json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1_794_819_600, "model": "any",
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"prompt_tokens": 80, "completion_tokens": 20, "total_tokens": 100}}))
    .into_response()
}

fn error(status: u16, code: &str) -> Response {
    let body =
        json!({"error": {"message": "refused by the stand-in", "type": code, "param": null, "code": code}});
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
