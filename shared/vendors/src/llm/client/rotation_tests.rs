//! A key that was replaced while we knew the one before: used at once, and tried once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use shared::agent::{ChatRole, ChatTurn};
use shared_flow::ports::PortResult;

use super::*;
use crate::guard::Guard;

/// The settings, in which the key changes when they are read anew.
struct Settings {
    base_url: String,
    keys: Mutex<Vec<&'static str>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Accounts for Settings {
    async fn account(&self, _: &OrgId) -> PortResult<Option<Account>> {
        let api_key = self.keys.lock().unwrap()[0].into();
        Ok(Some(Account { base_url: self.base_url.clone(), model: "any".to_owned(), api_key }))
    }

    async fn afresh(&self, org: &OrgId) -> PortResult<bool> {
        assert_eq!(org.as_str(), "acme");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.keys.lock().unwrap();
        let changed = keys.len() > 1;
        if changed {
            keys.remove(0);
        }
        Ok(changed)
    }
}

type Seen = Arc<Mutex<Vec<String>>>;

/// Answers to the key `new` only; `busy` is told to come back.
async fn serve(State(seen): State<Seen>, headers: HeaderMap) -> Response {
    let bearer = headers["authorization"].to_str().unwrap().replace("Bearer ", "");
    seen.lock().unwrap().push(bearer.clone());
    let status = match bearer.as_str() {
        "new" => return include_str!("../fixtures/answer.json").into_response(),
        "busy" => StatusCode::TOO_MANY_REQUESTS,
        "forbidden" => StatusCode::FORBIDDEN,
        _ => StatusCode::UNAUTHORIZED,
    };
    (status, r#"{"error":{"code":"invalid_api_key"}}"#).into_response()
}

async fn ask(keys: &[&'static str]) -> (Result<Answer, ModelError>, Vec<String>, usize) {
    let seen = Seen::default();
    let router = Router::new().route("/v1/chat/completions", post(serve)).with_state(seen.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings =
        Arc::new(Settings { base_url, keys: Mutex::new(keys.to_vec()), asked: AtomicUsize::new(0) });
    let client = OpenAi::new(Http::new(Guard::new(true)).unwrap(), settings.clone());
    let turns = vec![ChatTurn { role: ChatRole::User, text: "Where is order 4417?".to_owned() }];
    let prompt = Prompt { system: "You answer for Acme.".to_owned(), turns };
    let outcome = client.complete(&OrgId::new("acme").unwrap(), &prompt, None).await;
    let tried = seen.lock().unwrap().clone();
    (outcome, tried, settings.asked.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_key_that_was_replaced_a_moment_ago_is_used_at_once() {
    for old in ["old", "forbidden"] {
        let (outcome, tried, asked) = ask(&[old, "new"]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!((tried, asked), (vec![old.to_owned(), "new".to_owned()], 1));
    }
}

#[tokio::test]
async fn a_key_that_is_refused_too_ends_it() {
    let (outcome, tried, asked) = ask(&["old", "older", "new"]).await;
    assert!(matches!(outcome, Err(ModelError::Misconfigured(_))), "{outcome:?}");
    assert_eq!((tried.len(), asked), (2, 1));
    let (outcome, tried, asked) = ask(&["old"]).await;
    assert!(matches!(outcome, Err(ModelError::Misconfigured(_))), "{outcome:?}");
    assert_eq!((tried.len(), asked), (1, 1));
}

#[tokio::test]
async fn another_failure_is_no_reason_to_look_again() {
    let (outcome, tried, asked) = ask(&["busy", "new"]).await;
    assert!(outcome.is_err(), "{outcome:?}");
    assert_eq!((tried.len(), asked), (1, 0));
}
