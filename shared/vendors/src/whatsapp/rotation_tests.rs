//! A token that was replaced while we knew the one before: used at once, tried once, and never sent on a guess.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use shared::channel::LineKey;
use shared::{CustomerAddress, MessageId, OrgId, SessionId};
use shared_flow::ports::{PortError, PortResult};
use tokio::net::TcpListener;

use super::super::verify::AppSecret;
use super::*;
use crate::guard::Guard;

/// The settings, in which the token changes when they are read anew.
struct Settings {
    tokens: Mutex<Vec<&'static str>>,
    afresh: PortResult<bool>,
    asked: AtomicUsize,
}

#[async_trait]
impl Accounts for Settings {
    async fn access_token(&self, _: &OrgId, _: &str) -> PortResult<Option<SecretString>> {
        Ok(self.tokens.lock().unwrap().first().copied().map(SecretString::from))
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        Ok(Vec::new())
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(Vec::new())
    }

    async fn afresh(&self, org: &OrgId) -> PortResult<bool> {
        assert_eq!(org.as_str(), "acme");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut tokens = self.tokens.lock().unwrap();
        if tokens.len() > 1 {
            tokens.remove(0);
        }
        self.afresh.clone()
    }
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Takes messages with the token `new` only; the token `blocked` belongs to a number that may not send.
async fn graph(State(seen): State<Seen>, headers: HeaderMap) -> Response {
    let bearer = headers[header::AUTHORIZATION].to_str().unwrap().replace("Bearer ", "");
    seen.lock().unwrap().push(bearer.clone());
    let error = |code: i64| json!({"error": {"message": "m", "code": code}}).to_string();
    match bearer.as_str() {
        "new" => (StatusCode::OK, r#"{"messages":[{"id":"wamid.X"}]}"#.to_owned()).into_response(),
        "broken" => (StatusCode::SERVICE_UNAVAILABLE, error(131_016)).into_response(),
        _ => (StatusCode::UNAUTHORIZED, error(190)).into_response(),
    }
}

/// What comes of one send, which tokens were tried, and how often the settings were asked to look again.
async fn send(
    tokens: &[&'static str],
    afresh: PortResult<bool>,
) -> (Result<String, SendError>, Vec<String>, usize) {
    let seen = Seen::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{*path}", post(graph)).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings =
        Arc::new(Settings { tokens: Mutex::new(tokens.to_vec()), afresh, asked: AtomicUsize::new(0) });
    let api = CloudApi::new(Http::new(Guard::new(true)).unwrap(), base.parse().unwrap(), settings.clone());
    let (org, line) = (OrgId::new("acme").unwrap(), LineKey::whatsapp("5001"));
    let to = CustomerAddress::Whatsapp { user_id: None, phone: Some("15550100077".to_owned()) };
    let id = MessageId { session: SessionId(uuid::Uuid::nil()), seq: 7 };
    let outcome = api.send(&Outgoing { org: &org, line: &line, to: &to, text: "Hello", id }).await;
    let tried = seen.lock().unwrap().clone();
    (outcome, tried, settings.asked.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_token_that_was_replaced_a_moment_ago_is_used_at_once() {
    let (outcome, tried, asked) = send(&["old", "new"], Ok(true)).await;
    assert_eq!((outcome, tried, asked), (Ok("wamid.X".to_owned()), vec!["old".into(), "new".into()], 1));
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_it() {
    let (outcome, tried, asked) = send(&["old", "older", "new"], Ok(true)).await;
    assert!(matches!(outcome, Err(SendError::Credentials(_))), "{outcome:?}");
    assert_eq!((tried, asked), (vec!["old".to_owned(), "older".to_owned()], 1));
}

#[tokio::test]
async fn without_another_token_there_is_no_second_try() {
    let away = PortError::Unavailable { what: "the secrets", why: "gone".to_owned() };
    for afresh in [Ok(true), Ok(false), Err(away)] {
        let (outcome, tried, asked) = send(&["old"], afresh).await;
        assert!(matches!(outcome, Err(SendError::Credentials(_))), "{outcome:?}");
        assert_eq!((tried, asked), (vec!["old".to_owned()], 1));
    }
}

#[tokio::test]
async fn another_failure_is_no_reason_to_look_again() {
    let (outcome, tried, asked) = send(&["broken", "new"], Ok(true)).await;
    assert!(matches!(outcome, Err(SendError::Unknown(_))), "{outcome:?}");
    assert_eq!((tried.len(), asked), (1, 0));
}
