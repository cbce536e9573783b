//! What the settings promise: exactly what was configured, found by its own key, and nothing for any other.
//!
//! How settings get into a store differs from store to store, so whoever runs the suite writes [`configured`] there.

use jiff::SignedDuration;
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared_flow::ports::{LineSettings, OrgSettings, Settings};

use super::org;

/// What the suite wants a store to hold, and nothing else.
#[must_use]
pub fn configured() -> (Vec<OrgSettings>, Vec<LineSettings>) {
    let orgs = vec![
        org_settings("acme", 3_000, Some(CrmMode::EveryConversation)),
        org_settings("acme-2", 250, Some(CrmMode::OnlyOnHandoff)),
        org_settings("lone", 0, None),
    ];
    let lines = vec![
        line_settings("acme", "880200000000011", true, SignedDuration::from_hours(12)),
        line_settings("acme", "880200000000012", false, SignedDuration::from_mins(90)),
        line_settings("acme-2", "880200000000021", true, SignedDuration::from_secs(36)),
    ];
    (orgs, lines)
}

fn org_settings(id: &str, debounce_ms: i64, crm: Option<CrmMode>) -> OrgSettings {
    OrgSettings {
        org: org(id),
        name: format!("The “{id}” company"),
        profile: format!("You answer for {id}.\nBe \"kind\".\tAlways. 🚲"),
        session_url: format!("https://{id}.example/s/{{session_id}}?from=case"),
        debounce: SignedDuration::from_millis(debounce_ms),
        crm,
    }
}

fn line_settings(of: &str, address: &str, ai_enabled: bool, silence: SignedDuration) -> LineSettings {
    LineSettings { org: org(of), line: LineKey::whatsapp(address), ai_enabled, auto_resolve_after: silence }
}

/// Checks settings that hold what is [`configured`].
pub async fn settings(store: &dyn Settings) {
    what_was_configured_is_found(store).await;
    nothing_else_is_found(store).await;
}

async fn what_was_configured_is_found(store: &dyn Settings) {
    let (orgs, lines) = configured();
    // Twice: what is remembered is what was read.
    for _ in 0..2 {
        for org in &orgs {
            assert_eq!(store.org(&org.org).await.expect("an answer").as_ref(), Some(org));
        }
        for line in &lines {
            assert_eq!(store.line(&line.line).await.expect("an answer").as_ref(), Some(line));
        }
    }
}

async fn nothing_else_is_found(store: &dyn Settings) {
    for id in ["acm", "acme-", "acme-22", "other"] {
        assert_eq!(store.org(&org(id)).await.expect("an answer"), None, "{id}");
    }
    let long = "8".repeat(1_500);
    for address in
        ["", "88020000000001", "8802000000000110", "acme", "whatsapp:880200000000011", "a#b", &long]
    {
        let found = store.line(&LineKey::whatsapp(address)).await.expect("an answer");
        assert_eq!(found, None, "{address}");
    }
}
