//! What a function answers when an operator asks whether it could work: tried with its own rights, from where it runs.

use std::future::Future;

use serde::{Deserialize, Serialize};
use shared::OrgId;
use shared_aws::secrets::{AccessTokens, CreatioSecret, ModelSecret, Name, Secrets};
use shared_flow::ports::{PortError, PortResult};

/// The question. `switchboard doctor` asks it.
#[derive(Debug, Clone, Deserialize)]
pub struct Question {
    /// Always `check`.
    pub switchboard: Word,
    /// The organisations whose secrets are looked at.
    #[serde(default)]
    pub orgs: Vec<OrgId>,
}

/// The one word of the question.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// Try everything that can be tried without an effect.
    Check,
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Report {
    /// Which function.
    pub function: String,
    /// Whether all of it works.
    pub ok: bool,
    /// What was tried, in order.
    pub checks: Vec<Check>,
}

/// One thing that was tried.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Check {
    /// What: `the settings table`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Why not; no personal data, no secret.
    pub why: Option<String>,
}

impl Check {
    /// Tries something.
    pub(crate) async fn of<T>(
        name: impl Into<String>,
        trying: impl Future<Output = Result<T, PortError>>,
    ) -> Self {
        let why = trying.await.err().map(|error| error.to_string());
        Self { name: name.into(), ok: why.is_none(), why }
    }
}

impl Report {
    /// The answer of this function.
    pub(crate) fn of(function: &str, checks: Vec<Check>) -> Self {
        Self { function: function.to_owned(), ok: checks.iter().all(|check| check.ok), checks }
    }
}

/// The one kind of secret that a function may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// None.
    None,
    /// What proves webhooks; one for all organisations.
    Webhooks,
    /// WhatsApp access tokens.
    Whatsapp,
    /// The Creatio application's.
    Creatio,
    /// The model's key.
    Model,
}

impl Secret {
    /// Its name in an operator's words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "absent",
            Self::Webhooks => "webhook",
            Self::Whatsapp => "WhatsApp",
            Self::Creatio => "Creatio",
            Self::Model => "model",
        }
    }

    /// Whether an organisation's secret of this kind can be read. One that is absent is no error: not every
    /// organisation has every connection.
    pub(crate) async fn read(self, secrets: &Secrets, org: &OrgId) -> PortResult<()> {
        if let Some(name) = self.of(org) {
            // As it is now, not as it was remembered.
            secrets.afresh(&name).await?;
        }
        match self {
            Self::None | Self::Webhooks => Ok(()),
            Self::Whatsapp => secrets.get::<AccessTokens>(&Name::Whatsapp(org.clone())).await.map(|_| ()),
            Self::Creatio => secrets.get::<CreatioSecret>(&Name::Creatio(org.clone())).await.map(|_| ()),
            Self::Model => secrets.get::<ModelSecret>(&Name::Model(org.clone())).await.map(|_| ()),
        }
    }

    fn of(self, org: &OrgId) -> Option<Name> {
        match self {
            Self::None | Self::Webhooks => None,
            Self::Whatsapp => Some(Name::Whatsapp(org.clone())),
            Self::Creatio => Some(Name::Creatio(org.clone())),
            Self::Model => Some(Name::Model(org.clone())),
        }
    }
}
