//! Reading secrets: how long they count, and what happens when they are absent, spoilt, out of reach or changed.

use futures::future::join_all;
use secrecy::ExposeSecret;
use shared::OrgId;
use shared_aws::secrets::{ModelSecret, Name, Secrets};
use shared_flow::ports::{PortError, PortResult};

use crate::fake::{CANARY, Fake, Stored};

const MODEL: &str = "acme/model";

fn name() -> Name {
    Name::Model(OrgId::new("acme").unwrap())
}

async fn with_key(key: &str) -> Fake {
    let fake = Fake::start().await;
    set(&fake, key);
    fake
}

fn set(fake: &Fake, key: &str) {
    fake.set(MODEL, &format!(r#"{{"api_key":"{key}"}}"#));
}

/// The key as the process knows it.
async fn key(secrets: &Secrets) -> PortResult<Option<String>> {
    let found = secrets.get::<ModelSecret>(&name()).await?;
    Ok(found.map(|found| found.api_key.expose_secret().to_owned()))
}

async fn known(secrets: &Secrets) -> Option<String> {
    key(secrets).await.unwrap()
}

fn reads(fake: &Fake) -> usize {
    fake.count("GetSecretValue")
}

fn silent(error: &PortError) -> String {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("acme/model"), "{shown}");
    shown
}

#[tokio::test]
async fn a_secret_counts_for_five_minutes() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    assert_eq!(known(&secrets).await.as_deref(), Some("one"));
    set(&fake, "two");
    fake.pass(299);
    assert_eq!((known(&secrets.clone()).await.as_deref(), reads(&fake)), (Some("one"), 1));
    fake.pass(1);
    assert_eq!((known(&secrets).await.as_deref(), reads(&fake)), (Some("two"), 2));
    assert_eq!(fake.asked("GetSecretValue")[0]["SecretId"], "line/acme/model");
}

#[tokio::test]
async fn callers_at_once_share_one_look() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    for found in join_all((0..20).map(|_| known(&secrets))).await {
        assert_eq!(found.as_deref(), Some("one"));
    }
    assert_eq!(reads(&fake), 1);
}

#[tokio::test]
async fn an_absent_secret_is_none_and_soon_looked_for_again() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    assert_eq!(known(&secrets).await, None);
    set(&fake, "one");
    fake.pass(29);
    assert_eq!((known(&secrets).await, reads(&fake)), (None, 1));
    fake.pass(1);
    assert_eq!(known(&secrets).await.as_deref(), Some("one"));
}

#[tokio::test]
async fn a_secret_that_is_marked_for_deletion_is_absent() {
    let fake = Fake::start().await;
    fake.set_as(MODEL, Stored { content: Some("{}".to_owned()), deleted: true, ..Stored::default() });
    assert_eq!(known(&fake.secrets()).await, None);
}

#[tokio::test]
async fn what_is_malformed_is_named_not_quoted_and_soon_read_again() {
    for content in
        [CANARY, r#"{"api_key":"canary-0f3a""#, r#"{"key":"canary-0f3a"}"#, r#"{"api_key":{}}"#, ""]
    {
        let fake = Fake::start().await;
        fake.set(MODEL, content);
        let secrets = fake.secrets();
        let error = key(&secrets).await.unwrap_err();
        assert!(matches!(error, PortError::Unreadable { .. }), "{error}");
        silent(&error);
        set(&fake, "one");
        fake.pass(29);
        assert!(key(&secrets).await.is_err());
        fake.pass(1);
        assert_eq!((known(&secrets).await.as_deref(), reads(&fake)), (Some("one"), 2), "{content}");
    }
}

#[tokio::test]
async fn bytes_in_the_place_of_json_are_malformed_too() {
    let fake = Fake::start().await;
    fake.set_as(MODEL, Stored::default());
    let error = key(&fake.secrets()).await.unwrap_err();
    assert!(matches!(error, PortError::Unreadable { .. }) && silent(&error).contains("bytes"), "{error}");
}

#[tokio::test]
async fn while_the_service_is_away_what_was_read_counts_for_an_hour() {
    for failure in
        [(500, "InternalServiceError"), (400, "ThrottlingException"), (400, "AccessDeniedException")]
    {
        let fake = with_key("one").await;
        let secrets = fake.secrets();
        known(&secrets).await;
        fake.break_with(Some(failure));
        fake.pass(300);
        assert_eq!(known(&secrets).await.as_deref(), Some("one"), "{failure:?}");
        fake.pass(3_299);
        assert_eq!(known(&secrets).await.as_deref(), Some("one"), "{failure:?}");
        fake.pass(1);
        let error = key(&secrets).await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
        assert!(silent(&error).contains(failure.1), "{error}");
        fake.break_with(None);
        assert_eq!(known(&secrets).await.as_deref(), Some("one"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_left_alone_for_ten_seconds() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    known(&secrets).await;
    fake.break_with(Some((500, "InternalServiceError")));
    fake.pass(300);
    for _ in 0..5 {
        known(&secrets).await;
    }
    assert_eq!(reads(&fake), 2);
    fake.break_with(None);
    set(&fake, "two");
    fake.pass(10);
    assert_eq!(known(&secrets).await.as_deref(), Some("two"));
}

#[tokio::test]
async fn what_was_never_read_has_no_stand_in() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    // That it was absent once is nothing to go on.
    assert_eq!(known(&secrets).await, None);
    fake.break_with(Some((500, "InternalServiceError")));
    fake.pass(30);
    for wanted in [2, 3] {
        assert!(matches!(key(&secrets).await, Err(PortError::Unavailable { .. })));
        assert_eq!(reads(&fake), wanted, "each asks again");
    }
}

#[tokio::test]
async fn a_refusal_makes_a_secret_be_read_anew_at_once_but_rarely() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    known(&secrets).await;
    for _ in 0..100 {
        assert!(!secrets.afresh(&name()).await.unwrap());
    }
    assert_eq!(reads(&fake), 2, "one look, whatever comes");
    fake.pass(29);
    set(&fake, "two");
    assert!(!secrets.afresh(&name()).await.unwrap());
    fake.pass(1);
    assert!(secrets.afresh(&name()).await.unwrap());
    assert_eq!((known(&secrets).await.as_deref(), reads(&fake)), (Some("two"), 3));
}

#[tokio::test]
async fn whoever_was_refused_with_the_secret_before_hears_of_the_change_too() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    known(&secrets).await;
    set(&fake, "two");
    let name = name();
    for changed in join_all((0..10).map(|_| secrets.afresh(&name))).await {
        assert!(changed.unwrap());
    }
    assert_eq!(reads(&fake), 2);
    fake.pass(30);
    assert!(!secrets.afresh(&name).await.unwrap(), "the change is old by now");
}

#[tokio::test]
async fn a_secret_that_is_made_after_a_refusal_is_found_by_the_next() {
    let fake = Fake::start().await;
    let secrets = fake.secrets();
    assert_eq!(known(&secrets).await, None);
    set(&fake, "one");
    assert!(secrets.afresh(&name()).await.unwrap());
    assert_eq!(known(&secrets).await.as_deref(), Some("one"));
    fake.remove(MODEL);
    fake.pass(300);
    assert_eq!(known(&secrets).await, None);
}

#[tokio::test]
async fn a_refusal_while_the_service_is_away_changes_nothing() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    known(&secrets).await;
    fake.break_with(Some((503, "ServiceUnavailable")));
    for _ in 0..3 {
        assert!(!secrets.afresh(&name()).await.unwrap());
    }
    assert_eq!((known(&secrets).await.as_deref(), reads(&fake)), (Some("one"), 2));
    let other = Name::Creatio(OrgId::new("acme").unwrap());
    assert!(secrets.afresh(&other).await.is_err(), "of this one nothing is known");
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_count_for_longer() {
    let fake = with_key("one").await;
    let secrets = fake.secrets();
    known(&secrets).await;
    set(&fake, "two");
    fake.pass(-3_600);
    assert_eq!(known(&secrets).await.as_deref(), Some("two"));
}
