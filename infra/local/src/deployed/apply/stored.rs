//! A stack's settings table and secrets: read whole, and written one act at a time.

use std::collections::BTreeSet;

use shared_aws::secrets::{
    AccessTokens, CreatioSecret, ModelSecret, Name, Payload, Secrets, WebhookSecrets, Written,
};
use shared_aws::settings::SettingsTable;
use shared_flow::ports::{PortError, PortResult};
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::plan::{Act, Content, Stored};
use super::wanted::{Vault, webhook_keys};
use crate::deployed::aws::Aws;
use crate::deployed::stack::Stack;
use crate::deployed::trouble::Trouble;

/// Where a stack keeps what it was told.
pub struct Store {
    settings: SettingsTable,
    secrets: Secrets,
    key: String,
}

impl Store {
    /// The stack's own table, secrets and key.
    pub fn of(aws: &Aws, stack: &Stack) -> Result<Self, Trouble> {
        Ok(Self {
            settings: SettingsTable::new(aws.dynamodb(), stack.output("SettingsTableName")?),
            secrets: Secrets::new(aws.secrets(), &stack.name),
            key: stack.output("KeyArn")?.to_owned(),
        })
    }

    /// Everything that stands there. `wanted` are looked for one by one: a secret that was made a second ago may be
    /// missing in the service's list.
    pub async fn read(&self, wanted: BTreeSet<Name>) -> PortResult<Stored> {
        let listed = self.secrets.names().await?;
        let entries = self.settings.all().await?;
        let mut stored = Stored { entries, vault: Vault::default(), names: listed.iter().cloned().collect() };
        let names: BTreeSet<Name> = wanted.into_iter().chain(listed).collect();
        for name in names {
            if self.read_secret(&name, &mut stored.vault).await? {
                stored.names.insert(name);
            }
        }
        Ok(stored)
    }

    /// Whether there is such a secret. One that cannot be read as what it should be is as good as empty: it is written
    /// anew.
    async fn read_secret(&self, name: &Name, vault: &mut Vault) -> PortResult<bool> {
        match name {
            Name::WhatsappWebhooks => {
                let found = self.found::<WebhookSecrets>(name).await?;
                vault.webhooks = found.as_ref().map(webhook_keys).unwrap_or_default();
                Ok(found.is_some())
            }
            Name::Whatsapp(org) => {
                let found = self.found::<AccessTokens>(name).await?;
                Ok(found.map(|found| vault.access.insert(org.clone(), found)).is_some())
            }
            Name::Creatio(org) => {
                let found = self.found::<CreatioSecret>(name).await?;
                Ok(found.map(|found| vault.creatio.insert(org.clone(), found)).is_some())
            }
            Name::Model(org) => {
                let found = self.found::<ModelSecret>(name).await?;
                Ok(found.map(|found| vault.models.insert(org.clone(), found)).is_some())
            }
        }
    }

    async fn found<T: Payload + Clone>(&self, name: &Name) -> PortResult<Option<T>> {
        // What is missing is no news here: this is what makes it.
        let reading = self.secrets.get::<T>(name).with_subscriber(NoSubscriber::default());
        match reading.await {
            Ok(found) => Ok(found.map(|found| T::clone(&found))),
            Err(PortError::Unreadable { .. }) => Ok(None),
            Err(error @ PortError::Unavailable { .. }) => Err(error),
        }
    }

    /// Whether a secret whose content is right must be written all the same: it stands under another key than the
    /// stack's, so the functions cannot read it.
    pub async fn must_be_rewritten(&self, name: &Name, content: &Content) -> PortResult<bool> {
        let key = &self.key;
        let written = match content {
            Content::Webhooks(payload) => self.secrets.compare(name, payload, key).await?,
            Content::Access(payload) => self.secrets.compare(name, payload, key).await?,
            Content::Creatio(payload) => self.secrets.compare(name, payload, key).await?,
            Content::Model(payload) => self.secrets.compare(name, payload, key).await?,
        };
        Ok(written != Written::Unchanged)
    }

    /// Writes one act. Doing it again does nothing.
    pub async fn act(&self, act: &Act) -> PortResult<()> {
        match act {
            Act::PutSecret(name, content) => self.put_secret(name, content).await,
            Act::Put(entry) => self.settings.put(entry).await,
            Act::Remove(key) => self.settings.remove(key).await,
            Act::RemoveSecret(name) => self.secrets.remove(name).await,
        }
    }

    async fn put_secret(&self, name: &Name, content: &Content) -> PortResult<()> {
        let key = &self.key;
        match content {
            Content::Webhooks(payload) => self.secrets.put(name, payload, key).await?,
            Content::Access(payload) => self.secrets.put(name, payload, key).await?,
            Content::Creatio(payload) => self.secrets.put(name, payload, key).await?,
            Content::Model(payload) => self.secrets.put(name, payload, key).await?,
        };
        Ok(())
    }
}
