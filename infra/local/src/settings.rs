//! The settings of a laptop line, held in memory: the same records and secrets that `switchboard apply` puts into an
//! account, with the same meaning.

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared::channel::LineKey;
use shared_aws::secrets::WebhookSecrets;
use shared_flow::ports::{LineSettings, OrgSettings, PortResult, Settings};
use shared_lambda::accounts::{app_secrets, creatio_account, model_account, verify_tokens};
use shared_vendors::whatsapp::verify::AppSecret;
use shared_vendors::{creatio, llm, whatsapp};

use crate::config::{BadConfig, Config};
use crate::deployed::apply::{Wanted, webhook_secrets};

/// The settings of every organisation in the file.
#[derive(Default)]
pub struct LocalSettings {
    wanted: Wanted,
    webhooks: WebhookSecrets,
}

impl LocalSettings {
    /// Builds the look-ups from a checked file. `here` is where this process is reached, for session links.
    pub fn new(config: &Config, here: &str) -> Result<Self, BadConfig> {
        let wanted = Wanted::new(config, here)?;
        let webhooks = webhook_secrets(&wanted.vault.webhooks);
        Ok(Self { wanted, webhooks })
    }

    /// The organisations, in a fixed order.
    #[must_use]
    pub fn org_ids(&self) -> Vec<OrgId> {
        self.wanted.orgs.keys().cloned().collect()
    }
}

#[async_trait]
impl Settings for LocalSettings {
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>> {
        Ok(self.wanted.lines.get(line).map(|record| record.settings(line)))
    }

    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>> {
        Ok(self.wanted.orgs.get(org).map(|record| record.settings(org)))
    }
}

#[async_trait]
impl whatsapp::account::Accounts for LocalSettings {
    async fn access_token(&self, org: &OrgId, phone_number_id: &str) -> PortResult<Option<SecretString>> {
        let tokens = self.wanted.vault.access.get(org);
        Ok(tokens.and_then(|found| found.access_tokens.get(phone_number_id).cloned()))
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        Ok(app_secrets(&self.webhooks))
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(verify_tokens(&self.webhooks))
    }
}

#[async_trait]
impl creatio::account::Accounts for LocalSettings {
    async fn account(&self, org: &OrgId) -> PortResult<Option<creatio::account::Account>> {
        let site = self.wanted.orgs.get(org).and_then(|record| record.creatio.as_ref());
        let secret = self.wanted.vault.creatio.get(org);
        Ok(site.zip(secret).map(|(site, secret)| creatio_account(site, secret)))
    }

    async fn org_of_token(&self, sha256: &[u8; 32]) -> PortResult<Option<OrgId>> {
        let its = |(_, token): &(&OrgId, &Option<[u8; 32]>)| token.as_ref() == Some(sha256);
        Ok(self.wanted.tokens.iter().find(its).map(|(org, _)| org.clone()))
    }
}

#[async_trait]
impl llm::account::Accounts for LocalSettings {
    async fn account(&self, org: &OrgId) -> PortResult<Option<llm::account::Account>> {
        let model = self.wanted.orgs.get(org).and_then(|record| record.model.as_ref());
        let secret = self.wanted.vault.models.get(org);
        model.zip(secret).map(|(model, secret)| model_account(model, secret)).transpose()
    }
}

#[cfg(test)]
mod tests;
