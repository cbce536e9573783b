//! The front door from outside, as Meta and Creatio meet it: what must be let in, and what must be refused.

use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use shared_vendors::http::{Answer, Http};

use super::report::{Hop, Outcome};
use crate::deployed::addresses::Addresses;
use crate::deployed::apply::AppKeys;
use crate::deployed::signature::signature;

/// A function that starts cold, with its secrets to read, answers well within this.
const LIMIT: Duration = Duration::from_secs(20);
/// What the handshake must give back.
const CHALLENGE: &str = "1158201444";
/// A webhook that carries nothing.
const EMPTY: &str = r#"{"object":"whatsapp_business_account","entry":[]}"#;
/// A token that nobody configured, and a word that nobody agreed on.
const UNKNOWN: &str = "switchboard-doctor-knows-no-such-token";

/// The front door of a line.
pub struct Door<'a> {
    /// The way out; obeys the guard.
    pub http: &'a Http,
    /// Where the line is.
    pub addresses: &'a Addresses,
}

impl Door<'_> {
    /// What Meta does, with the keys of one number of each app.
    pub async fn whatsapp(&self, apps: &[(&str, &AppKeys)]) -> Vec<Hop> {
        let mut hops = Vec::new();
        for (number, keys) in apps {
            let handshake = self.handshake(keys.verify_token.expose_secret()).await;
            hops.push(hop(format!("handshake of {number}"), handshake.and_then(|a| echoed(&a))));
        }
        let wrong = self.handshake(UNKNOWN).await.and_then(|answer| refused(&answer, 403));
        hops.push(hop("refusal of a wrong handshake word".to_owned(), wrong));
        let unsigned = self.post(None).await.and_then(|answer| refused(&answer, 401));
        hops.push(hop("refusal of an unsigned webhook".to_owned(), unsigned));
        for (number, keys) in apps {
            let signed = self.post(Some(&keys.app_secret)).await;
            hops.push(hop(format!("signed webhook of {number}"), signed.and_then(|a| taken(&a))));
        }
        hops
    }

    /// What a Creatio site does: without a token that is ours it must not get in.
    pub async fn creatio(&self) -> Hop {
        let answer = self.hint(&SecretString::from(UNKNOWN)).await.and_then(|answer| refused(&answer, 401));
        hop("refusal of an unknown Creatio token".to_owned(), answer)
    }

    /// A hint with the organisation's own token that names no case: it must be let in, and told so.
    pub async fn creatio_token(&self, org: &str, token: &SecretString) -> Hop {
        let answer = self.hint(token).await.and_then(|answer| match answer.status {
            400 => Ok(()),
            401 => Err(failed("the token in the file is refused", "run switchboard apply with this file")),
            _ => Err(unexpected(&answer)),
        });
        hop(format!("Creatio webhook token of {org}"), answer)
    }

    async fn handshake(&self, word: &str) -> Result<Answer, Outcome> {
        let url = address(&self.addresses.whatsapp)?;
        let query = [("hub.mode", "subscribe"), ("hub.verify_token", word), ("hub.challenge", CHALLENGE)];
        self.call(self.http.get(url).query(&query)).await
    }

    async fn post(&self, secret: Option<&SecretString>) -> Result<Answer, Outcome> {
        let url = address(&self.addresses.whatsapp)?;
        let request = self.http.post(url).header("content-type", "application/json").body(EMPTY);
        let signed = match secret {
            Some(secret) => request.header("x-hub-signature-256", signature(secret, EMPTY.as_bytes())),
            None => request,
        };
        self.call(signed).await
    }

    async fn hint(&self, token: &SecretString) -> Result<Answer, Outcome> {
        let whole = self.addresses.creatio_with(token);
        let whole = whole.map_err(|trouble| failed(&trouble.to_string(), NOT_THERE))?;
        let request =
            self.http.post(address(whole.expose_secret())?).header("content-type", "application/json");
        self.call(request.body("{}")).await
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Result<Answer, Outcome> {
        self.http.call(request, LIMIT).await.map_err(|error| {
            failed(&error.to_string(), "check the address, a custom domain's certificate, and the network")
        })
    }
}

/// What to do when the address leads elsewhere.
const NOT_THERE: &str = "check that the address leads to this stack's API, and deploy it again";

fn address(text: &str) -> Result<Url, Outcome> {
    Url::parse(text).map_err(|_| failed("the stack's address is no web address", NOT_THERE))
}

fn echoed(answer: &Answer) -> Result<(), Outcome> {
    match answer.status {
        200 if answer.body.as_ref() == CHALLENGE.as_bytes() => Ok(()),
        403 => Err(failed(
            "the function does not know the configured verify token",
            "within five minutes after apply: wait. Later: see whether its role may read the secret (its logs say)",
        )),
        _ => Err(unexpected(answer)),
    }
}

fn taken(answer: &Answer) -> Result<(), Outcome> {
    match answer.status {
        200 => Ok(()),
        401 => Err(failed(
            "the function does not accept the configured app secret",
            "within five minutes after apply: wait. Later: see whether its role may read the secret (its logs say)",
        )),
        _ => Err(unexpected(answer)),
    }
}

fn refused(answer: &Answer, status: u16) -> Result<(), Outcome> {
    match answer.status {
        is if is == status => Ok(()),
        200 => Err(failed(
            "it was let in: anybody can speak to this line",
            "do not give this address to anybody; check what answers there, and deploy the stack again",
        )),
        _ => Err(unexpected(answer)),
    }
}

fn unexpected(answer: &Answer) -> Outcome {
    let status = answer.status;
    match status {
        404 => failed("answered 404: the API has no such route", NOT_THERE),
        429 => failed("answered 429: the API is throttled", "try again in a minute"),
        500.. => failed(
            &format!("answered {status}: the function fails"),
            "look at the function's logs; 503 means that settings, secrets or queue were not reached",
        ),
        _ => failed(&format!("answered {status}"), NOT_THERE),
    }
}

fn failed(why: &str, todo: &str) -> Outcome {
    Outcome::failed(why, todo)
}

fn hop(name: String, result: Result<(), Outcome>) -> Hop {
    Hop { name, outcome: result.err().unwrap_or(Outcome::Ok) }
}

#[cfg(test)]
#[path = "webhooks_tests.rs"]
mod tests;
