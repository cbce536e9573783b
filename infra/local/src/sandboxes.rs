//! Which vendors are real and which are played here, and the made-up organisation for a run without a file.

use secrecy::SecretString;

use crate::config::{Config, CreatioConfig, ModelConfig, OrgConfig, Provider, WhatsAppConfig};
use crate::secrets::LocalSecrets;

/// The sandbox's number, from the range that is reserved for fiction.
pub const SANDBOX_NUMBER_ID: &str = "880200000000011";
/// The same as people read it.
pub const SANDBOX_NUMBER: &str = "+1 202 555 0111";
/// The sandbox's OAuth application.
pub const SANDBOX_CLIENT: &str = "switchboard-sandbox";
/// The status that the sandbox's cases get when a session is resolved: Creatio's stock "Resolved".
const RESOLVED: uuid::Uuid = uuid::Uuid::from_u128(0xae7f_411e_f46b_1410_009b_0050_ba5d_6c38);

/// Which vendors are played by a sandbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Played {
    /// WhatsApp.
    pub whatsapp: bool,
    /// Creatio.
    pub creatio: bool,
    /// The model.
    pub model: bool,
}

impl Played {
    /// Whether anything is.
    #[must_use]
    pub fn any(self) -> bool {
        self.whatsapp || self.creatio || self.model
    }
}

/// The configuration of a run without a file.
#[must_use]
pub fn demo() -> Config {
    let org = OrgConfig {
        name: "Demo Bicycles".to_owned(),
        profile:
            "You answer for Demo Bicycles, a bicycle shop with a workshop. Open Monday to Saturday, 9 to 18. \
                  Orders ship within two working days; returns are free for 30 days."
                .to_owned(),
        session_url: None,
        debounce_seconds: 3.0,
        whatsapp: Vec::new(),
        creatio: None,
        model: None,
    };
    Config { orgs: [("demo".to_owned(), org)].into() }
}

/// Puts a sandbox wherever the file names no real vendor, and says where. `here` is this process's address.
#[must_use]
pub fn fill(config: &mut Config, secrets: &LocalSecrets, here: &str) -> Played {
    let mut played = Played::default();
    if config.orgs.values().all(|org| org.whatsapp.is_empty())
        && let Some(org) = config.orgs.values_mut().next()
    {
        org.whatsapp.push(number(secrets));
        played.whatsapp = true;
    }
    for org in config.orgs.values_mut() {
        if org.model.is_none() {
            org.model = Some(model(secrets, here));
            played.model = true;
        }
    }
    // One sandbox site plays one company's CRM: the first that has none of its own.
    if let Some(org) = config.orgs.values_mut().find(|org| org.creatio.is_none()) {
        org.creatio = Some(creatio(secrets, here));
        played.creatio = true;
    }
    played
}

fn number(secrets: &LocalSecrets) -> WhatsAppConfig {
    WhatsAppConfig {
        phone_number_id: SANDBOX_NUMBER_ID.to_owned(),
        display_number: SANDBOX_NUMBER.to_owned(),
        access_token: SecretString::from(secrets.access_token.clone()),
        app_secret: SecretString::from(secrets.app_secret.clone()),
        verify_token: SecretString::from(secrets.verify_token.clone()),
        ai_enabled: true,
        auto_resolve_hours: 12.0,
    }
}

fn model(secrets: &LocalSecrets, here: &str) -> ModelConfig {
    ModelConfig {
        provider: Provider::Openai,
        base_url: format!("{here}/sandbox/model/v1"),
        model: "sandbox".to_owned(),
        api_key: SecretString::from(secrets.model_key.clone()),
    }
}

fn creatio(secrets: &LocalSecrets, here: &str) -> CreatioConfig {
    CreatioConfig {
        instance_url: format!("{here}/sandbox/creatio"),
        identity_url: Some(format!("{here}/sandbox/creatio")),
        client_id: SANDBOX_CLIENT.to_owned(),
        client_secret: SecretString::from(secrets.client_secret.clone()),
        webhook_token: SecretString::from(secrets.webhook_token.clone()),
        default_owner_id: None,
        default_group_id: None,
        resolved_status_id: Some(RESOLVED),
        case_only_on_handoff: false,
    }
}
