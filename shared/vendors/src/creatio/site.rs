//! One call to a site: the right root, a token, a place in the queue, and the one repetition that is harmless.
//!
//! A site on .NET Framework serves OData under `/0/odata`, one on .NET under `/odata`. Which of the two it is shows
//! by asking; the answer is kept until something else comes where data should.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use shared::OrgId;
use shared_flow::ports::CrmError;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::account::{Account, Accounts};
use super::auth::{Token, Tokens};
use super::fault::{Fault, Verb, data_of};
use super::odata::record;
use crate::http::Http;

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(12);
/// Requests in flight per organisation: a site works through one session's requests in turn.
const AT_ONCE: usize = 4;
/// Where OData may be, likelier first.
const ROOTS: [&str; 2] = ["/0/odata", "/odata"];

/// A row to write.
pub(super) type Row = Map<String, Value>;

/// The sites of all organisations.
pub(super) struct Sites {
    http: Http,
    accounts: Arc<dyn Accounts>,
    tokens: Tokens,
    roots: Mutex<HashMap<String, &'static str>>,
    gates: Mutex<HashMap<OrgId, Arc<Semaphore>>>,
}

/// One organisation's site.
pub(super) struct Site<'a> {
    sites: &'a Sites,
    org: &'a OrgId,
    /// How it is reached.
    pub account: Account,
    /// Its address; see [`Account::site`].
    pub address: String,
}

struct Request<'a> {
    method: Method,
    resource: &'a str,
    body: Option<&'a Row>,
}

impl Request<'_> {
    /// Whether it is about an object, not about one of its records.
    fn is_for_a_set(&self) -> bool {
        !self.resource.split('?').next().unwrap_or_default().contains('(')
    }
}

impl Sites {
    /// No site is known yet.
    pub fn new(http: Http, accounts: Arc<dyn Accounts>) -> Self {
        let tokens = Tokens::new(http.clone());
        Self { http, accounts, tokens, roots: Mutex::default(), gates: Mutex::default() }
    }

    /// The organisation's site, as configured now.
    pub async fn of<'a>(&'a self, org: &'a OrgId) -> Result<Site<'a>, CrmError> {
        let found = self.accounts.account(org).await;
        let found = found.map_err(|error| CrmError::Later { why: error.to_string(), after: None })?;
        let account = found.ok_or_else(|| {
            CrmError::Broken("this organisation has no Creatio connection: add it in the settings".to_owned())
        })?;
        let address = account.site();
        Ok(Site { sites: self, org, account, address })
    }

    fn gate(&self, org: &OrgId) -> Arc<Semaphore> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(gates.entry(org.clone()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))))
    }
}

impl Site<'_> {
    /// Reads a resource; `None` when the answer is empty.
    pub async fn get(&self, resource: &str) -> Result<Option<Value>, Fault> {
        self.send(&Request { method: Method::GET, resource, body: None }).await
    }

    /// Creates a record; `None` when the site does not show what it made.
    pub async fn post(&self, entity: &str, row: &Row) -> Result<Option<Value>, Fault> {
        self.send(&Request { method: Method::POST, resource: entity, body: Some(row) }).await
    }

    /// Changes columns of a record.
    pub async fn patch(&self, entity: &str, id: Uuid, row: &Row) -> Result<(), Fault> {
        let resource = record(entity, id);
        self.send(&Request { method: Method::PATCH, resource: &resource, body: Some(row) }).await.map(drop)
    }

    /// Sends, and once more with a fresh token if the site did not accept the first: it looked at nothing else then.
    async fn send(&self, request: &Request<'_>) -> Result<Option<Value>, Fault> {
        let token = self.token(None).await?;
        match self.once(request, &token).await {
            Err(Fault::Login(_)) => {}
            Err(fault @ (Fault::Missing | Fault::NoSuchSet)) if request.is_for_a_set() => {
                // No object where one was before: the site may have moved to the other platform.
                self.forget_root();
                return Err(fault);
            }
            other => return other,
        }
        // A page may mean the same.
        self.forget_root();
        let token = self.token(Some(&token)).await?;
        self.once(request, &token).await
    }

    async fn token(&self, refused: Option<&Token>) -> Result<Token, Fault> {
        let tokens = &self.sites.tokens;
        match tokens.token(self.org, &self.account, refused).await {
            Err(error @ CrmError::Broken(_)) => match self.changed().await {
                // Another secret has tokens of its own.
                Some(account) => tokens.token(self.org, &account, refused).await.map_err(Fault::Known),
                None => Err(Fault::Known(error)),
            },
            outcome => outcome.map_err(Fault::Known),
        }
    }

    /// The account with the secret that has taken the place of a refused one, if one has.
    async fn changed(&self) -> Option<Account> {
        let accounts = &self.sites.accounts;
        if !accounts.afresh(self.org).await.unwrap_or(false) {
            return None;
        }
        let account = accounts.account(self.org).await.ok()??;
        let (new, old) = (&account.client_secret, &self.account.client_secret);
        (new.expose_secret() != old.expose_secret()).then_some(account)
    }

    async fn once(&self, request: &Request<'_>, token: &Token) -> Result<Option<Value>, Fault> {
        let root = match self.known_root() {
            Some(root) => root,
            None => self.find_root(token).await?,
        };
        self.call(root, request, token).await
    }

    fn known_root(&self) -> Option<&'static str> {
        self.sites.roots.lock().unwrap_or_else(PoisonError::into_inner).get(&self.address).copied()
    }

    fn forget_root(&self) {
        self.sites.roots.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }

    /// Asks at both roots for a row that every site with cases has.
    async fn find_root(&self, token: &Token) -> Result<&'static str, Fault> {
        let probe = Request { method: Method::GET, resource: "CaseStatus?$top=1", body: None };
        let mut worst: Option<Fault> = None;
        for root in ROOTS {
            match self.call(root, &probe, token).await {
                Ok(_) => {
                    let mut roots = self.sites.roots.lock().unwrap_or_else(PoisonError::into_inner);
                    roots.insert(self.address.clone(), root);
                    return Ok(root);
                }
                Err(fault) => worst = Some(worse(worst, fault)),
            }
        }
        Err(worst.map_or(Fault::Missing, blamed_on_the_probe))
    }

    async fn call(&self, root: &str, request: &Request<'_>, token: &Token) -> Result<Option<Value>, Fault> {
        let address = format!("{}{root}/{}", self.address, request.resource);
        let url = self.sites.http.check(&address).map_err(|refused| {
            Fault::Known(CrmError::Broken(format!("instance_url cannot be used: {refused}")))
        })?;
        let http = &self.sites.http;
        let begun = match request.method {
            Method::POST => http.post(url),
            Method::PATCH => http.patch(url),
            _ => http.get(url),
        };
        let begun = begun.header("accept", "application/json").bearer_auth(token.text());
        let begun = if let Some(row) = request.body { begun.json(row) } else { begun };
        let gate = self.sites.gate(self.org);
        let _place = gate.acquire().await.map_err(|_| Fault::NeverSent("shutting down".to_owned()))?;
        data_of(&http.call(begun, LIMIT).await?)
    }
}

/// Of two failures to find the root the one that tells more: the other root is always missing on a real site.
fn worse(first: Option<Fault>, second: Fault) -> Fault {
    match first {
        None
        | Some(Fault::Missing | Fault::NoSuchSet | Fault::Rejected(_) | Fault::Odd(_) | Fault::Elsewhere) => {
            second
        }
        Some(first) => first,
    }
}

/// Said here, where it is known that the probe failed and not what the caller wanted.
fn blamed_on_the_probe(fault: Fault) -> Fault {
    match fault {
        known @ (Fault::Login(_) | Fault::Known(_) | Fault::NeverSent(_)) => known,
        // The request itself was never sent, so nothing of it is in doubt.
        Fault::Unclear(why) => Fault::NeverSent(why),
        other => Fault::Known(other.into_crm(Verb::Read, "CaseStatus")),
    }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
