//! Reading settings: what is remembered and for how long, what is never remembered, and a table that is away.

use shared::OrgId;
use shared::channel::LineKey;
use shared_aws::settings::SettingsTable;
use shared_flow::ports::{PortError, PortResult, Settings};

use crate::fake::{CANARY, Fake};

fn line() -> LineKey {
    LineKey::whatsapp("880200000000011")
}

fn set(fake: &Fake, ai_enabled: bool) {
    let body = format!(r#"{{"org":"acme","ai_enabled":{ai_enabled}}}"#);
    fake.record("LINE#whatsapp:880200000000011", &body);
}

async fn ai_enabled(settings: &SettingsTable) -> PortResult<Option<bool>> {
    Ok(settings.line(&line()).await?.map(|line| line.ai_enabled))
}

#[tokio::test]
async fn what_was_found_counts_for_thirty_seconds() {
    let fake = Fake::start().await;
    set(&fake, true);
    let settings = fake.settings();
    assert_eq!(ai_enabled(&settings).await.unwrap(), Some(true));
    set(&fake, false);
    fake.pass(29);
    assert_eq!(ai_enabled(&settings.clone()).await.unwrap(), Some(true));
    assert_eq!(fake.count("GetItem"), 1);
    fake.pass(1);
    assert_eq!(ai_enabled(&settings).await.unwrap(), Some(false));
    assert_eq!(fake.asked("GetItem")[0]["ConsistentRead"], false);
}

#[tokio::test]
async fn a_number_that_was_configured_a_second_ago_works() {
    let fake = Fake::start().await;
    let settings = fake.settings();
    assert_eq!(ai_enabled(&settings).await.unwrap(), None);
    // Absence is believed only after a look that cannot lag behind.
    assert_eq!(fake.asked("GetItem")[1]["ConsistentRead"], true);
    set(&fake, true);
    assert_eq!(ai_enabled(&settings).await.unwrap(), Some(true));
}

#[tokio::test]
async fn while_the_table_is_away_what_was_found_counts_for_an_hour() {
    for failure in [(500, "InternalServerError"), (400, "ThrottlingException")] {
        let fake = Fake::start().await;
        set(&fake, true);
        let settings = fake.settings();
        ai_enabled(&settings).await.unwrap();
        fake.break_with(Some(failure));
        fake.pass(30);
        for _ in 0..5 {
            assert_eq!(ai_enabled(&settings).await.unwrap(), Some(true));
        }
        assert_eq!(fake.count("GetItem"), 2, "it is left alone for a while");
        fake.pass(3_569);
        assert_eq!(ai_enabled(&settings).await.unwrap(), Some(true));
        fake.pass(1);
        let error = ai_enabled(&settings).await.unwrap_err();
        assert!(matches!(error, PortError::Unavailable { .. }), "{error}");
        assert!(!format!("{error:?}").contains(CANARY));
        fake.break_with(None);
        assert_eq!(ai_enabled(&settings).await.unwrap(), Some(true));
    }
}

#[tokio::test]
async fn what_was_never_found_has_no_stand_in() {
    let fake = Fake::start().await;
    let settings = fake.settings();
    assert_eq!(ai_enabled(&settings).await.unwrap(), None);
    fake.break_with(Some((500, "InternalServerError")));
    assert!(matches!(ai_enabled(&settings).await, Err(PortError::Unavailable { .. })));
    assert!(matches!(settings.reachable().await, Err(PortError::Unavailable { .. })));
}

#[tokio::test]
async fn a_record_that_does_not_parse_is_named_and_not_quoted() {
    for body in [r#"{"name":"canary-0f3a"}"#, CANARY, ""] {
        let fake = Fake::start().await;
        fake.record("ORG#acme", body);
        let error = fake.settings().org(&OrgId::new("acme").unwrap()).await.unwrap_err();
        assert!(matches!(error, PortError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains("ORG#acme") && !error.to_string().contains(CANARY), "{error}");
    }
}

#[tokio::test]
async fn a_token_ends_to_the_second_though_it_is_remembered() {
    let fake = Fake::start().await;
    let end = shared_flow::ports::Clock::now(&fake.clock).as_second() + 10;
    let digest = [7; 32];
    let key = format!("CREATIO-TOKEN#{}", "07".repeat(32));
    fake.record(&key, &format!(r#"{{"org":"acme","expires_at":{end}}}"#));
    let settings = fake.settings();
    let acme = OrgId::new("acme").unwrap();
    fake.pass(9);
    assert_eq!(settings.creatio_org_of_token(&digest).await.unwrap(), Some(acme.clone()));
    fake.pass(1);
    assert_eq!(settings.creatio_org_of_token(&digest).await.unwrap(), None);
    assert_eq!(fake.count("GetItem"), 1);
    fake.record(&key, r#"{"org":"acme"}"#);
    fake.pass(30);
    assert_eq!(settings.creatio_org_of_token(&digest).await.unwrap(), Some(acme));
    assert_eq!(settings.creatio_org_of_token(&[8; 32]).await.unwrap(), None);
}
