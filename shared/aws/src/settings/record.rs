//! What stands in the settings table, as JSON: the records, their keys, and what they mean to the line.
//!
//! Old and new versions of the functions run side by side while a deployment is under way. So a reader ignores fields
//! that it does not know, and does without every field that was added later: such a field has a default. A new value
//! of a field that exists is written only once every function can read it.

mod key;

use std::fmt;

use serde::{Deserialize, Serialize};
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared::{OrgId, SignedDuration, Timestamp};
use shared_flow::ports::{LineSettings, OrgSettings, PortResult};
use uuid::Uuid;

use super::errors::{bad_record, unreadable};

pub use key::Key;

/// How long a webhook token that was replaced stays valid.
pub const TOKEN_OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrgRecord {
    /// Its name.
    pub name: String,
    /// The assistant's instructions.
    pub profile: String,
    /// Where a rep sees a session; `{session_id}` stands for its id.
    pub session_url: String,
    /// How long to wait for the customer's next message before answering, in milliseconds.
    #[serde(default = "three_seconds")]
    pub debounce_ms: u64,
    /// When a conversation becomes a case; absent when there is no CRM.
    #[serde(default)]
    pub crm: Option<CrmMode>,
    /// Its Creatio site; the client secret stands in Secrets Manager.
    #[serde(default)]
    pub creatio: Option<CreatioRecord>,
    /// Its model; the key stands in Secrets Manager.
    #[serde(default)]
    pub model: Option<ModelRecord>,
}

/// A Creatio site. The ids are those of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatioRecord {
    /// The site's address.
    pub instance_url: String,
    /// The identity service's address, when it is not the derived one.
    #[serde(default)]
    pub identity_url: Option<String>,
    /// The OAuth application's id.
    pub client_id: String,
    /// The contact that new cases belong to.
    #[serde(default)]
    pub default_owner_id: Option<Uuid>,
    /// The group that new cases belong to.
    #[serde(default)]
    pub default_group_id: Option<Uuid>,
    /// The status that a case gets when its session is resolved here.
    #[serde(default)]
    pub resolved_status_id: Option<Uuid>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRecord {
    /// The wire format.
    #[serde(default)]
    pub provider: Provider,
    /// The endpoint, up to and without `/chat/completions`.
    pub base_url: String,
    /// The model's name.
    pub model: String,
}

/// A model's wire format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// OpenAI-compatible chat completions.
    #[default]
    Openai,
    /// One that only a newer version speaks. The rest of the organisation's record counts all the same.
    #[serde(other)]
    Newer,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRecord {
    /// Whose line it is.
    pub org: OrgId,
    /// Whether the assistant answers on it.
    #[serde(default = "yes")]
    pub ai_enabled: bool,
    /// After how much silence a session is resolved, in milliseconds.
    #[serde(default = "twelve_hours")]
    pub auto_resolve_after_ms: u64,
    /// The number as people read it; may be empty.
    #[serde(default)]
    pub display_number: String,
}

// The number is a phone number.
impl fmt::Debug for LineRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LineRecord")
            .field("org", &self.org)
            .field("ai_enabled", &self.ai_enabled)
            .field("auto_resolve_after_ms", &self.auto_resolve_after_ms)
            .finish_non_exhaustive()
    }
}

/// A token in the address that a Creatio site's webhooks are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Whose webhooks it lets in.
    pub org: OrgId,
    /// When it ends, in seconds since 1970, once it was replaced. Absent: it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// One item of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there are only as many as an operator configured")]
pub enum Entry {
    /// An organisation.
    Org(OrgId, OrgRecord),
    /// A line.
    Line(LineKey, LineRecord),
    /// A webhook token, known by its SHA-256 digest.
    CreatioToken([u8; 32], TokenRecord),
}

impl Entry {
    /// Under which key it stands.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Org(org, _) => Key::Org(org.clone()),
            Self::Line(line, _) => Key::Line(line.clone()),
            Self::CreatioToken(digest, _) => Key::CreatioToken(*digest),
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn org(&self) -> &OrgId {
        match self {
            Self::Org(org, _) => org,
            Self::Line(_, line) => &line.org,
            Self::CreatioToken(_, token) => &token.org,
        }
    }

    /// The record as JSON.
    pub(super) fn body(&self) -> PortResult<String> {
        let body = match self {
            Self::Org(_, record) => serde_json::to_string(record),
            Self::Line(_, record) => serde_json::to_string(record),
            Self::CreatioToken(_, record) => serde_json::to_string(record),
        };
        body.map_err(|_| unreadable("a record cannot be written as JSON"))
    }

    /// The item under this key with this body.
    pub(super) fn read(key: Key, body: &str) -> PortResult<Self> {
        let bad = |error: serde_json::Error| bad_record(&key, &error);
        Ok(match &key {
            Key::Org(org) => Self::Org(org.clone(), serde_json::from_str(body).map_err(bad)?),
            Key::Line(line) => Self::Line(line.clone(), serde_json::from_str(body).map_err(bad)?),
            Key::CreatioToken(digest) => {
                Self::CreatioToken(*digest, serde_json::from_str(body).map_err(bad)?)
            }
        })
    }
}

impl OrgRecord {
    /// What the record means to the line.
    #[must_use]
    pub fn settings(&self, org: &OrgId) -> OrgSettings {
        OrgSettings {
            org: org.clone(),
            name: self.name.clone(),
            profile: self.profile.clone(),
            session_url: self.session_url.clone(),
            debounce: millis(self.debounce_ms),
            crm: self.crm,
        }
    }
}

impl LineRecord {
    /// What the record means to the line.
    #[must_use]
    pub fn settings(&self, line: &LineKey) -> LineSettings {
        LineSettings {
            org: self.org.clone(),
            line: line.clone(),
            ai_enabled: self.ai_enabled,
            auto_resolve_after: millis(self.auto_resolve_after_ms),
        }
    }
}

impl TokenRecord {
    /// Whether it lets anybody in at this time. The table removes what has expired only some hours later.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now.as_second() < end)
    }
}

/// The token items to write so that `new` is the organisation's token (`None`: it has none any more): the new one
/// stands, each other one that stood so far ends after [`TOKEN_OVERLAP`], and one whose end was fixed before keeps it.
/// What need not change is not among them.
#[must_use]
pub fn token_changes(stored: &[Entry], org: &OrgId, new: Option<[u8; 32]>, now: Timestamp) -> Vec<Entry> {
    let standing = TokenRecord { org: org.clone(), expires_at: None };
    let wanted = new.map(|digest| Entry::CreatioToken(digest, standing.clone()));
    let mut changes: Vec<Entry> = wanted.into_iter().filter(|entry| !stored.contains(entry)).collect();
    let end = now.as_second().saturating_add(TOKEN_OVERLAP.as_secs());
    for entry in stored {
        if let Entry::CreatioToken(digest, token) = entry
            && *token == standing
            && Some(*digest) != new
        {
            changes
                .push(Entry::CreatioToken(*digest, TokenRecord { expires_at: Some(end), ..token.clone() }));
        }
    }
    changes
}

fn millis(millis: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn three_seconds() -> u64 {
    3_000
}

fn twelve_hours() -> u64 {
    12 * 3_600_000
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
