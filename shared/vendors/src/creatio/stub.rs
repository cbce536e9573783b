//! A scripted site for tests: it answers what the test laid down, and remembers what was asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::{Value, json};
use shared::OrgId;
use shared_flow::ports::PortResult;

use super::account::{Account, Accounts};
use crate::guard::Guard;
use crate::http::Http;

/// What the stub answers.
#[derive(Clone)]
pub(super) enum Say {
    Json(u16, Value),
    Text(u16, &'static str, &'static str),
    Empty(u16),
    /// An empty answer with one header.
    With(u16, &'static str, &'static str),
    /// The connection breaks off before the answer is complete.
    HangUp,
    /// No answer ever comes.
    Silence,
}

impl Say {
    /// The page that a site shows to whom it does not know.
    pub fn login_page() -> Self {
        Self::Text(200, "text/html; charset=utf-8", include_str!("fixtures/login.html"))
    }

    fn response(self) -> Response<Body> {
        let build = |status: u16| Response::builder().status(status);
        match self {
            Self::Json(status, body) => build(status)
                .header("content-type", "application/json; odata.metadata=minimal")
                .body(Body::from(body.to_string())),
            Self::Text(status, kind, text) => {
                build(status).header("content-type", kind).body(Body::from(text))
            }
            Self::Empty(status) => build(status).body(Body::empty()),
            Self::With(status, name, value) => build(status).header(name, value).body(Body::empty()),
            Self::HangUp => {
                let broken = std::io::Error::other("hang up");
                let stream = futures::stream::once(async move { Err::<Bytes, _>(broken) });
                build(200).header("content-length", "100").body(Body::from_stream(stream))
            }
            Self::Silence => {
                let stream = futures::stream::pending::<Result<Bytes, std::io::Error>>();
                build(200).header("content-length", "100").body(Body::from_stream(stream))
            }
        }
        .unwrap()
    }
}

/// One request that arrived.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// Method, path and decoded query, such as `GET /0/odata/Case(…)?$select=Id`.
    pub what: String,
    pub body: Value,
    pub token: String,
}

#[derive(Default)]
struct Inner {
    script: Vec<(String, Say)>,
    seen: Vec<Seen>,
    tokens: u32,
}

/// The site. Each line of its script is used once; what no line fits gets a token, an empty list
/// of statuses or origins, or 404.
#[derive(Clone)]
pub(super) struct Stub {
    pub base: String,
    inner: Arc<Mutex<Inner>>,
}

impl Stub {
    pub async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let router = Router::new().fallback(serve).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, inner }
    }

    /// Lays down an answer for the next request that begins with `what`, such as `POST /0/odata/Case`.
    pub fn on(&self, what: &str, say: Say) -> &Self {
        self.inner.lock().unwrap().script.push((what.to_owned(), say));
        self
    }

    /// All requests but those for tokens and the first look at the site.
    pub fn asked(&self) -> Vec<Seen> {
        let seen = self.inner.lock().unwrap().seen.clone();
        let is_setup = |seen: &Seen| seen.what.contains("connect/token") || seen.what.contains("/CaseStatus");
        seen.into_iter().filter(|seen| !is_setup(seen)).collect()
    }

    /// How many requests of this beginning came.
    pub fn count(&self, what: &str) -> usize {
        self.inner.lock().unwrap().seen.iter().filter(|seen| seen.what.starts_with(what)).count()
    }

    /// What was laid down and never asked for.
    pub fn left(&self) -> Vec<String> {
        self.inner.lock().unwrap().script.iter().map(|(what, _)| what.clone()).collect()
    }
}

async fn serve(
    State(inner): State<Arc<Mutex<Inner>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let query = uri
        .query()
        .map(|query| format!("?{query}").replace("%20", " ").replace("%27", "'"))
        .unwrap_or_default();
    let what = format!("{method} {}{query}", uri.path());
    let mut inner = inner.lock().unwrap();
    inner.seen.push(Seen {
        what: what.clone(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        token: headers.get("authorization").map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default(),
    });
    if let Some(at) = inner.script.iter().position(|(expected, _)| what.starts_with(expected.as_str())) {
        return inner.script.remove(at).1.response();
    }
    if what.ends_with("/connect/token") {
        inner.tokens += 1;
        let token = format!("token-{}", inner.tokens);
        return Say::Json(200, json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}))
            .response();
    }
    if what.starts_with("GET /0/odata/CaseStatus") || what.contains("/odata/CaseOrigin") {
        return Say::Json(200, json!({"@odata.context": "$metadata", "value": []})).response();
    }
    Say::Json(404, json!({"error": {"code": "", "message": "Not Found"}})).response()
}

/// One organisation's connection.
pub(super) struct One(pub Option<Account>);

#[async_trait]
impl Accounts for One {
    async fn account(&self, _: &OrgId) -> PortResult<Option<Account>> {
        Ok(self.0.clone())
    }

    async fn org_of_token(&self, _: &[u8; 32]) -> PortResult<Option<OrgId>> {
        Ok(None)
    }
}

pub(super) fn http() -> Http {
    Http::new(Guard::new(true)).unwrap()
}

pub(super) fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}
