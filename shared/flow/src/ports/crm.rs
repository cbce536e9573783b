//! A CRM as crm-sync needs it. Every write may be repeated: the vendor's adapter makes sure it counts once.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::OrgId;
use shared::crm::{ActivityDraft, CaseDraft, ContactDraft};
use uuid::Uuid;

/// A CRM.
#[async_trait]
pub trait Crm: Send + Sync {
    /// Finds the customer's contact by phone, or creates it under the draft's id. Returns the CRM's id.
    async fn contact(&self, org: &OrgId, draft: &ContactDraft) -> Result<String, CrmError>;
    /// Creates the case under the draft's id, unless it exists.
    async fn create_case(&self, org: &OrgId, draft: &CaseDraft) -> Result<CaseMade, CrmError>;
    /// Adds the activity under the draft's id, unless it exists.
    async fn add_activity(&self, org: &OrgId, draft: &ActivityDraft) -> Result<ActivityMade, CrmError>;
    /// Puts `to` into the case's description if `from` (or nothing) stands there; a person's words stay.
    async fn describe(&self, org: &OrgId, case: Uuid, from: &str, to: &str) -> Result<(), CrmError>;
    /// Sets the configured resolved status, unless the case is final already or none is configured.
    async fn resolve(&self, org: &OrgId, case: Uuid) -> Result<(), CrmError>;
    /// Reads what happened in a case: all activities created at `since` or later, and whether it is closed.
    async fn read_case(
        &self,
        org: &OrgId,
        case: Uuid,
        since: Option<Timestamp>,
    ) -> Result<CaseNews, CrmError>;
}

/// A case that exists now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseMade {
    /// Its number, as reps know it.
    pub number: Option<String>,
    /// The contact under which we write.
    pub our_author: Option<String>,
}

/// An activity that exists now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityMade {
    /// The contact under which we write.
    pub our_author: Option<String>,
}

/// What was read from a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseNews {
    /// Whether it reached a final or resolved status.
    pub closed: bool,
    /// Its activities, oldest first.
    pub activities: Vec<CaseActivity>,
}

/// An activity of a case.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseActivity {
    /// The CRM's id.
    pub id: String,
    /// Who wrote it, as the CRM's contact id.
    pub author: Option<String>,
    /// When it was created, by the CRM's clock.
    pub created: Option<Timestamp>,
    /// The words as plain text; `None` when it is nothing for the customer (internal, incoming, empty).
    pub reply: Option<String>,
}

// The words are a person's.
impl std::fmt::Debug for CaseActivity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaseActivity").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a CRM did not do what was asked, by what the caller must do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrmError {
    /// It will pass: try again, not before `after` if given.
    #[error("CRM not available: {why}")]
    Later {
        /// What happened; no personal data.
        why: String,
        /// The least wait.
        after: Option<SignedDuration>,
    },
    /// Credentials or rights are missing: writes wait until an operator acts, and it is probed meanwhile.
    #[error("CRM connection broken: {0}")]
    Broken(String),
    /// This one thing is refused for good.
    #[error("CRM refused: {0}")]
    Refused(String),
    /// The case was deleted there.
    #[error("gone from the CRM: {0}")]
    Gone(String),
}
