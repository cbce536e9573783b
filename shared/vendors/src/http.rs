//! The one HTTP client: how a call leaves, how long it may take, and whether it can have arrived when it fails.
//!
//! It never follows a redirect, never reads proxies from the environment, never tries twice, and connects only to
//! addresses that the guard accepts.

mod answer;
mod resolve;

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, IntoUrl, RequestBuilder};
use shared::channel::render::shorten;
use url::Url;

pub use self::answer::{Answer, NotJson};
use self::resolve::GuardedNames;
use crate::guard::{Guard, Refused};

/// The most bytes of an answer's body that are read.
pub const ANSWER_LIMIT: usize = 5_000_000;
/// How long finding, connecting to and shaking hands with a host may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long an idle connection is kept. Short: a function that was frozen in between finds dead connections, and a
/// request that dies on one of them has an unclear outcome.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// The most characters of an error's words.
const LONGEST_CAUSE: usize = 200;

/// The client. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    guard: Guard,
}

/// The client could not be made, usually because the machine has no certificate store.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS: {0}; check that the machine's certificate store is installed")]
pub struct HttpSetup(String);

/// Why there is no answer. The words hold neither query nor body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Nothing left this machine but an attempt to connect: calling again is harmless.
    #[error("the request was not sent: {0}")]
    NeverSent(String),
    /// The request may have arrived and may have had its effect.
    #[error("the outcome is not known: {0}")]
    Unclear(String),
}

impl Http {
    /// Makes a client that obeys the guard.
    pub fn new(guard: Guard) -> Result<Self, HttpSetup> {
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_LIMIT)
            .pool_idle_timeout(IDLE_LIMIT)
            .dns_resolver(GuardedNames::new(guard))
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HttpSetup(root_cause(&error)))?;
        Ok(Self { client, guard })
    }

    /// Reads an address from settings or from an answer's next-page link.
    pub fn check(&self, text: &str) -> Result<Url, Refused> {
        self.guard.check(text)
    }

    /// Begins a GET.
    pub fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.get(url)
    }

    /// Begins a POST.
    pub fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.post(url)
    }

    /// Begins a PATCH.
    pub fn patch(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.patch(url)
    }

    /// Makes one call, from resolving the name to the last byte of the answer within `limit`. Any status is an
    /// answer; at most [`ANSWER_LIMIT`] bytes are read.
    pub async fn call(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, CallError> {
        let request = request.build().map_err(|error| CallError::NeverSent(root_cause(&error)))?;
        // Again here: a literal address in the URL never passes the resolver.
        self.guard.check_url(request.url()).map_err(|refused| CallError::NeverSent(refused.to_string()))?;
        let work = async {
            let response = self.client.execute(request).await.map_err(|error| classify(&error))?;
            answer::read(response).await
        };
        let in_time = tokio::time::timeout(limit, work).await;
        in_time.unwrap_or_else(|_| Err(CallError::Unclear(format!("no answer within {limit:?}"))))
    }
}

/// Before the connection stands nothing can have arrived; after that, nobody knows.
fn classify(error: &reqwest::Error) -> CallError {
    if error.is_connect() || error.is_builder() {
        CallError::NeverSent(root_cause(error))
    } else {
        CallError::Unclear(root_cause(error))
    }
}

/// The innermost error's words: the outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) if error.is_timeout() => "no answer in time".to_owned(),
        Some(_) => "the request could not be made".to_owned(),
        // A certificate's names stand in its error, as many as the host likes.
        None => shorten(&cause.to_string(), LONGEST_CAUSE),
    }
}

#[cfg(test)]
mod tests;
