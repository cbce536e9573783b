//! One call to a model.

use async_trait::async_trait;
use jiff::SignedDuration;
use shared::OrgId;
use shared::agent::{Answer, Prompt};

/// A model.
#[async_trait]
pub trait Model: Send + Sync {
    /// Makes one call and returns a usable answer. `repair` tells the model what was wrong with its last one.
    async fn complete(
        &self,
        org: &OrgId,
        prompt: &Prompt,
        repair: Option<&str>,
    ) -> Result<Answer, ModelError>;
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It did not answer, or asked us to come back. Calling again is harmless.
    #[error("model not available: {why}")]
    Unavailable {
        /// What happened; no personal data.
        why: String,
        /// How long it wants us to wait.
        after: Option<SignedDuration>,
    },
    /// It answered with something unusable.
    #[error("model answer unusable: {0}")]
    Malformed(String),
    /// The provider refused to answer this conversation.
    #[error("model refused")]
    Refused,
    /// Wrong key, unknown model, no money: calling again will not help, an operator must act.
    #[error("model not usable: {0}")]
    Misconfigured(String),
}
