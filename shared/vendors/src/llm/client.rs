//! One call to an OpenAI-compatible endpoint: address, key and time limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use shared::OrgId;
use shared::agent::{Answer, Prompt};
use shared_flow::ports::{Model, ModelError};
use shared_flow::take_turn::CALL_LIMIT;
use url::Url;

use super::account::{Account, Accounts};
use super::wire::Request;
use super::{map, parse};
use crate::http::{Answer as HttpAnswer, Http};

/// The model port on Chat Completions.
#[derive(Clone)]
pub struct OpenAi {
    http: Http,
    accounts: Arc<dyn Accounts>,
    limit: Duration,
}

impl OpenAi {
    /// Takes the guarded HTTP client and the place where accounts are found. One call may take as long as a turn
    /// grants it, from connecting to the last byte.
    #[must_use]
    pub fn new(http: Http, accounts: Arc<dyn Accounts>) -> Self {
        Self { http, accounts, limit: CALL_LIMIT.unsigned_abs() }
    }

    /// The same with another limit for one call.
    #[must_use]
    pub fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn account(&self, org: &OrgId) -> Result<Account, ModelError> {
        let account = self.accounts.account(org).await.map_err(map::unsettled)?;
        account
            .ok_or_else(|| ModelError::Misconfigured("no model is set up for this organisation".to_owned()))
    }

    fn address(&self, account: &Account) -> Result<Url, ModelError> {
        let text = format!("{}/chat/completions", account.base_url.trim_end_matches('/'));
        let refused =
            |why| ModelError::Misconfigured(format!("the model's base address is not allowed: {why}"));
        self.http.check(&text).map_err(refused)
    }

    /// The account with the key that has taken the place of a refused one, if one has.
    async fn changed(&self, org: &OrgId, refused: &Account) -> Option<Account> {
        if !self.accounts.afresh(org).await.unwrap_or(false) {
            return None;
        }
        let account = self.account(org).await.ok()?;
        (account.api_key.expose_secret() != refused.api_key.expose_secret()).then_some(account)
    }

    async fn post(
        &self,
        account: &Account,
        body: &Request<'_>,
        limit: Duration,
    ) -> Result<HttpAnswer, ModelError> {
        let request = self.http.post(self.address(account)?);
        // A key that was pasted with its line end would make an invalid header.
        let request = request.bearer_auth(account.api_key.expose_secret().trim()).json(body);
        self.http.call(request, limit).await.map_err(|error| map::failed(&error))
    }
}

#[async_trait]
impl Model for OpenAi {
    async fn complete(
        &self,
        org: &OrgId,
        prompt: &Prompt,
        repair: Option<&str>,
    ) -> Result<Answer, ModelError> {
        let account = self.account(org).await?;
        let began = Instant::now();
        let rest = || self.limit.saturating_sub(began.elapsed());
        let request = Request::new(&account.model, prompt, repair);
        let mut answer = self.post(&account, &request, self.limit).await?;
        if matches!(answer.status, 401 | 403)
            && let Ok(Some(other)) = tokio::time::timeout(rest(), self.changed(org, &account)).await
        {
            answer = self.post(&other, &Request::new(&other.model, prompt, repair), rest()).await?;
        }
        match answer.status {
            200 => parse::parse(&answer.body),
            _ => Err(map::refused(&answer)),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod rotation_tests;
