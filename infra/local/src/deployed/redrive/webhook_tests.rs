//! Parked webhooks of every shape, read by the code of this version.

use secrecy::SecretString;
use shared::{Command, OrgId};
use shared_vendors::whatsapp::account;

use super::*;
use crate::config;
use crate::settings::LocalSettings;

const WHOLE: &str = include_str!("../../config/whole.toml");
const CHANGE: &str = r#"{"field":"messages","value":{"messaging_product":"whatsapp",
    "metadata":{"phone_number_id":"880200000000011"},
    "contacts":[{"user_id":"US.1","profile":{"name":"Ada"}}],
    "messages":[{"id":"wamid.1","from_user_id":"US.1","type":"text","text":{"body":"hello"}}]}}"#;

fn at() -> Timestamp {
    Timestamp::from_second(1_794_819_600).unwrap()
}

fn parked(original: &str) -> Parked {
    Parked {
        org: None,
        source: super::super::items::WEBHOOKS.to_owned(),
        reason: "genuine but unreadable".to_owned(),
        original: original.as_bytes().to_vec(),
        at: at(),
    }
}

fn reader(file: &str) -> Reader {
    let settings = Arc::new(LocalSettings::new(&config::parse(file).unwrap(), "unused").unwrap());
    Reader { settings: settings.clone(), accounts: settings }
}

async fn read(original: &str) -> Reading {
    reader(WHOLE).read(&parked(original)).await.unwrap()
}

#[tokio::test]
async fn a_body_an_entry_and_a_change_can_be_read_again() {
    let entry = format!(r#"{{"id":"1","changes":[{CHANGE}]}}"#);
    let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{entry}]}}"#);
    for original in [body.as_str(), &entry, CHANGE] {
        let Reading::Jobs(jobs, 0) = read(original).await else { panic!("{original}") };
        let [Job::Command { envelope, .. }] = jobs.as_slice() else { panic!("{jobs:?}") };
        assert_eq!(envelope.org, OrgId::new("acme").unwrap());
        assert_eq!(envelope.key.as_deref(), Some("wa:880200000000011:wamid.1"));
        assert_eq!(envelope.at, at(), "it came then, not now");
        let Command::CustomerWrote(message) = &envelope.command else { panic!("no message") };
        assert_eq!(message.at, at(), "without a time of its own it is as old as its webhook");
    }
}

#[tokio::test]
async fn what_cannot_be_read_stays_and_says_why() {
    let message = r#"{"id":"wamid.1","from":"12025550123","type":"text","text":{"body":"canary"}}"#;
    let foreign = CHANGE.replace("880200000000011", "999");
    for original in ["", "\u{0}canary", "{\"canary\":", "[]", "{}", message, &foreign] {
        let Reading::Stays(why) = read(original).await else { panic!("{original}") };
        assert!(!why.contains("canary") && why.len() > 20, "{why}");
    }
}

#[tokio::test]
async fn parts_that_still_cannot_be_read_are_counted() {
    let spoilt = CHANGE.replace("\"messages\":[", "\"messages\":[17,");
    let Reading::Jobs(jobs, left) = read(&spoilt).await else { panic!("nothing was read") };
    assert_eq!((jobs.len(), left), (1, 1));
}

#[tokio::test]
async fn with_several_apps_nobody_knows_whose_it_was() {
    let other = WHOLE.replace("orgs.acme", "orgs.other").replace("example-", "other-");
    let two = format!("{WHOLE}\n{}", other.replace("000011", "000022"));
    let reading = reader(&two).read(&parked(CHANGE)).await.unwrap();
    assert!(matches!(reading, Reading::Stays(_)), "{reading:?}");
    let none = Reader { accounts: Arc::new(NoApp), ..reader(WHOLE) };
    assert!(matches!(none.read(&parked(CHANGE)).await.unwrap(), Reading::Stays(_)));
}

/// A stack that nobody told any app.
struct NoApp;

#[async_trait]
impl account::Accounts for NoApp {
    async fn access_token(&self, _: &OrgId, _: &str) -> PortResult<Option<SecretString>> {
        Ok(None)
    }
    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        Ok(Vec::new())
    }
    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(Vec::new())
    }
}
