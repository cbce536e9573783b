//! A laptop's settings keep the contract of the port, and each credential goes to whom it belongs.

use secrecy::ExposeSecret;
use shared::policy::CrmMode;
use shared_testkit::contracts;
use shared_vendors::creatio::webhook::token_digest;

use super::*;
use crate::config::{self, OrgConfig, WhatsAppConfig};

const WHOLE: &str = include_str!("../config/whole.toml");

/// The file that means what the contract wants configured.
fn configured() -> Config {
    let whole = config::parse(WHOLE).unwrap();
    let whole = &whole.orgs["acme"];
    let (orgs, lines) = contracts::configured();
    let number = |line: &LineSettings| WhatsAppConfig {
        phone_number_id: line.line.address.clone(),
        ai_enabled: line.ai_enabled,
        auto_resolve_hours: line.auto_resolve_after.as_secs_f64() / 3600.0,
        ..whole.whatsapp[0].clone()
    };
    let org = |org: OrgSettings| {
        let mut creatio = whole.creatio.clone().filter(|_| org.crm.is_some());
        if let Some(creatio) = &mut creatio {
            creatio.case_only_on_handoff = org.crm == Some(CrmMode::OnlyOnHandoff);
        }
        let config = OrgConfig {
            name: org.name,
            profile: org.profile,
            session_url: Some(org.session_url),
            debounce_seconds: org.debounce.as_secs_f64(),
            whatsapp: lines.iter().filter(|line| line.org == org.org).map(number).collect(),
            creatio,
            model: None,
        };
        (org.org.to_string(), config)
    };
    Config { orgs: orgs.into_iter().map(org).collect() }
}

fn whole() -> LocalSettings {
    LocalSettings::new(&config::parse(WHOLE).unwrap(), "http://127.0.0.1:8080").unwrap()
}

fn acme() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn other() -> OrgId {
    OrgId::new("other").unwrap()
}

#[tokio::test]
async fn the_contract_is_kept() {
    contracts::settings(&LocalSettings::new(&configured(), "unused").unwrap()).await;
}

#[tokio::test]
async fn reps_see_sessions_here_unless_the_file_says_where() {
    let file = WHOLE.replace("session_url", "#");
    let settings = LocalSettings::new(&config::parse(&file).unwrap(), "http://127.0.0.1:9").unwrap();
    let org = settings.org(&acme()).await.unwrap().unwrap();
    assert_eq!(org.session_url, "http://127.0.0.1:9/sessions/{session_id}");
}

#[tokio::test]
async fn each_credential_goes_to_whom_it_belongs() {
    let settings = whole();
    let token = whatsapp::Accounts::access_token(&settings, &acme(), "880200000000011").await.unwrap();
    assert_eq!(token.unwrap().expose_secret(), "example-access-token");
    for (org, number) in [(acme(), "1"), (other(), "880200000000011")] {
        assert!(whatsapp::Accounts::access_token(&settings, &org, number).await.unwrap().is_none());
    }
    let site = creatio::account::Accounts::account(&settings, &acme()).await.unwrap().unwrap();
    assert_eq!(site.client_secret.expose_secret(), "example-client-secret");
    assert!(site.identity_url.is_some() && site.resolved_status_id.is_some());
    assert!(creatio::account::Accounts::account(&settings, &other()).await.unwrap().is_none());
    let model = llm::account::Accounts::account(&settings, &acme()).await.unwrap().unwrap();
    assert_eq!((model.model.as_str(), model.api_key.expose_secret()), ("any", "example-key"));
    assert!(llm::account::Accounts::account(&settings, &other()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_webhook_is_let_in_by_its_own_secret_word_or_token() {
    let settings = whole();
    let apps = whatsapp::Accounts::app_secrets(&settings).await.unwrap();
    assert_eq!(apps.len(), 1);
    assert_eq!(apps[0].secret.expose_secret(), "example-app-secret");
    assert_eq!(apps[0].numbers, ["880200000000011"]);
    let words = whatsapp::Accounts::verify_tokens(&settings).await.unwrap();
    assert_eq!(words[0].expose_secret(), "example-verify-token");
    let of = async |token: &str| {
        creatio::account::Accounts::org_of_token(&settings, &token_digest(token)).await.unwrap()
    };
    assert_eq!((of("example-webhook-token").await, of("").await), (Some(acme()), None));
}
