//! A client secret that was replaced while we knew the one before: used at once, and asked for once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use serde_json::json;
use shared_flow::ports::PortResult;

use super::super::account::tests::account;
use super::super::stub::{Say, Stub, http, org};
use super::*;

/// The settings, in which the secret changes when they are read anew.
struct Settings {
    site: String,
    secrets: Mutex<Vec<&'static str>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Accounts for Settings {
    async fn account(&self, _: &OrgId) -> PortResult<Option<Account>> {
        let client_secret = self.secrets.lock().unwrap()[0].into();
        Ok(Some(Account { client_secret, ..account(&self.site) }))
    }

    async fn org_of_token(&self, _: &[u8; 32]) -> PortResult<Option<OrgId>> {
        Ok(None)
    }

    async fn afresh(&self, _: &OrgId) -> PortResult<bool> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut secrets = self.secrets.lock().unwrap();
        let changed = secrets.len() > 1;
        if changed {
            secrets.remove(0);
        }
        Ok(changed)
    }
}

fn refused() -> Say {
    Say::Json(400, json!({"error": "invalid_client"}))
}

fn sites(stub: &Stub, secrets: &[&'static str]) -> (Sites, Arc<Settings>) {
    let settings = Arc::new(Settings {
        site: stub.base.clone(),
        secrets: Mutex::new(secrets.to_vec()),
        asked: AtomicUsize::new(0),
    });
    (Sites::new(http(), settings.clone()), settings)
}

async fn read(sites: &Sites) -> Result<Option<Value>, Fault> {
    let org = org();
    sites.of(&org).await.unwrap().get("Contact").await
}

fn page() -> Say {
    Say::Json(200, json!({"@odata.context": "$metadata", "value": []}))
}

#[tokio::test]
async fn a_secret_that_was_replaced_a_moment_ago_is_used_at_once() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", refused()).on("GET /0/odata/Contact", page());
    let (sites, settings) = sites(&stub, &["old", "new"]);
    assert!(read(&sites).await.is_ok());
    assert_eq!((stub.count("POST"), settings.asked.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn a_token_that_went_with_the_old_secret_is_replaced_with_the_new_one() {
    let stub = Stub::start().await;
    stub.on("GET /0/odata/Contact", page());
    let (sites, settings) = sites(&stub, &["old", "new"]);
    assert!(read(&sites).await.is_ok());
    // The administrator makes a new secret, which ends the old one and its tokens.
    stub.on("GET /0/odata/Contact", Say::Empty(401)).on("POST /connect/token", refused());
    stub.on("GET /0/odata/Contact", page());
    let outcome = read(&sites).await;
    assert!(outcome.is_ok());
    assert_eq!((stub.count("POST"), settings.asked.load(Ordering::Relaxed)), (3, 1));
}

#[tokio::test]
async fn a_secret_that_is_refused_too_ends_it() {
    let stub = Stub::start().await;
    for _ in 0..9 {
        stub.on("POST /connect/token", refused());
    }
    let (sites, settings) = sites(&stub, &["old", "older", "new"]);
    let outcome = read(&sites).await;
    assert!(matches!(outcome, Err(Fault::Known(CrmError::Broken(_)))));
    assert_eq!((stub.count("POST"), settings.asked.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn trouble_that_passes_is_no_reason_to_look_again() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", Say::Empty(503));
    let (sites, settings) = sites(&stub, &["old", "new"]);
    assert!(read(&sites).await.is_err());
    assert_eq!((stub.count("POST"), settings.asked.load(Ordering::Relaxed)), (1, 0));
}
