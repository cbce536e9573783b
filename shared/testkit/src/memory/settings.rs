//! Settings in memory, changeable while the line runs: a test switches the assistant off half way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use shared::OrgId;
use shared::channel::LineKey;
use shared_flow::ports::{LineSettings, OrgSettings, PortResult, Settings};

/// What organisations configured. A clone is another handle to the same settings.
#[derive(Clone, Default)]
pub struct MemorySettings {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    orgs: BTreeMap<OrgId, OrgSettings>,
    lines: BTreeMap<LineKey, LineSettings>,
}

/// Plain settings of an organisation without a CRM, to be changed with struct update syntax.
#[must_use]
pub fn org_settings(org: &OrgId) -> OrgSettings {
    OrgSettings {
        org: org.clone(),
        name: format!("The {org} company"),
        profile: "You answer for a shop.".to_owned(),
        session_url: "https://line.example/sessions/{session_id}".to_owned(),
        debounce: SignedDuration::from_secs(3),
        crm: None,
    }
}

impl MemorySettings {
    /// No organisation, no line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an organisation, or replaces its settings.
    #[must_use]
    pub fn with_org(self, org: OrgSettings) -> Self {
        self.set_org(org);
        self
    }

    /// Adds a line with the assistant on and the usual 12 hours of silence, or replaces its settings.
    #[must_use]
    pub fn with_line(self, org: &OrgId, line: LineKey) -> Self {
        let auto_resolve_after = SignedDuration::from_hours(12);
        self.set_line(LineSettings { org: org.clone(), line, ai_enabled: true, auto_resolve_after });
        self
    }

    /// Replaces an organisation's settings.
    pub fn set_org(&self, org: OrgSettings) {
        self.lock().orgs.insert(org.org.clone(), org);
    }

    /// Replaces a line's settings.
    pub fn set_line(&self, line: LineSettings) {
        self.lock().lines.insert(line.line.clone(), line);
    }

    /// Switches the assistant of a line on or off; nothing happens when there is no such line.
    pub fn set_ai_enabled(&self, line: &LineKey, on: bool) {
        if let Some(settings) = self.lock().lines.get_mut(line) {
            settings.ai_enabled = on;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Settings for MemorySettings {
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>> {
        Ok(self.lock().lines.get(line).cloned())
    }

    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>> {
        Ok(self.lock().orgs.get(org).cloned())
    }
}
