//! What each secret holds. None of it can be shown or serialised by accident: [`Payload::to_json`] is the one way out.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// What a secret holds. Readers ignore fields that they do not know.
pub trait Payload: DeserializeOwned + Send + Sync + 'static {
    /// The content as it is stored. Equal contents give equal texts.
    fn to_json(&self) -> SecretString;
}

/// What proves that a webhook comes from Meta.
#[derive(Clone, Default, Deserialize)]
pub struct WebhookSecrets {
    /// One entry for each pair of app and verify token; while a secret is being changed, also for the one before.
    #[serde(default)]
    pub apps: Vec<WebhookApp>,
}

/// One Meta app that posts to us.
#[derive(Clone, Deserialize)]
pub struct WebhookApp {
    /// Signs the app's webhooks.
    pub app_secret: SecretString,
    /// What Meta repeats when the webhook address is saved.
    pub verify_token: SecretString,
    /// The `phone_number_id`s that this app may speak for.
    #[serde(default)]
    pub numbers: Vec<String>,
}

/// The tokens that send from an organisation's numbers.
#[derive(Clone, Default, Deserialize)]
pub struct AccessTokens {
    /// By `phone_number_id`.
    #[serde(default)]
    pub access_tokens: BTreeMap<String, SecretString>,
}

/// The secret of an organisation's OAuth application in Creatio.
#[derive(Clone, Deserialize)]
pub struct CreatioSecret {
    /// Goes with the client id in the settings.
    pub client_secret: SecretString,
}

/// The key of an organisation's model.
#[derive(Clone, Deserialize)]
pub struct ModelSecret {
    /// Sent as a bearer token.
    pub api_key: SecretString,
}

impl Payload for WebhookSecrets {
    fn to_json(&self) -> SecretString {
        let app = |app: &WebhookApp| {
            json!({
                "app_secret": app.app_secret.expose_secret(),
                "verify_token": app.verify_token.expose_secret(),
                "numbers": app.numbers,
            })
        };
        secret(&json!({ "apps": self.apps.iter().map(app).collect::<Vec<_>>() }))
    }
}

impl Payload for AccessTokens {
    fn to_json(&self) -> SecretString {
        let tokens = self.access_tokens.iter();
        let tokens: BTreeMap<_, _> = tokens.map(|(number, token)| (number, token.expose_secret())).collect();
        secret(&json!({ "access_tokens": tokens }))
    }
}

impl Payload for CreatioSecret {
    fn to_json(&self) -> SecretString {
        secret(&json!({ "client_secret": self.client_secret.expose_secret() }))
    }
}

impl Payload for ModelSecret {
    fn to_json(&self) -> SecretString {
        secret(&json!({ "api_key": self.api_key.expose_secret() }))
    }
}

fn secret(value: &Value) -> SecretString {
    SecretString::from(value.to_string())
}

macro_rules! shown_without_content {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([REDACTED])"))
            }
        }
    )+};
}

shown_without_content!(WebhookSecrets, WebhookApp, AccessTokens, CreatioSecret, ModelSecret);

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: Payload + fmt::Debug>(text: &str) -> T {
        let payload: T = serde_json::from_str(text).unwrap();
        let shown = format!("{payload:?} {:?}", payload.to_json());
        assert!(!shown.contains("canary") && !shown.contains("880200"), "{shown}");
        let (was, is): (Value, Value) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_str(payload.to_json().expose_secret()).unwrap(),
        );
        assert_eq!(was, is);
        payload
    }

    #[test]
    fn what_is_written_is_read_and_never_shown() {
        let webhooks: WebhookSecrets = there_and_back(
            r#"{"apps":[{"app_secret":"canary-1","verify_token":"canary-2","numbers":["880200000000011"]}]}"#,
        );
        assert_eq!(webhooks.apps[0].app_secret.expose_secret(), "canary-1");
        assert_eq!(webhooks.apps[0].numbers, ["880200000000011"]);
        let tokens: AccessTokens = there_and_back(r#"{"access_tokens":{"880200000000011":"canary-3"}}"#);
        assert_eq!(tokens.access_tokens["880200000000011"].expose_secret(), "canary-3");
        there_and_back::<CreatioSecret>(r#"{"client_secret":"canary-4"}"#);
        there_and_back::<ModelSecret>(r#"{"api_key":"canary-5"}"#);
    }

    #[test]
    fn a_newer_versions_fields_are_ignored() {
        let text = r#"{"api_key":"canary-6","region":"canary-7"}"#;
        assert_eq!(serde_json::from_str::<ModelSecret>(text).unwrap().api_key.expose_secret(), "canary-6");
    }
}
