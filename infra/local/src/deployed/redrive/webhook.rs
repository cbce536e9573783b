//! Reading a parked webhook once more, by the code that reads a new one: with this version's parser and the settings.
//!
//! What is parked is the whole body, when it was no JSON, or one part of it that could not be read. A part that names
//! the number it came to can be read by itself; a single message cannot, since its number stood around it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use shared::{SignedDuration, Timestamp};
use shared_flow::ingest::Ingest;
use shared_flow::ports::{Clock, Job, Parked, Parking, PortResult, Queues, Settings};
use shared_vendors::whatsapp::{Accounts, AppSecret, Verified, parse, verify};
use whatsapp_ingress::Intake;

use crate::deployed::signature::signature;

/// What a parked webhook carries.
#[derive(Debug, PartialEq)]
pub enum Reading {
    /// These go to their queues; so many parts of it can still not be read.
    Jobs(Vec<Job>, usize),
    /// Nothing can be made of it, and why.
    Stays(&'static str),
}

/// Where settings and secrets are found.
pub struct Reader {
    /// Whose number it is.
    pub settings: Arc<dyn Settings>,
    /// Which app brought it.
    pub accounts: Arc<dyn Accounts>,
}

impl Reader {
    /// Reads it as it would have been read when it came.
    pub async fn read(&self, parked: &Parked) -> PortResult<Reading> {
        let apps = self.accounts.app_secrets().await?;
        let Some(app) = the_one(&apps) else {
            return Ok(Reading::Stays(
                "it is not known which of the stack's Meta apps signed it, or none is configured: \
                 look at it with switchboard inspect whatsapp",
            ));
        };
        if serde_json::from_slice::<&RawValue>(&parked.original).is_err() {
            return Ok(Reading::Stays("it is no JSON, for this version as for the one that parked it"));
        }
        for body in bodies(&parked.original) {
            let (jobs, unreadable) = self.jobs(body, &app, parked.at).await?;
            if !jobs.is_empty() {
                return Ok(Reading::Jobs(jobs, unreadable));
            }
        }
        Ok(Reading::Stays(
            "this version finds no message and no status in it, or it is one message without the number it came to",
        ))
    }

    async fn jobs(&self, body: Bytes, app: &AppSecret, at: Timestamp) -> PortResult<(Vec<Job>, usize)> {
        let Some(verified) = signed_again(body, app) else { return Ok((Vec::new(), 0)) };
        let caught = Arc::new(Caught::default());
        let ingest = Ingest {
            clock: Arc::new(At(at)),
            settings: self.settings.clone(),
            queues: caught.clone(),
            parking: caught.clone(),
        };
        let taken = Intake { accounts: self.accounts.clone(), ingest }.take(parse(&verified)).await?;
        let jobs = std::mem::take(&mut *caught.0.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((jobs, taken.parked))
    }
}

/// The app that must have signed it: the only one. Its entries differ in the word of the handshake at most.
fn the_one(apps: &[AppSecret]) -> Option<AppSecret> {
    use secrecy::ExposeSecret;
    let secret = apps.first()?.secret.clone();
    let one = apps.iter().all(|app| app.secret.expose_secret() == secret.expose_secret());
    let numbers = apps.iter().flat_map(|app| app.numbers.iter().cloned()).collect();
    one.then_some(AppSecret { secret, numbers })
}

/// Its signature was checked before it was parked, and what stood around it is gone: the body is signed anew, so that it
/// takes the one way in.
fn signed_again(body: Bytes, app: &AppSecret) -> Option<Verified> {
    let header = signature(&app.secret, &body);
    verify(body, Some(&header), std::slice::from_ref(app)).ok()
}

/// The ways in which an original may be a body: as it is, as one of its entries, as one change of an entry.
fn bodies(original: &[u8]) -> [Bytes; 3] {
    let text = serde_json::from_slice::<&RawValue>(original).ok();
    let around =
        |inner: serde_json::Value| json!({ "object": "whatsapp_business_account", "entry": [inner] });
    let value = text.and_then(|text| serde_json::from_str::<serde_json::Value>(text.get()).ok());
    let value = value.unwrap_or_default();
    [
        Bytes::copy_from_slice(original),
        Bytes::from(around(value.clone()).to_string()),
        Bytes::from(around(json!({ "changes": [value] })).to_string()),
    ]
}

/// Keeps what would have been queued, and counts what would have been parked again.
#[derive(Default)]
struct Caught(Mutex<Vec<Job>>);

#[async_trait]
impl Queues for Caught {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(jobs);
        Ok(())
    }
}

#[async_trait]
impl Parking for Caught {
    async fn park(&self, _: &Parked) -> PortResult<()> {
        Ok(())
    }
}

/// The clock as it stood when the webhook came.
struct At(Timestamp);

#[async_trait]
impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }

    async fn sleep(&self, _: SignedDuration) {}
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
