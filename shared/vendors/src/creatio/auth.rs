//! Tokens: OAuth 2.0 client credentials, one token per organisation, site and client id, fetched by one caller at a
//! time and kept until four fifths of its life are over.
//!
//! On Creatio's cloud the token service is another host: `acme.creatio.com` has `acme-is.creatio.com`. A wrong host
//! often answers with a page and status 200, so nothing but a well-formed token is taken for one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shared::OrgId;
use shared_flow::ports::CrmError;
use tokio::sync::Mutex as AsyncMutex;

use super::account::Account;
use crate::http::{Answer, Http};

/// How long fetching a token may take.
const LIMIT: Duration = Duration::from_secs(5);
/// After a failed fetch nothing is fetched for this long: a wrong secret must not hammer the service or lock the
/// client out.
const HOLD: Duration = Duration::from_secs(30);
/// The life of a token that does not tell its own.
const USUAL_LIFE: u64 = 3600;
/// No token is kept longer, whatever it says.
const LONGEST_LIFE: u64 = 24 * 3600;
/// The most characters a token may have.
const LONGEST_TOKEN: usize = 4096;

/// The tokens of all organisations.
pub(super) struct Tokens {
    http: Http,
    hold: Duration,
    slots: Mutex<HashMap<[u8; 32], Arc<AsyncMutex<Slot>>>>,
}

/// A token, and which one of its account's it is.
#[derive(Clone)]
pub(super) struct Token {
    text: SecretString,
    number: u64,
}

impl Token {
    /// For the `Authorization` header.
    pub fn text(&self) -> &str {
        self.text.expose_secret()
    }
}

#[derive(Default)]
struct Slot {
    fetched: u64,
    held: Option<(Token, Instant)>,
    failed: Option<(Instant, CrmError)>,
}

impl Tokens {
    /// No tokens yet.
    pub fn new(http: Http) -> Self {
        Self { http, hold: HOLD, slots: Mutex::default() }
    }

    /// A token of the account. `refused` is one that the site did not accept: it is dropped, and another is fetched
    /// unless somebody did so meanwhile.
    pub async fn token(
        &self,
        org: &OrgId,
        account: &Account,
        refused: Option<&Token>,
    ) -> Result<Token, CrmError> {
        let slot = self.slot(org, account);
        let mut slot = slot.lock().await;
        if let Some((token, until)) = &slot.held
            && Instant::now() < *until
            && refused.is_none_or(|refused| refused.number != token.number)
        {
            return Ok(token.clone());
        }
        slot.held = None;
        if let Some((at, error)) = &slot.failed
            && at.elapsed() < self.hold
        {
            return Err(still_failed(error, self.hold.saturating_sub(at.elapsed())));
        }
        self.refresh(account, &mut slot).await
    }

    async fn refresh(&self, account: &Account, slot: &mut Slot) -> Result<Token, CrmError> {
        let fetched = self.fetch(account).await;
        match fetched {
            Ok((text, life)) => {
                slot.fetched += 1;
                slot.failed = None;
                let token = Token { text, number: slot.fetched };
                slot.held = Some((token.clone(), Instant::now() + life.mul_f64(0.8)));
                Ok(token)
            }
            Err(error) => {
                slot.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// The account's place. A changed secret is another place, so that a correction counts at once.
    fn slot(&self, org: &OrgId, account: &Account) -> Arc<AsyncMutex<Slot>> {
        let identity = account.identity_url.clone().unwrap_or_default();
        let mut key = Sha256::new();
        for part in [
            org.as_str(),
            &account.site(),
            &identity,
            &account.client_id,
            account.client_secret.expose_secret(),
        ] {
            key.update(part.len().to_be_bytes());
            key.update(part.as_bytes());
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key.finalize().into()).or_default())
    }

    /// Asks the addresses in turn; only an address that is no token service lets the next one be asked.
    async fn fetch(&self, account: &Account) -> Result<(SecretString, Duration), CrmError> {
        let mut last = CrmError::Broken("no address of a token service is known".to_owned());
        for address in addresses(account) {
            match self.ask(account, &address).await {
                Ok(found) => return Ok(found),
                Err(Refusal::NoService(why)) => last = CrmError::Broken(why),
                Err(Refusal::Final(error)) => return Err(error),
            }
        }
        Err(last)
    }

    async fn ask(&self, account: &Account, address: &str) -> Result<(SecretString, Duration), Refusal> {
        let url = self.http.check(address).map_err(|refused| {
            Refusal::Final(CrmError::Broken(format!(
                "the address of the token service is not usable: {refused}"
            )))
        })?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", account.client_id.as_str()),
            ("client_secret", account.client_secret.expose_secret()),
        ];
        let request = self.http.post(url).header("accept", "application/json").form(&form);
        match self.http.call(request, LIMIT).await {
            Ok(answer) => read(&answer),
            // A token that was made and lost on the way back does no harm.
            Err(error) => Err(Refusal::Final(later(error.to_string(), None))),
        }
    }
}

enum Refusal {
    /// Nothing there speaks OAuth.
    NoService(String),
    /// The answer of a token service, or none at all.
    Final(CrmError),
}

fn later(why: String, after: Option<SignedDuration>) -> CrmError {
    CrmError::Later { why: format!("fetching a token: {why}"), after }
}

/// The remembered failure, with the time after which another attempt is made.
fn still_failed(error: &CrmError, rest: Duration) -> CrmError {
    match error {
        CrmError::Later { why, after } => {
            let rest = SignedDuration::try_from(rest).unwrap_or_default();
            CrmError::Later { why: why.clone(), after: Some(after.unwrap_or_default().max(rest)) }
        }
        CrmError::Broken(_) | CrmError::Refused(_) | CrmError::Gone(_) => error.clone(),
    }
}

/// Where the account's tokens come from.
fn addresses(account: &Account) -> Vec<String> {
    if let Some(identity) = account.identity_url.as_deref().filter(|url| !url.trim().is_empty()) {
        let base = identity.trim().trim_end_matches('/');
        let base = base.strip_suffix("/connect/token").unwrap_or(base);
        return vec![format!("{base}/connect/token")];
    }
    let site = account.site();
    if let Some(identity) = cloud_identity(&site) {
        return vec![format!("{identity}/connect/token")];
    }
    vec![format!("{site}/connect/token"), format!("{site}/0/connect/token")]
}

/// `https://acme.creatio.com` → `https://acme-is.creatio.com`; `None` for sites elsewhere.
fn cloud_identity(site: &str) -> Option<String> {
    let url = url::Url::parse(site).ok()?;
    let host = url.host_str()?;
    let (label, rest) = host.split_once('.')?;
    let is_cloud = rest == "creatio.com" || rest.ends_with(".creatio.com");
    is_cloud.then(|| format!("{}://{label}-is.{rest}", url.scheme()))
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Value,
}

fn read(answer: &Answer) -> Result<(SecretString, Duration), Refusal> {
    let broken = |why: &str| Err(Refusal::Final(CrmError::Broken(why.to_owned())));
    let no_service = |what: &str| {
        Err(Refusal::NoService(format!(
            "the token service's address answers with {what}: enter the Identity Service's address as identity_url \
             (Creatio keeps it in the system setting OAuth20IdentityServerUrl)"
        )))
    };
    if let Some(error) =
        answer.json::<Value>().ok().and_then(|body| body.get("error")?.as_str().map(str::to_owned))
    {
        return Err(Refusal::Final(CrmError::Broken(oauth_sentence(&error))));
    }
    match answer.status {
        408 | 425 | 429 | 500..=599 => {
            return Err(Refusal::Final(later(format!("status {}", answer.status), answer.retry_after())));
        }
        300..=399 => return no_service("a redirect"),
        404 | 405 => return no_service(&format!("status {}", answer.status)),
        401 | 403 => return broken(&oauth_sentence("invalid_client")),
        _ => {}
    }
    let first = answer.body.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        None => return no_service("nothing"),
        Some(b'<') => return no_service("a web page"),
        Some(_) => {}
    }
    let Ok(granted) = answer.json::<Granted>() else { return no_service("something that holds no token") };
    if !answer.is_success() {
        return broken(&format!("the token service refuses with status {}", answer.status));
    }
    if !is_token(&granted.access_token) {
        return broken("the token service gives a token of a form that no site accepts: check identity_url");
    }
    Ok((granted.access_token.into(), life(&granted.expires_in)))
}

/// What an OAuth error code means here, and what to do. Statuses differ between versions of the service, codes do not.
fn oauth_sentence(code: &str) -> String {
    match code {
        "invalid_client" => {
            "Creatio does not accept client_id and client_secret: copy both again from the OAuth \
                             application (a new secret makes the old one void) and check that it is active"
                .to_owned()
        }
        "unauthorized_client" => {
            "the OAuth application does not allow client credentials: create one with this \
                                  grant type under OAuth 2.0 integrated applications"
                .to_owned()
        }
        "unsupported_grant_type" => {
            "the token service does not offer client credentials: check that identity_url is \
                                     Creatio's own Identity Service and OAuth20Integration is switched on"
                .to_owned()
        }
        "invalid_scope" => "the token service asks for a scope: give the OAuth application access to the \
                            application's API"
            .to_owned(),
        other => {
            let known = OTHER_CODES.into_iter().find(|code| *code == other).unwrap_or("an unknown code");
            format!("the token service refuses with {known}")
        }
    }
}

/// The other codes of RFC 6749. Nothing else is repeated: it may be the secret that was sent.
const OTHER_CODES: [&str; 5] =
    ["invalid_grant", "invalid_request", "access_denied", "server_error", "temporarily_unavailable"];

fn is_token(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._~+/=-".contains(c);
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.chars().all(allowed)
}

/// Seconds as number or text.
fn life(expires_in: &Value) -> Duration {
    let told = expires_in.as_u64().or_else(|| expires_in.as_str().and_then(|text| text.trim().parse().ok()));
    Duration::from_secs(told.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE))
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
