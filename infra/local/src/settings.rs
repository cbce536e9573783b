//! The settings of a laptop line, held in memory: the same look-ups that a deployed line makes in its table and secrets.

use std::collections::HashMap;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared::{OrgId, SignedDuration};
use shared_flow::ports::{LineSettings, OrgSettings, PortResult, Settings};
use shared_vendors::whatsapp::verify::AppSecret;
use shared_vendors::{creatio, llm, whatsapp};

use crate::config::{BadConfig, Config, CreatioConfig, ModelConfig, OrgConfig, Provider, WhatsAppConfig};

/// The settings of every organisation in the file.
#[derive(Default)]
pub struct LocalSettings {
    orgs: HashMap<OrgId, OrgSettings>,
    lines: HashMap<LineKey, LineSettings>,
    numbers: Vec<(OrgId, WhatsAppConfig)>,
    creatio: HashMap<OrgId, creatio::account::Account>,
    tokens: HashMap<[u8; 32], OrgId>,
    models: HashMap<OrgId, llm::account::Account>,
}

impl LocalSettings {
    /// Builds the look-ups from a checked file. `here` is where this process is reached, for session links.
    pub fn new(config: &Config, here: &str) -> Result<Self, BadConfig> {
        let mut settings = Self::default();
        for (id, org) in &config.orgs {
            let id = OrgId::new(id).map_err(|error| BadConfig(error.to_string()))?;
            settings.add(id, org, here);
        }
        Ok(settings)
    }

    /// The organisations, in a fixed order.
    #[must_use]
    pub fn org_ids(&self) -> Vec<OrgId> {
        let mut ids: Vec<OrgId> = self.orgs.keys().cloned().collect();
        ids.sort();
        ids
    }

    fn add(&mut self, id: OrgId, org: &OrgConfig, here: &str) {
        let own_page = || format!("{here}/sessions/{{session_id}}");
        let org_settings = OrgSettings {
            org: id.clone(),
            name: org.name.clone(),
            profile: org.profile.clone(),
            session_url: org.session_url.clone().unwrap_or_else(own_page),
            debounce: seconds(org.debounce_seconds),
            crm: org.creatio.as_ref().map(mode),
        };
        self.orgs.insert(id.clone(), org_settings);
        for number in &org.whatsapp {
            let line = line(&id, number);
            self.lines.insert(line.line.clone(), line);
            self.numbers.push((id.clone(), number.clone()));
        }
        if let Some(creatio) = &org.creatio {
            let digest: [u8; 32] = Sha256::digest(creatio.webhook_token.expose_secret().as_bytes()).into();
            self.tokens.insert(digest, id.clone());
            self.creatio.insert(id.clone(), creatio_account(creatio));
        }
        if let Some(model) = &org.model {
            self.models.insert(id, model_account(model));
        }
    }
}

fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO)
}

fn mode(creatio: &CreatioConfig) -> CrmMode {
    if creatio.case_only_on_handoff { CrmMode::OnlyOnHandoff } else { CrmMode::EveryConversation }
}

fn line(org: &OrgId, number: &WhatsAppConfig) -> LineSettings {
    LineSettings {
        org: org.clone(),
        line: LineKey::whatsapp(&number.phone_number_id),
        ai_enabled: number.ai_enabled,
        auto_resolve_after: seconds(number.auto_resolve_hours * 3600.0),
    }
}

fn model_account(model: &ModelConfig) -> llm::account::Account {
    match model.provider {
        Provider::Openai => llm::account::Account {
            base_url: model.base_url.clone(),
            model: model.model.clone(),
            api_key: model.api_key.clone(),
        },
    }
}

fn creatio_account(creatio: &CreatioConfig) -> creatio::account::Account {
    creatio::account::Account {
        instance_url: creatio.instance_url.clone(),
        identity_url: creatio.identity_url.clone(),
        client_id: creatio.client_id.clone(),
        client_secret: creatio.client_secret.clone(),
        default_owner_id: creatio.default_owner_id,
        default_group_id: creatio.default_group_id,
        resolved_status_id: creatio.resolved_status_id,
    }
}

#[async_trait]
impl Settings for LocalSettings {
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>> {
        Ok(self.lines.get(line).cloned())
    }

    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>> {
        Ok(self.orgs.get(org).cloned())
    }
}

#[async_trait]
impl whatsapp::account::Accounts for LocalSettings {
    async fn access_token(&self, org: &OrgId, phone_number_id: &str) -> PortResult<Option<SecretString>> {
        let ours = |(owner, number): &&(OrgId, WhatsAppConfig)| {
            owner == org && number.phone_number_id == phone_number_id
        };
        Ok(self.numbers.iter().find(ours).map(|(_, number)| number.access_token.clone()))
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        let secret = |(_, number): &(OrgId, WhatsAppConfig)| AppSecret {
            secret: number.app_secret.clone(),
            numbers: vec![number.phone_number_id.clone()],
        };
        Ok(self.numbers.iter().map(secret).collect())
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(self.numbers.iter().map(|(_, number)| number.verify_token.clone()).collect())
    }
}

#[async_trait]
impl creatio::account::Accounts for LocalSettings {
    async fn account(&self, org: &OrgId) -> PortResult<Option<creatio::account::Account>> {
        Ok(self.creatio.get(org).cloned())
    }

    async fn org_of_token(&self, sha256: &[u8; 32]) -> PortResult<Option<OrgId>> {
        Ok(self.tokens.get(sha256).cloned())
    }
}

#[async_trait]
impl llm::account::Accounts for LocalSettings {
    async fn account(&self, org: &OrgId) -> PortResult<Option<llm::account::Account>> {
        Ok(self.models.get(org).cloned())
    }
}
