//! What an organisation configured, found only by verified keys.

use async_trait::async_trait;
use jiff::SignedDuration;
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared::{OrgId, Policy};

use super::PortResult;

/// The settings.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The line with this address, and whose it is.
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>>;
    /// An organisation.
    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>>;
}

/// A line's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSettings {
    /// Whose line it is.
    pub org: OrgId,
    /// The line.
    pub line: LineKey,
    /// Whether the assistant answers on it.
    pub ai_enabled: bool,
    /// After how much silence a session is resolved.
    pub auto_resolve_after: SignedDuration,
}

/// An organisation's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgSettings {
    /// Its id.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// The assistant's instructions.
    pub profile: String,
    /// Where a rep sees a session; `{session_id}` stands for its id.
    pub session_url: String,
    /// How long to wait for the customer's next message.
    pub debounce: SignedDuration,
    /// When a conversation becomes a case, if there is a CRM.
    pub crm: Option<CrmMode>,
}

impl OrgSettings {
    /// The address under which a rep sees the session.
    #[must_use]
    pub fn link(&self, session: shared::SessionId) -> String {
        self.session_url.replace("{session_id}", &session.to_string())
    }
}

/// The policy of a line: what the settings say, on top of the defaults.
#[must_use]
pub fn policy(org: &OrgSettings, line: &LineSettings) -> Policy {
    let defaults = Policy::default();
    Policy {
        ai_enabled: line.ai_enabled,
        debounce: org.debounce,
        debounce_most: defaults.debounce_most.max(org.debounce),
        auto_resolve_after: line.auto_resolve_after,
        crm: org.crm,
        ..defaults
    }
}
