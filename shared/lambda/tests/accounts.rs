//! Credentials of a deployed line: put together from settings and secrets, each organisation's own, each function's
//! own, and read anew when they are refused.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../aws/tests/configured/fake.rs"]
mod fake;

use std::collections::BTreeSet;
use std::sync::Arc;

use secrecy::ExposeSecret;
use shared::OrgId;
use shared_flow::ports::PortError;
use shared_lambda::accounts::DeployedAccounts;
use shared_vendors::{creatio, llm, whatsapp};

use crate::fake::Fake;

const NUMBER: &str = "880200000000011";
const ORG: &str = r#"{"name":"Acme","profile":"P","session_url":"u",
    "creatio":{"instance_url":"https://acme.creatio.com","identity_url":"https://id.example","client_id":"client",
        "default_owner_id":"410006e1-ca4e-4502-a9ec-e54d922d2c00"},
    "model":{"provider":"openai","base_url":"https://m.example/v1","model":"any"}}"#;

fn acme() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn accounts(fake: &Fake) -> DeployedAccounts {
    DeployedAccounts::new(Arc::new(fake.settings()), Arc::new(fake.secrets()))
}

/// A line with everything configured.
async fn configured() -> (Fake, DeployedAccounts) {
    let fake = Fake::start().await;
    fake.record("ORG#acme", ORG);
    fake.set("acme/whatsapp", &format!(r#"{{"access_tokens":{{"{NUMBER}":"token"}}}}"#));
    fake.set("acme/creatio", r#"{"client_secret":"secret"}"#);
    fake.set("acme/model", r#"{"api_key":"key"}"#);
    let apps = r#"{"apps":[{"app_secret":"s1","verify_token":"v1","numbers":["1","2"]},
        {"app_secret":"s2","verify_token":"v2","numbers":["3"]}]}"#;
    fake.set("whatsapp-webhooks", apps);
    let accounts = accounts(&fake);
    (fake, accounts)
}

/// The secrets that were asked for.
fn asked(fake: &Fake) -> BTreeSet<String> {
    fake.asked("GetSecretValue").iter().map(|body| body["SecretId"].as_str().unwrap().to_owned()).collect()
}

async fn token(accounts: &DeployedAccounts, org: &OrgId, number: &str) -> Option<String> {
    let found = whatsapp::Accounts::access_token(accounts, org, number).await.unwrap();
    found.map(|token| token.expose_secret().to_owned())
}

#[tokio::test]
async fn a_token_belongs_to_one_number_of_one_organisation() {
    let (fake, accounts) = configured().await;
    assert_eq!(token(&accounts, &acme(), NUMBER).await.as_deref(), Some("token"));
    assert_eq!(token(&accounts, &acme(), "1").await, None);
    assert_eq!(token(&accounts, &OrgId::new("other").unwrap(), NUMBER).await, None);
    assert_eq!(asked(&fake), ["line/acme/whatsapp", "line/other/whatsapp"].map(str::to_owned).into());
}

#[tokio::test]
async fn a_number_that_was_configured_a_moment_ago_has_its_token() {
    let (fake, accounts) = configured().await;
    token(&accounts, &acme(), NUMBER).await.unwrap();
    fake.set("acme/whatsapp", r#"{"access_tokens":{"7":"new"}}"#);
    assert_eq!(token(&accounts, &acme(), "7").await.as_deref(), Some("new"));
}

#[tokio::test]
async fn each_apps_secret_stands_for_its_own_numbers() {
    let (_fake, accounts) = configured().await;
    let apps = whatsapp::Accounts::app_secrets(&accounts).await.unwrap();
    let apps: Vec<_> = apps.iter().map(|app| (app.secret.expose_secret(), app.numbers.join(","))).collect();
    assert_eq!(apps, [("s1", "1,2".to_owned()), ("s2", "3".to_owned())]);
    let words = whatsapp::Accounts::verify_tokens(&accounts).await.unwrap();
    let words: Vec<_> = words.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(words, ["v1", "v2"]);
}

#[tokio::test]
async fn a_line_without_webhook_secrets_believes_nobody() {
    let fake = Fake::start().await;
    let accounts = accounts(&fake);
    assert!(whatsapp::Accounts::app_secrets(&accounts).await.unwrap().is_empty());
    assert!(whatsapp::Accounts::verify_tokens(&accounts).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_creatio_connection_is_its_record_and_its_secret() {
    let (fake, accounts) = configured().await;
    let account = creatio::account::Accounts::account(&accounts, &acme()).await.unwrap().unwrap();
    assert_eq!(account.instance_url, "https://acme.creatio.com");
    assert_eq!(account.identity_url.as_deref(), Some("https://id.example"));
    assert_eq!((account.client_id.as_str(), account.client_secret.expose_secret()), ("client", "secret"));
    assert!(account.default_owner_id.is_some() && account.default_group_id.is_none());
    assert_eq!(asked(&fake), ["line/acme/creatio".to_owned()].into());
    let other = OrgId::new("other").unwrap();
    assert!(creatio::account::Accounts::account(&accounts, &other).await.unwrap().is_none());
    // Whoever has no connection has no secret to be looked for.
    assert_eq!(asked(&fake).len(), 1);
}

#[tokio::test]
async fn a_webhook_token_is_looked_up_without_any_secret() {
    let (fake, accounts) = configured().await;
    fake.record(&format!("CREATIO-TOKEN#{}", "07".repeat(32)), r#"{"org":"acme"}"#);
    let of = async |digest| creatio::account::Accounts::org_of_token(&accounts, &digest).await.unwrap();
    assert_eq!((of([7; 32]).await, of([8; 32]).await), (Some(acme()), None));
    assert!(asked(&fake).is_empty());
}

#[tokio::test]
async fn a_model_is_its_record_and_its_key() {
    let (fake, accounts) = configured().await;
    let account = llm::account::Accounts::account(&accounts, &acme()).await.unwrap().unwrap();
    assert_eq!((account.base_url.as_str(), account.model.as_str()), ("https://m.example/v1", "any"));
    assert_eq!(account.api_key.expose_secret(), "key");
    assert_eq!(asked(&fake), ["line/acme/model".to_owned()].into());
    fake.remove("acme/model");
    fake.pass(300);
    assert!(llm::account::Accounts::account(&accounts, &acme()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_provider_of_a_newer_version_is_named_and_costs_only_the_model() {
    let (fake, accounts) = configured().await;
    fake.record("ORG#acme", &ORG.replace("\"openai\"", "\"telepathy\""));
    let error = llm::account::Accounts::account(&accounts, &acme()).await.unwrap_err();
    assert!(matches!(&error, PortError::Unreadable { why, .. } if why.contains("deploy")), "{error}");
    assert!(creatio::account::Accounts::account(&accounts, &acme()).await.unwrap().is_some());
}

#[tokio::test]
async fn each_vendors_refusal_reads_its_own_secret_anew_and_rarely() {
    let (fake, accounts) = configured().await;
    for _ in 0..100 {
        whatsapp::Accounts::afresh(&accounts, &acme()).await.unwrap();
        whatsapp::Accounts::apps_afresh(&accounts).await.unwrap();
        creatio::account::Accounts::afresh(&accounts, &acme()).await.unwrap();
        llm::account::Accounts::afresh(&accounts, &acme()).await.unwrap();
    }
    let names = ["acme/creatio", "acme/model", "acme/whatsapp", "whatsapp-webhooks"];
    assert_eq!(asked(&fake), names.map(|name| format!("line/{name}")).into());
    assert_eq!(fake.count("GetSecretValue"), 4);
    fake.pass(30);
    fake.set("acme/model", r#"{"api_key":"new"}"#);
    assert!(llm::account::Accounts::afresh(&accounts, &acme()).await.unwrap());
    assert!(!creatio::account::Accounts::afresh(&accounts, &acme()).await.unwrap());
    let account = llm::account::Accounts::account(&accounts, &acme()).await.unwrap().unwrap();
    assert_eq!(account.api_key.expose_secret(), "new");
}
