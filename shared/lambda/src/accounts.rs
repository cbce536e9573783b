//! The vendors' credentials of a deployed line: the public part from the settings table, the secret from Secrets Manager.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared_aws::secrets::{
    AccessTokens, CreatioSecret, ModelSecret, Name, Secrets, WebhookApp, WebhookSecrets,
};
use shared_aws::settings::SettingsTable;
use shared_aws::settings::record::{CreatioRecord, ModelRecord, Provider};
use shared_flow::ports::{PortError, PortResult};
use shared_vendors::whatsapp::verify::AppSecret;
use shared_vendors::{creatio, llm, whatsapp};

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

    async fn token(&self, name: &Name, phone_number_id: &str) -> PortResult<Option<SecretString>> {
        let found = self.secrets.get::<AccessTokens>(name).await?;
        Ok(found.and_then(|found| found.access_tokens.get(phone_number_id).cloned()))
    }
}

/// What a stack's webhook secrets mean to intake.
#[must_use]
pub fn app_secrets(secrets: &WebhookSecrets) -> Vec<AppSecret> {
    let one = |app: &WebhookApp| AppSecret { secret: app.app_secret.clone(), numbers: app.numbers.clone() };
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
        let name = Name::Whatsapp(org.clone());
        let token = self.token(&name, phone_number_id).await?;
        // The secret was read before somebody configured this number.
        if token.is_none() && self.secrets.afresh(&name).await? {
            return self.token(&name, phone_number_id).await;
        }
        Ok(token)
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
