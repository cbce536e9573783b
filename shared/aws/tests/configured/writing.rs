//! Writing secrets: once, only what differs, under the stack's key, and back from the bin.

use secrecy::SecretString;
use shared::OrgId;
use shared_aws::secrets::{ModelSecret, Name, Secrets, Written};
use shared_flow::ports::PortError;

use crate::fake::{CANARY, Fake};

const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/1";
const OTHER_KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/2";

fn name() -> Name {
    Name::Model(OrgId::new("acme").unwrap())
}

fn payload(key: &str) -> ModelSecret {
    ModelSecret { api_key: SecretString::from(key) }
}

async fn put(secrets: &Secrets, key: &str) -> Written {
    let would = secrets.compare(&name(), &payload(key), KEY).await.unwrap();
    let written = secrets.put(&name(), &payload(key), KEY).await.unwrap();
    assert_eq!(would, written);
    written
}

#[tokio::test]
async fn a_secret_is_written_when_it_differs_and_only_then() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    assert_eq!(put(&secrets, "one").await, Written::Created);
    assert_eq!(put(&secrets, "one").await, Written::Unchanged);
    assert_eq!(put(&secrets, "two").await, Written::Changed);
    assert_eq!(put(&secrets, "two").await, Written::Unchanged);
    let stored = fake.stored("acme/model").unwrap();
    assert_eq!(stored.content.as_deref(), Some(r#"{"api_key":"two"}"#));
    assert_eq!((stored.key.as_str(), stored.versions), (KEY, 2));
}

#[tokio::test]
async fn what_was_written_is_what_is_read_next() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    assert!(secrets.get::<ModelSecret>(&name()).await.unwrap().is_none());
    put(&secrets, "one").await;
    assert!(secrets.get::<ModelSecret>(&name()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_secret_under_another_key_is_written_again_though_it_says_the_same() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    secrets.put(&name(), &payload("one"), OTHER_KEY).await.unwrap();
    assert_eq!(put(&secrets, "one").await, Written::Changed);
    assert_eq!(fake.stored("acme/model").unwrap().key, KEY);
    // The service may name the key by its id alone.
    let mut stored = fake.stored("acme/model").unwrap();
    stored.key = "1".to_owned();
    fake.set_as("acme/model", stored);
    assert_eq!(put(&secrets, "one").await, Written::Unchanged);
}

#[tokio::test]
async fn a_removed_secret_is_absent_and_comes_back_by_being_written() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    secrets.remove(&name()).await.unwrap();
    put(&secrets, "one").await;
    for _ in 0..2 {
        secrets.remove(&name()).await.unwrap();
    }
    assert_eq!(fake.asked("DeleteSecret")[1]["RecoveryWindowInDays"], 7);
    assert!(secrets.get::<ModelSecret>(&name()).await.unwrap().is_none());
    assert_eq!(put(&secrets, "two").await, Written::Created);
    let stored = fake.stored("acme/model").unwrap();
    assert_eq!((stored.content.as_deref(), stored.deleted), (Some(r#"{"api_key":"two"}"#), false));
}

#[tokio::test]
async fn the_stacks_own_secrets_are_listed_and_no_others() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    for name in ["whatsapp-webhooks", "acme/whatsapp", "acme/model", "b/creatio", "acme/later", "other"] {
        fake.set(name, "{}");
    }
    fake.set("../line-2/acme/creatio", "{}");
    let org = |id| OrgId::new(id).unwrap();
    let wanted = [
        Name::WhatsappWebhooks,
        Name::Whatsapp(org("acme")),
        Name::Creatio(org("b")),
        Name::Model(org("acme")),
    ];
    assert_eq!(secrets.names().await.unwrap(), wanted);
    assert!(fake.count("ListSecrets") > 1, "more than one page");
}

#[tokio::test]
async fn a_failure_names_the_secret_and_quotes_nothing() {
    let fake = Fake::start().await;
    fake.break_with(Some((400, "DecryptionFailure")));
    let error = fake.secrets().put(&name(), &payload(CANARY), KEY).await.unwrap_err();
    assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CANARY) && shown.contains("acme/model: answered DecryptionFailure"), "{shown}");
}
