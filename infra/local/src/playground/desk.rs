//! The rep's desk: a case as a rep sees it, and the two things that a rep does here.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

/// A CRM as the rep of the page uses it.
#[async_trait]
pub trait CaseDesk: Send + Sync {
    /// The case with this id, if it exists by now.
    async fn case(&self, id: &str) -> Option<CaseView>;
    /// Writes to the customer, as a rep does.
    async fn reply(&self, case: &str, text: &str) -> Result<(), DeskError>;
    /// Closes the case, as a rep does.
    async fn close(&self, case: &str) -> Result<(), DeskError>;
}

/// Why the desk did not do it, in words for the person at the page.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeskError(pub String);

/// A case as a rep sees it.
#[derive(Clone, Serialize)]
pub struct CaseView {
    /// The CRM's id.
    pub id: String,
    /// Its number, as reps know it.
    pub number: String,
    /// One line.
    pub subject: String,
    /// The status's name.
    pub status: String,
    /// Whether that is a final one.
    pub closed: bool,
    /// What a rep reads first.
    pub description: String,
    /// The customer's name in the CRM.
    pub contact: Option<String>,
    /// Oldest first.
    pub activities: Vec<ActivityView>,
}

/// An activity of a case.
#[derive(Clone, Serialize)]
pub struct ActivityView {
    /// The CRM's id.
    pub id: String,
    /// When it was created.
    pub at: Option<Timestamp>,
    /// A short line.
    pub title: String,
    /// The words.
    pub text: String,
    /// Whether a rep wrote it here, rather than the line.
    pub by_rep: bool,
}
