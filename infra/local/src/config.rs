//! `switchboard.toml`: what an operator writes, read strictly. An unknown key or a wrong value is refused with its line.

mod check;

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

pub use check::check;

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Organisations by id.
    #[serde(default)]
    pub orgs: BTreeMap<String, OrgConfig>,
}

/// One organisation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgConfig {
    /// Its name.
    pub name: String,
    /// The assistant's instructions.
    pub profile: String,
    /// Where a rep sees a session; `{session_id}` stands for its id. Default: this process.
    pub session_url: Option<String>,
    /// How long to wait for the customer's next message before answering.
    #[serde(default = "three")]
    pub debounce_seconds: f64,
    /// Its WhatsApp numbers.
    #[serde(default)]
    pub whatsapp: Vec<WhatsAppConfig>,
    /// Its Creatio site.
    pub creatio: Option<CreatioConfig>,
    /// Its model.
    pub model: Option<ModelConfig>,
}

/// A WhatsApp number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatsAppConfig {
    /// Meta's id of the number.
    pub phone_number_id: String,
    /// The number as people read it.
    #[serde(default)]
    pub display_number: String,
    /// The system user's token.
    pub access_token: SecretString,
    /// The app's secret, which signs the webhooks.
    pub app_secret: SecretString,
    /// The word that Meta repeats when the webhook address is saved.
    pub verify_token: SecretString,
    /// Whether the assistant answers on this number.
    #[serde(default = "yes")]
    pub ai_enabled: bool,
    /// After how many hours of silence a session is resolved.
    #[serde(default = "twelve")]
    pub auto_resolve_hours: f64,
}

/// A Creatio site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatioConfig {
    /// The site's address.
    pub instance_url: String,
    /// The identity service's address, when it is not the derived one.
    pub identity_url: Option<String>,
    /// The OAuth application's id.
    pub client_id: String,
    /// The OAuth application's secret.
    pub client_secret: SecretString,
    /// The last part of the webhook address that the business processes call.
    pub webhook_token: SecretString,
    /// The contact that new cases belong to.
    pub default_owner_id: Option<Uuid>,
    /// The group that new cases belong to.
    pub default_group_id: Option<Uuid>,
    /// The status that a case gets when its session is resolved here.
    pub resolved_status_id: Option<Uuid>,
    /// Whether a case is opened only at a hand-off.
    #[serde(default)]
    pub case_only_on_handoff: bool,
}

/// A model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The wire format.
    pub provider: Provider,
    /// The endpoint, up to and without `/chat/completions`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
    /// The key.
    pub api_key: SecretString,
}

/// The wire formats that are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI-compatible chat completions.
    Openai,
}

/// Why a file was refused. The text names file, line and key, and never a value: a value may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadConfig(pub String);

/// Reads and checks a file.
pub fn load(path: &Path, allow_insecure: bool) -> Result<Config, BadConfig> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| BadConfig(format!("{shown} cannot be read: {error}")))?;
    let config = parse(&text).map_err(|why| BadConfig(format!("{shown}: {why}")))?;
    check(&config, allow_insecure).map_err(|why| BadConfig(format!("{shown}: {why}")))?;
    Ok(config)
}

/// Parses the text. The error says the line and what is wrong there.
pub fn parse(text: &str) -> Result<Config, String> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{place}{}", without_values(error.message()))
    })
}

/// The parser's message without any value: a value may be a secret. Names of keys are ours and may be shown.
fn without_values(message: &str) -> String {
    let about_keys = ["unknown field", "missing field", "duplicate field", "duplicate key"];
    if about_keys.iter().any(|start| message.starts_with(start)) {
        return message.lines().next().unwrap_or_default().to_owned();
    }
    match message.split_once("expected ") {
        Some((_, expected)) if !expected.contains(['"', '=']) => format!("wrong value: expected {expected}"),
        Some(_) | None => {
            "this cannot be read as TOML: check quotes, brackets and the key's spelling".to_owned()
        }
    }
}

fn three() -> f64 {
    3.0
}

fn twelve() -> f64 {
    12.0
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = include_str!("config/whole.toml");

    #[test]
    fn the_documented_file_is_read() {
        let config = parse(WHOLE).unwrap();
        let acme = &config.orgs["acme"];
        assert_eq!(acme.whatsapp[0].phone_number_id, "880200000000011");
        assert!(acme.creatio.is_some() && acme.model.is_some());
        assert_eq!(check(&config, true), Ok(()));
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let text = WHOLE.replace("debounce_seconds", "debounce_secs");
        let error = parse(&text).unwrap_err();
        assert!(error.starts_with("line 5: unknown field `debounce_secs`"), "{error}");
    }

    #[test]
    fn no_value_is_repeated_in_an_error() {
        for (right, wrong) in [
            ("ai_enabled = true", "ai_enabled = \"canary\""),
            ("ai_enabled = true", "ai_enabled = \"a\\\"canary\""),
            ("verify_token = \"example-verify-token\"", "verify_token = 987654321012"),
            ("provider = \"openai\"", "provider = \"canary\""),
            ("ai_enabled = true", "ai_enabled = canary"),
            ("default_owner_id = \"410006e1", "default_owner_id = \"canary"),
        ] {
            let error = parse(&WHOLE.replace(right, wrong)).unwrap_err();
            assert!(error.starts_with("line "), "{error}");
            assert!(!error.contains("canary") && !error.contains("987654321012"), "{error}");
        }
    }

    #[test]
    fn no_secret_is_in_the_debug_form() {
        let shown = format!("{:?}", parse(WHOLE).unwrap());
        for secret in
            ["access-token", "app-secret", "verify-token", "client-secret", "webhook-token", "example-key"]
        {
            assert!(!shown.contains(secret), "{secret}");
        }
    }
}
