//! Writing secrets, for `switchboard apply`: only what differs, under the stack's own key.

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use secrecy::{ExposeSecret, SecretString};
use shared_flow::ports::PortResult;

use super::service::{WHAT, failed, is_absent};
use super::{Name, Payload, Secrets};
use crate::errors;

/// How long a removed secret can be brought back, in days; applying a file that has it again does so.
const RECOVERY_DAYS: i64 = 7;

/// What a write does, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// There is no such secret yet.
    Created,
    /// It holds something else, or under another key.
    Changed,
    /// It holds exactly this.
    Unchanged,
}

/// How a secret stands.
enum State {
    Absent,
    MarkedForDeletion,
    There,
}

impl Secrets {
    /// What [`Self::put`] would do. Reads only.
    pub async fn compare<P: Payload>(&self, name: &Name, payload: &P, key_arn: &str) -> PortResult<Written> {
        let (_, written) = self.state(name, &payload.to_json(), key_arn).await?;
        Ok(written)
    }

    /// Makes the secret hold this, encrypted with the key, and says what that took.
    pub async fn put<P: Payload>(&self, name: &Name, payload: &P, key_arn: &str) -> PortResult<Written> {
        let content = payload.to_json();
        let (state, written) = self.state(name, &content, key_arn).await?;
        match (state, written) {
            (_, Written::Unchanged) => {}
            (State::Absent, _) => self.create(name, &content, key_arn).await?,
            (State::MarkedForDeletion, _) => {
                self.restore(name).await?;
                self.update(name, &content, key_arn).await?;
            }
            (State::There, _) => self.update(name, &content, key_arn).await?,
        }
        self.forget(name);
        Ok(written)
    }

    /// Removes a secret, if there is one. For some days it can be brought back.
    pub async fn remove(&self, name: &Name) -> PortResult<()> {
        let request = self.client.delete_secret().secret_id(name.within(&self.stack));
        match request.recovery_window_in_days(RECOVERY_DAYS).send().await {
            Ok(_) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(failed(name, &error)),
        }
        self.forget(name);
        Ok(())
    }

    /// The names of all secrets that the stack has.
    pub async fn names(&self) -> PortResult<Vec<Name>> {
        let within = format!("{}/", self.stack);
        let filter = Filter::builder().key(FilterNameStringType::Name).values(within).build();
        let mut pages = self.client.list_secrets().filters(filter).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| errors::failed(WHAT, &error))?;
            let found = page.secret_list.unwrap_or_default();
            names.extend(found.iter().filter_map(|secret| Name::read(&self.stack, secret.name()?)));
        }
        names.sort();
        Ok(names)
    }

    async fn state(
        &self,
        name: &Name,
        content: &SecretString,
        key_arn: &str,
    ) -> PortResult<(State, Written)> {
        let described = self.client.describe_secret().secret_id(name.within(&self.stack)).send().await;
        let described = match described {
            Ok(described) => described,
            Err(error) if is_absent(&error) => return Ok((State::Absent, Written::Created)),
            Err(error) => return Err(failed(name, &error)),
        };
        if described.deleted_date.is_some() {
            return Ok((State::MarkedForDeletion, Written::Created));
        }
        // Under another key the functions could not read it, and perhaps nobody can any more.
        if !is_key(described.kms_key_id(), key_arn) {
            return Ok((State::There, Written::Changed));
        }
        let stored = self.read(name).await?;
        let same = stored.is_some_and(|stored| stored.expose_secret() == content.expose_secret());
        Ok((State::There, if same { Written::Unchanged } else { Written::Changed }))
    }

    async fn create(&self, name: &Name, content: &SecretString, key_arn: &str) -> PortResult<()> {
        let request = self.client.create_secret().name(name.within(&self.stack)).kms_key_id(key_arn);
        let request =
            request.description("Written by `switchboard apply`").secret_string(content.expose_secret());
        request.send().await.map(drop).map_err(|error| failed(name, &error))
    }

    /// Writes content and key at once; `PutSecretValue` would keep whatever key the secret has.
    async fn update(&self, name: &Name, content: &SecretString, key_arn: &str) -> PortResult<()> {
        let request = self.client.update_secret().secret_id(name.within(&self.stack)).kms_key_id(key_arn);
        let sent = request.secret_string(content.expose_secret()).send().await;
        sent.map(drop).map_err(|error| failed(name, &error))
    }

    async fn restore(&self, name: &Name) -> PortResult<()> {
        let request = self.client.restore_secret().secret_id(name.within(&self.stack));
        request.send().await.map(drop).map_err(|error| failed(name, &error))
    }
}

/// Whether the service's word for the key means this ARN: it may be the ARN or the id at its end.
fn is_key(told: Option<&str>, arn: &str) -> bool {
    let id = |key: &str| key.rsplit('/').next().map(str::to_owned);
    told.is_some_and(|told| id(told) == id(arn))
}
