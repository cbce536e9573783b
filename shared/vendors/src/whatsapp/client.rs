//! Sending a text through the Cloud API: one try, and the honest answer of what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use shared::delivery::{SEND_LIMIT, Trouble};
use shared_flow::ports::{ChannelSender, Outgoing, SendError};
use url::Url;

use super::account::Accounts;
use super::map;
use super::wire::{SendAnswer, SendText};
use crate::http::{Answer, CallError, Http};

/// The version of the Graph API that is spoken; a version lives about two years after its successor appears.
pub const VERSION: &str = "v26.0";

/// The outgoing side of all WhatsApp lines.
#[derive(Clone)]
pub struct CloudApi {
    http: Http,
    base: Url,
    accounts: Arc<dyn Accounts>,
    limit: Duration,
}

impl CloudApi {
    /// `base` is the address before the version, `https://graph.facebook.com` unless a stand-in is used.
    #[must_use]
    pub fn new(http: Http, base: Url, accounts: Arc<dyn Accounts>) -> Self {
        Self { http, base, accounts, limit: SEND_LIMIT.unsigned_abs() }
    }

    /// The same with another limit for one call, from connecting to the last byte.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn token(&self, outgoing: &Outgoing<'_>) -> Result<SecretString, SendError> {
        let token = self.accounts.access_token(outgoing.org, &outgoing.line.address).await;
        let token = token.map_err(|error| SendError::NeverSent(error.to_string()))?;
        let missing = "No access token is set for this WhatsApp number. Put one into the settings.";
        let token = token.ok_or_else(|| SendError::Credentials(Trouble::new(missing)))?;
        let unusable = "The access token set for this WhatsApp number holds a character that no token has. Paste it again.";
        HeaderValue::from_str(token.expose_secret())
            .map_err(|_| SendError::Credentials(Trouble::new(unusable)))?;
        Ok(token)
    }

    /// The token that has taken the place of a refused one, if one has.
    async fn changed(&self, outgoing: &Outgoing<'_>, refused: &SecretString) -> Option<SecretString> {
        if !self.accounts.afresh(outgoing.org).await.unwrap_or(false) {
            return None;
        }
        let token = self.token(outgoing).await.ok()?;
        (token.expose_secret() != refused.expose_secret()).then_some(token)
    }

    async fn post(
        &self,
        url: &Url,
        token: &SecretString,
        body: &SendText<'_>,
        limit: Duration,
    ) -> Result<String, SendError> {
        let request = self.http.post(url.clone()).bearer_auth(token.expose_secret()).json(body);
        match self.http.call(request, limit).await {
            Ok(answer) => judge(&answer),
            Err(CallError::NeverSent(why)) => Err(SendError::NeverSent(why)),
            Err(CallError::Unclear(why)) => Err(SendError::Unknown(why)),
        }
    }

    fn address(&self, phone_number_id: &str) -> Result<Url, SendError> {
        let mut url = self.base.clone();
        // One segment each, so that no id can lead elsewhere.
        let Ok(mut path) = url.path_segments_mut() else {
            let why = "The Cloud API's address in the settings cannot have a path. It should be https://graph.facebook.com.";
            return Err(SendError::Refused(Trouble::new(why)));
        };
        path.pop_if_empty().extend([VERSION, phone_number_id, "messages"]);
        drop(path);
        Ok(url)
    }
}

#[async_trait]
impl ChannelSender for CloudApi {
    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<String, SendError> {
        let nobody = || SendError::Refused(Trouble::new("The customer has neither a number nor a user id."));
        let body = SendText::new(outgoing).ok_or_else(nobody)?;
        let url = self.address(&outgoing.line.address)?;
        let began = Instant::now();
        let token = self.token(outgoing).await?;
        match self.post(&url, &token, &body, self.limit).await {
            Err(SendError::Credentials(trouble)) => {
                // Refused for the token, so nothing left: with another one it is the same send, in the same time.
                let rest = || self.limit.saturating_sub(began.elapsed());
                let other = tokio::time::timeout(rest(), self.changed(outgoing, &token)).await.ok().flatten();
                let other = other.filter(|_| !rest().is_zero()).ok_or(SendError::Credentials(trouble))?;
                self.post(&url, &other, &body, rest()).await
            }
            outcome => outcome,
        }
    }
}

/// A success without an id is no success that a later status could be matched with.
fn judge(answer: &Answer) -> Result<String, SendError> {
    let SendAnswer { message, code, trace } = SendAnswer::read(&answer.body);
    match message {
        Some(id) if answer.is_success() => Ok(id),
        _ => {
            tracing::warn!(status = answer.status, code, trace, "WhatsApp did not take a message");
            Err(map::send_error(answer.status, code, answer.retry_after()))
        }
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod rotation_tests;
