//! The vendors' credentials of a deployed line: the public part from the settings table, the secret from Secrets Manager.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared_aws::secrets::{AccessTokens, CreatioSecret, ModelSecret, Name, Payload, Secrets, WebhookSecrets};
use shared_aws::settings::SettingsTable;
use shared_aws::settings::record::{CreatioRecord, ModelRecord, Provider};
use shared_flow::ports::{PortError, PortResult};
use shared_vendors::whatsapp::verify::AppSecret;
use shared_vendors::{creatio, llm, whatsapp};

/// Which kind of secret a function may read; its role permits no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// None: it looks up settings only.
    None,
    /// What proves that a webhook comes from Meta.
    Webhooks,
    /// The tokens that send.
    Whatsapp,
    /// Creatio's client secrets.
    Creatio,
    /// The models' keys.
    Model,
}

impl Secret {
    /// What it is called in an answer to an operator.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "absent",
            Self::Webhooks => "WhatsApp webhook",
            Self::Whatsapp => "WhatsApp",
            Self::Creatio => "Creatio",
            Self::Model => "model",
        }
    }
}

/// Where a function finds credentials. It can read only the secrets that its role lets it read.
#[derive(Clone)]
pub struct DeployedAccounts {
    settings: Arc<SettingsTable>,
    secrets: Arc<Secrets>,
}

impl DeployedAccounts {
    /// Over the stack's settings and secrets.
    #[must_use]
    pub fn new(settings: Arc<SettingsTable>, secrets: Arc<Secrets>) -> Self {
        Self { settings, secrets }
    }

    /// Whether the organisation's secret of this kind is there and can be read, if the settings ask for one.
    pub async fn readable(&self, secret: Secret, org: &OrgId) -> PortResult<()> {
        let record = self.settings.org_record(org).await?;
        let (creatio, model) = record.map(|org| (org.creatio, org.model)).unwrap_or_default();
        match secret {
            Secret::Webhooks => self.holds::<WebhookSecrets>(Name::WhatsappWebhooks).await,
            Secret::Whatsapp => self.holds::<AccessTokens>(Name::Whatsapp(org.clone())).await,
            Secret::Creatio if creatio.is_some() => {
                self.holds::<CreatioSecret>(Name::Creatio(org.clone())).await
            }
            Secret::Model if model.is_some() => self.holds::<ModelSecret>(Name::Model(org.clone())).await,
            Secret::None | Secret::Creatio | Secret::Model => Ok(()),
        }
    }

    /// Looks anew: an operator asks after having mended something.
    async fn holds<T: Payload>(&self, name: Name) -> PortResult<()> {
        self.secrets.afresh(&name).await?;
        let found = self.secrets.get::<T>(&name).await?;
        found.map(drop).ok_or_else(|| PortError::Unreadable {
            what: "the service of secrets",
            why: format!("there is no secret {name}: run `switchboard apply`"),
        })
    }
}

/// What a stack's webhook secrets mean to intake.
#[must_use]
pub fn app_secrets(secrets: &WebhookSecrets) -> Vec<AppSecret> {
    let one = |app: &shared_aws::secrets::WebhookApp| AppSecret {
        secret: app.app_secret.clone(),
        numbers: app.numbers.clone(),
    };
    secrets.apps.iter().map(one).collect()
}

/// The words that Meta may present when the webhook address is saved.
#[must_use]
pub fn verify_tokens(secrets: &WebhookSecrets) -> Vec<SecretString> {
    secrets.apps.iter().map(|app| app.verify_token.clone()).collect()
}

/// An organisation's Creatio connection.
#[must_use]
pub fn creatio_account(site: &CreatioRecord, secret: &CreatioSecret) -> creatio::account::Account {
    creatio::account::Account {
        instance_url: site.instance_url.clone(),
        identity_url: site.identity_url.clone(),
        client_id: site.client_id.clone(),
        client_secret: secret.client_secret.clone(),
        default_owner_id: site.default_owner_id,
        default_group_id: site.default_group_id,
        resolved_status_id: site.resolved_status_id,
    }
}

/// An organisation's model. A wire format that this version does not speak is [`PortError::Unreadable`].
pub fn model_account(model: &ModelRecord, secret: &ModelSecret) -> PortResult<llm::account::Account> {
    match model.provider {
        Provider::Openai => Ok(llm::account::Account {
            base_url: model.base_url.clone(),
            model: model.model.clone(),
            api_key: secret.api_key.clone(),
        }),
        Provider::Newer => Err(PortError::Unreadable {
            what: "the settings table",
            why: "the model's provider is one that this version does not know: deploy the version that wrote it"
                .to_owned(),
        }),
    }
}

#[async_trait]
impl whatsapp::account::Accounts for DeployedAccounts {
    async fn access_token(&self, org: &OrgId, phone_number_id: &str) -> PortResult<Option<SecretString>> {
        let found = self.secrets.get::<AccessTokens>(&Name::Whatsapp(org.clone())).await?;
        Ok(found.and_then(|found| found.access_tokens.get(phone_number_id).cloned()))
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        let found = self.secrets.get(&Name::WhatsappWebhooks).await?;
        Ok(found.map(|found| app_secrets(&found)).unwrap_or_default())
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        let found = self.secrets.get(&Name::WhatsappWebhooks).await?;
        Ok(found.map(|found| verify_tokens(&found)).unwrap_or_default())
    }

    async fn afresh(&self, org: &OrgId) -> PortResult<bool> {
        self.secrets.afresh(&Name::Whatsapp(org.clone())).await
    }

    async fn apps_afresh(&self) -> PortResult<bool> {
        self.secrets.afresh(&Name::WhatsappWebhooks).await
    }
}

#[async_trait]
impl creatio::account::Accounts for DeployedAccounts {
    async fn account(&self, org: &OrgId) -> PortResult<Option<creatio::account::Account>> {
        let Some(site) = self.settings.org_record(org).await?.and_then(|record| record.creatio) else {
            return Ok(None);
        };
        let secret = self.secrets.get::<CreatioSecret>(&Name::Creatio(org.clone())).await?;
        Ok(secret.map(|secret| creatio_account(&site, &secret)))
    }

    async fn org_of_token(&self, sha256: &[u8; 32]) -> PortResult<Option<OrgId>> {
        self.settings.creatio_org_of_token(sha256).await
    }

    async fn afresh(&self, org: &OrgId) -> PortResult<bool> {
        self.secrets.afresh(&Name::Creatio(org.clone())).await
    }
}

#[async_trait]
impl llm::account::Accounts for DeployedAccounts {
    async fn account(&self, org: &OrgId) -> PortResult<Option<llm::account::Account>> {
        let Some(model) = self.settings.org_record(org).await?.and_then(|record| record.model) else {
            return Ok(None);
        };
        let secret = self.secrets.get::<ModelSecret>(&Name::Model(org.clone())).await?;
        secret.map(|secret| model_account(&model, &secret)).transpose()
    }

    async fn afresh(&self, org: &OrgId) -> PortResult<bool> {
        self.secrets.afresh(&Name::Model(org.clone())).await
    }
}
