//! The client against a server on this machine: what it sends, and what it makes of answers, errors and silence.

use std::sync::Mutex;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use expect_test::expect;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::agent::{ChatRole, ChatTurn};
use shared_flow::ports::{PortError, PortResult};

use super::*;
use crate::guard::Guard;

/// What the server does with the next request.
enum Server {
    Answers(StatusCode, &'static [(&'static str, &'static str)], String),
    IsSilent,
}

struct Stub {
    server: Server,
    seen: Mutex<Vec<(HeaderMap, Value)>>,
}

async fn handle(State(stub): State<Arc<Stub>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    stub.seen.lock().unwrap().push((headers, body));
    match &stub.server {
        Server::Answers(status, headers, body) => {
            let mut response = (*status, body.clone()).into_response();
            for (name, value) in *headers {
                response.headers_mut().insert(*name, value.parse().unwrap());
            }
            response
        }
        Server::IsSilent => std::future::pending().await,
    }
}

/// Starts the server and returns it with the base address that an operator would configure.
async fn start(server: Server) -> (Arc<Stub>, String) {
    let stub = Arc::new(Stub { server, seen: Mutex::default() });
    let router = Router::new().route("/v1/chat/completions", post(handle)).with_state(stub.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (stub, base)
}

struct Configured(PortResult<Option<Account>>);

#[async_trait]
impl Accounts for Configured {
    async fn account(&self, _: &OrgId) -> PortResult<Option<Account>> {
        self.0.clone()
    }
}

fn at(base: &str) -> PortResult<Option<Account>> {
    let api_key = SecretString::from("test-key\n");
    Ok(Some(Account { base_url: base.to_owned(), model: "any".to_owned(), api_key }))
}

fn client(account: PortResult<Option<Account>>, allow_insecure: bool) -> OpenAi {
    let http = Http::new(Guard::new(allow_insecure)).unwrap();
    OpenAi::new(http, Arc::new(Configured(account)))
}

fn prompt() -> Prompt {
    let turn = |role, text: &str| ChatTurn { role, text: text.to_owned() };
    Prompt {
        system: "You answer for Acme.".to_owned(),
        turns: vec![
            turn(ChatRole::User, "Hi"),
            turn(ChatRole::Assistant, "Hello!"),
            turn(ChatRole::User, "Where is"),
            turn(ChatRole::User, "order 4417?"),
        ],
    }
}

async fn ask(client: &OpenAi, repair: Option<&str>) -> Result<Answer, ModelError> {
    client.complete(&OrgId::new("acme").unwrap(), &prompt(), repair).await
}

/// What comes of one call to a server that answers so.
async fn outcome(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &str,
) -> Result<Answer, ModelError> {
    let status = StatusCode::from_u16(status).unwrap();
    let (stub, base) = start(Server::Answers(status, headers, body.to_owned())).await;
    let outcome = ask(&client(at(&base), true), None).await;
    assert_eq!(stub.seen.lock().unwrap().len(), 1, "one call, never a second by itself");
    outcome
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("{}/src/llm/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[tokio::test]
async fn the_request_is_what_every_compatible_server_takes() {
    let (stub, base) = start(Server::Answers(StatusCode::OK, &[], fixture("answer.json"))).await;
    let answer = ask(&client(at(&base), true), Some("neither a reply nor a hand-off")).await.unwrap();
    assert_eq!(answer.reply, "Order 4417 left our shop this morning.");

    let (headers, body) = stub.seen.lock().unwrap().remove(0);
    assert_eq!(headers["authorization"], "Bearer test-key");
    let mut without_tools = body.clone();
    let tools = without_tools.as_object_mut().unwrap().remove("tools").unwrap();
    expect![[r#"
        {
          "max_completion_tokens": 1200,
          "messages": [
            {
              "content": "You answer for Acme.",
              "role": "system"
            },
            {
              "content": "Hi",
              "role": "user"
            },
            {
              "content": "Hello!",
              "role": "assistant"
            },
            {
              "content": "Where is",
              "role": "user"
            },
            {
              "content": "order 4417?",
              "role": "user"
            },
            {
              "content": "[From the support system, not from the customer: your last answer could not be used: neither a reply nor a hand-off. Answer the customer again by calling finish_turn exactly once.]",
              "role": "user"
            }
          ],
          "model": "any",
          "parallel_tool_calls": false,
          "tool_choice": "required"
        }"#]].assert_eq(&serde_json::to_string_pretty(&without_tools).unwrap());
    assert_eq!(tools.as_array().unwrap().len(), 1);
    assert_eq!(tools[0]["function"]["name"], "finish_turn");
    assert_eq!(tools[0]["function"]["strict"], true);
    assert_eq!(tools[0]["function"]["parameters"]["additionalProperties"], false);
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let body = r#"{"error":{"code":"rate_limit_exceeded","message":"slow down"}}"#;
    let error = outcome(429, &[("retry-after", "2")], body).await.unwrap_err();
    let ModelError::Unavailable { after, .. } = error else { panic!("{error:?}") };
    assert_eq!(after.map(|wait| wait.as_secs()), Some(2));
}

#[tokio::test]
async fn an_empty_account_is_for_an_operator() {
    let error = outcome(429, &[], r#"{"error":{"code":"insufficient_quota"}}"#).await.unwrap_err();
    assert!(matches!(error, ModelError::Misconfigured(_)), "{error:?}");
}

#[tokio::test]
async fn silence_ends_at_the_limit() {
    let (_, base) = start(Server::IsSilent).await;
    let client = client(at(&base), true).with_limit(Duration::from_millis(200));
    let error = ask(&client, None).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { after: None, .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let error = ask(&client(at(&base), true), None).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn rubbish_unknown_tools_and_endless_texts_are_malformed() {
    let endless = json!({"choices": [{"message": {"content": "x".repeat(30_000)}}]}).to_string();
    for body in [fixture("login_page.html"), fixture("unknown_tool.json"), endless, String::new()] {
        let error = outcome(200, &[], &body).await.unwrap_err();
        assert!(matches!(error, ModelError::Malformed(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_refusal() {
    assert_eq!(outcome(200, &[], &fixture("refusal.json")).await, Err(ModelError::Refused));
    let azure = r#"{"error":{"code":"content_filter","param":"prompt"}}"#;
    assert_eq!(outcome(400, &[], azure).await, Err(ModelError::Refused));
}

#[tokio::test]
async fn a_server_in_trouble_is_unavailable_and_a_wrong_key_is_not() {
    let trouble = outcome(503, &[], "<html>busy</html>").await.unwrap_err();
    assert!(matches!(trouble, ModelError::Unavailable { after: None, .. }), "{trouble:?}");
    let key = outcome(401, &[], r#"{"error":{"code":"invalid_api_key"}}"#).await.unwrap_err();
    assert!(matches!(key, ModelError::Misconfigured(_)), "{key:?}");
    // Redirects are not followed: the key would go along.
    let moved = outcome(302, &[("location", "http://127.0.0.1:1/")], "").await.unwrap_err();
    assert!(matches!(moved, ModelError::Misconfigured(_)), "{moved:?}");
}

#[tokio::test]
async fn without_a_usable_account_nothing_is_called() {
    let none = ask(&client(Ok(None), true), None).await.unwrap_err();
    assert!(matches!(none, ModelError::Misconfigured(_)), "{none:?}");
    let loopback = ask(&client(at("http://127.0.0.1:1/v1"), false), None).await.unwrap_err();
    assert!(matches!(loopback, ModelError::Misconfigured(_)), "{loopback:?}");
    let away = PortError::Unavailable { what: "the settings", why: "gone".to_owned() };
    let away = ask(&client(Err(away), true), None).await.unwrap_err();
    assert!(matches!(away, ModelError::Unavailable { .. }), "{away:?}");
}
