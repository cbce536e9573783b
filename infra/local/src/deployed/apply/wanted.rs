//! What the configuration file asks a stack to hold: records for its settings table, contents for its secrets.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use shared::OrgId;
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared_aws::secrets::{AccessTokens, CreatioSecret, ModelSecret, WebhookApp, WebhookSecrets};
use shared_aws::settings::record::{CreatioRecord, LineRecord, ModelRecord, OrgRecord, Provider};
use shared_vendors::creatio::webhook::token_digest;

use crate::config::{self, BadConfig, Config, CreatioConfig, ModelConfig, OrgConfig, WhatsAppConfig};

/// What is to stand in the stack.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Organisations.
    pub orgs: BTreeMap<OrgId, OrgRecord>,
    /// Lines.
    pub lines: BTreeMap<LineKey, LineRecord>,
    /// The digest of each organisation's webhook token; `None` when it has no Creatio site.
    pub tokens: BTreeMap<OrgId, Option<[u8; 32]>>,
    /// Secrets.
    pub vault: Vault,
    /// What an operator should know although nothing is wrong.
    pub notes: Vec<String>,
}

/// The contents of a stack's secrets.
#[derive(Debug, Default, Clone)]
pub struct Vault {
    /// What proves webhooks, by number.
    pub webhooks: BTreeMap<String, AppKeys>,
    /// Tokens that send.
    pub access: BTreeMap<OrgId, AccessTokens>,
    /// Creatio client secrets.
    pub creatio: BTreeMap<OrgId, CreatioSecret>,
    /// Model keys.
    pub models: BTreeMap<OrgId, ModelSecret>,
}

/// The two words that a number's Meta app shares with us.
#[derive(Debug, Clone)]
pub struct AppKeys {
    /// Signs webhooks.
    pub app_secret: SecretString,
    /// Is repeated at the handshake.
    pub verify_token: SecretString,
}

impl AppKeys {
    fn is(&self, app: &WebhookApp) -> bool {
        same(&self.app_secret, &app.app_secret) && same(&self.verify_token, &app.verify_token)
    }
}

/// Whether two secrets are the same. Both are ours, so the time it takes tells nobody anything.
pub fn same(a: &SecretString, b: &SecretString) -> bool {
    a.expose_secret() == b.expose_secret()
}

/// Numbers of one app share an entry.
#[must_use]
pub fn webhook_secrets(numbers: &BTreeMap<String, AppKeys>) -> WebhookSecrets {
    let mut secrets = WebhookSecrets::default();
    for (number, keys) in numbers {
        match secrets.apps.iter_mut().find(|app| keys.is(app)) {
            Some(app) => app.numbers.push(number.clone()),
            None => secrets.apps.push(WebhookApp {
                app_secret: keys.app_secret.clone(),
                verify_token: keys.verify_token.clone(),
                numbers: vec![number.clone()],
            }),
        }
    }
    secrets
}

/// The keys by number. Of a number with several entries the first counts, as for whoever sends.
#[must_use]
pub fn webhook_keys(secrets: &WebhookSecrets) -> BTreeMap<String, AppKeys> {
    let mut keys = BTreeMap::new();
    for app in &secrets.apps {
        for number in &app.numbers {
            let of_app =
                || AppKeys { app_secret: app.app_secret.clone(), verify_token: app.verify_token.clone() };
            keys.entry(number.clone()).or_insert_with(of_app);
        }
    }
    keys
}

impl Wanted {
    /// Reads a checked file. `api` is the stack's own address, for links where the file names none.
    pub fn new(config: &Config, api: &str) -> Result<Self, BadConfig> {
        let mut wanted = Self::default();
        for (id, org) in &config.orgs {
            let id = OrgId::new(id).map_err(|error| BadConfig(error.to_string()))?;
            wanted.add(&id, org, api);
        }
        Ok(wanted)
    }

    fn add(&mut self, id: &OrgId, org: &OrgConfig, api: &str) {
        self.notes.extend(notes(id, org, api));
        self.orgs.insert(id.clone(), org_record(org, api));
        for number in &org.whatsapp {
            self.add_number(id, number);
        }
        let digest = |creatio: &CreatioConfig| token_digest(creatio.webhook_token.expose_secret());
        self.tokens.insert(id.clone(), org.creatio.as_ref().map(digest));
        if let Some(creatio) = &org.creatio {
            let secret = CreatioSecret { client_secret: creatio.client_secret.clone() };
            self.vault.creatio.insert(id.clone(), secret);
        }
        if let Some(model) = &org.model {
            self.vault.models.insert(id.clone(), ModelSecret { api_key: model.api_key.clone() });
        }
    }

    fn add_number(&mut self, org: &OrgId, number: &WhatsAppConfig) {
        let id = &number.phone_number_id;
        self.lines.insert(LineKey::whatsapp(id), line_record(org, number));
        let keys =
            AppKeys { app_secret: number.app_secret.clone(), verify_token: number.verify_token.clone() };
        self.vault.webhooks.insert(id.clone(), keys);
        let tokens = self.vault.access.entry(org.clone()).or_default();
        tokens.access_tokens.insert(id.clone(), number.access_token.clone());
    }
}

/// Where reps are sent by a file that says nothing. Nothing answers there until the stack has pages for people.
fn own_page(api: &str) -> String {
    format!("{}/sessions/{{session_id}}", api.trim_end_matches('/'))
}

fn org_record(org: &OrgConfig, api: &str) -> OrgRecord {
    OrgRecord {
        name: org.name.clone(),
        profile: org.profile.clone(),
        session_url: org.session_url.clone().unwrap_or_else(|| own_page(api)),
        debounce_ms: millis(org.debounce_seconds),
        crm: org.creatio.as_ref().map(|creatio| match creatio.case_only_on_handoff {
            true => CrmMode::OnlyOnHandoff,
            false => CrmMode::EveryConversation,
        }),
        creatio: org.creatio.as_ref().map(creatio_record),
        model: org.model.as_ref().map(model_record),
    }
}

fn creatio_record(creatio: &CreatioConfig) -> CreatioRecord {
    CreatioRecord {
        instance_url: creatio.instance_url.clone(),
        identity_url: creatio.identity_url.clone(),
        client_id: creatio.client_id.clone(),
        default_owner_id: creatio.default_owner_id,
        default_group_id: creatio.default_group_id,
        resolved_status_id: creatio.resolved_status_id,
    }
}

fn model_record(model: &ModelConfig) -> ModelRecord {
    let provider = match model.provider {
        config::Provider::Openai => Provider::Openai,
    };
    ModelRecord { provider, base_url: model.base_url.clone(), model: model.model.clone() }
}

fn line_record(org: &OrgId, number: &WhatsAppConfig) -> LineRecord {
    LineRecord {
        org: org.clone(),
        ai_enabled: number.ai_enabled,
        auto_resolve_after_ms: millis(number.auto_resolve_hours * 3600.0),
        display_number: number.display_number.clone(),
    }
}

/// Seconds of a checked file in milliseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: from 0 to a year")]
fn millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}

fn notes(id: &OrgId, org: &OrgConfig, api: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if org.whatsapp.is_empty() {
        notes.push(format!("orgs.{id} has no WhatsApp number: no customer can reach it"));
    }
    if org.model.is_none() && org.whatsapp.iter().any(|number| number.ai_enabled) {
        notes.push(format!("orgs.{id} has no model: every conversation waits for a person"));
    }
    if org.creatio.is_none() {
        notes.push(format!("orgs.{id} has no Creatio site: nobody sees what is handed off"));
    }
    match &org.session_url {
        None => notes.push(format!(
            "orgs.{id}.session_url is not set: \"View session\" in a case leads to {}, where nothing answers yet",
            own_page(api)
        )),
        Some(url) if !url.starts_with("https://") => notes.push(format!(
            "orgs.{id}.session_url is no https address: \"View session\" in a case may lead nowhere for reps"
        )),
        Some(_) => {}
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = include_str!("../../config/whole.toml");

    fn wanted(text: &str) -> Wanted {
        Wanted::new(&config::parse(text).unwrap(), "https://api.example/").unwrap()
    }

    #[test]
    fn seconds_and_hours_of_the_file_are_kept_to_the_millisecond() {
        let text = WHOLE.replace("debounce_seconds = 3", "debounce_seconds = 0.257");
        let text = text.replace("auto_resolve_hours = 12", "auto_resolve_hours = 0.1");
        let wanted = wanted(&text.replace("handoff = false", "handoff = true"));
        let org = &wanted.orgs[&OrgId::new("acme").unwrap()];
        let line = &wanted.lines[&LineKey::whatsapp("880200000000011")];
        assert_eq!((org.debounce_ms, line.auto_resolve_after_ms), (257, 360_000));
        assert_eq!(org.crm, Some(CrmMode::OnlyOnHandoff));
    }

    #[test]
    fn every_secret_of_the_file_has_its_place() {
        let vault = wanted(WHOLE).vault;
        let acme = OrgId::new("acme").unwrap();
        let number = "880200000000011";
        assert_eq!(vault.webhooks[number].app_secret.expose_secret(), "example-app-secret");
        assert_eq!(vault.webhooks[number].verify_token.expose_secret(), "example-verify-token");
        assert_eq!(vault.access[&acme].access_tokens[number].expose_secret(), "example-access-token");
        assert_eq!(vault.creatio[&acme].client_secret.expose_secret(), "example-client-secret");
        assert_eq!(vault.models[&acme].api_key.expose_secret(), "example-key");
    }

    #[test]
    fn numbers_of_one_app_share_an_entry() {
        let keys = |secret: &str| AppKeys { app_secret: secret.into(), verify_token: "word".into() };
        let numbers = [("1", keys("a")), ("2", keys("b")), ("3", keys("a"))];
        let numbers: BTreeMap<_, _> =
            numbers.into_iter().map(|(number, keys)| (number.to_owned(), keys)).collect();
        let secrets = webhook_secrets(&numbers);
        let shared: Vec<_> = secrets.apps.iter().map(|app| app.numbers.clone()).collect();
        assert_eq!(shared, [vec!["1", "3"], vec!["2"]]);
        let back = webhook_keys(&secrets);
        assert_eq!(back.keys().collect::<Vec<_>>(), numbers.keys().collect::<Vec<_>>());
        assert!(back.iter().all(|(number, keys)| same(&keys.app_secret, &numbers[number].app_secret)));
    }

    #[test]
    fn what_the_laptop_would_play_is_only_noted() {
        let bare = wanted("[orgs.acme]\nname = \"A\"\nprofile = \"P\"\n");
        assert!(bare.lines.is_empty() && bare.vault.models.is_empty());
        let acme = OrgId::new("acme").unwrap();
        assert_eq!(bare.orgs[&acme].session_url, "https://api.example/sessions/{session_id}");
        let told = bare.notes.join("\n");
        for word in ["no WhatsApp number", "no Creatio site", "session_url is not set"] {
            assert!(told.contains(word), "{told}");
        }
    }
}
