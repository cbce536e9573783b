//! What organisations configured, in one small table: read by the functions, written by `switchboard apply`.
//!
//! `pk` is the record's key, `body` the record as JSON; a token's item also has `org`, for people, and `expires_at`
//! (seconds), by which the table removes it.

mod errors;
mod reading;
pub mod record;
mod writing;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use shared::OrgId;
use shared::channel::LineKey;
use shared_flow::ports::{Clock, LineSettings, OrgSettings, PortResult, Settings};

use self::reading::Cache;
use self::record::{Entry, Key, OrgRecord};
use crate::time::Time;

/// The table of settings. A clone is another handle to it and shares what it remembers.
///
/// What was found is remembered for 30 s, and for up to an hour while the table is away; that something is absent is
/// never remembered, so that a number which was configured a second ago works. Time-outs, retries and the endpoint
/// belong to the client that the caller makes.
#[derive(Clone)]
pub struct SettingsTable {
    client: Client,
    name: String,
    cache: Arc<Cache>,
    time: Time,
}

impl SettingsTable {
    /// The table of this name. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), cache: Arc::default(), time: Time::default() }
    }

    /// The same with another clock than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { time: Time::of(clock), ..self }
    }

    /// The organisation's record; `None` when there is no such organisation.
    pub async fn org_record(&self, org: &OrgId) -> PortResult<Option<OrgRecord>> {
        let found = self.find(Key::Org(org.clone())).await?;
        Ok(found.and_then(|entry| match entry.as_ref() {
            Entry::Org(_, record) => Some(record.clone()),
            Entry::Line(..) | Entry::CreatioToken(..) => None,
        }))
    }

    /// Whose webhooks the token with this SHA-256 digest lets in; `None` when nobody's, or when it has ended.
    pub async fn creatio_org_of_token(&self, sha256: &[u8; 32]) -> PortResult<Option<OrgId>> {
        let found = self.find(Key::CreatioToken(*sha256)).await?;
        let now = self.time.now();
        Ok(found.and_then(|entry| match entry.as_ref() {
            Entry::CreatioToken(_, token) if token.is_valid(now) => Some(token.org.clone()),
            Entry::CreatioToken(..) | Entry::Org(..) | Entry::Line(..) => None,
        }))
    }
}

#[async_trait]
impl Settings for SettingsTable {
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>> {
        let found = self.find(Key::Line(line.clone())).await?;
        Ok(found.and_then(|entry| match entry.as_ref() {
            Entry::Line(_, record) => Some(record.settings(line)),
            Entry::Org(..) | Entry::CreatioToken(..) => None,
        }))
    }

    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>> {
        Ok(self.org_record(org).await?.map(|record| record.settings(org)))
    }
}
