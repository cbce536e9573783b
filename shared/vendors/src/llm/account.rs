//! Which model an organisation uses, and with whose key.

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared_flow::ports::PortResult;

/// An organisation's model.
#[derive(Clone)]
pub struct Account {
    /// The endpoint up to and including its version, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The model's name there; on Azure the deployment's name.
    pub model: String,
    /// Sent as a bearer token. Servers that ask for none ignore it.
    pub api_key: SecretString,
}

// An address may carry a resource name that is nobody else's business.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("model", &self.model).finish_non_exhaustive()
    }
}

/// Where accounts come from.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The organisation's model, or `None` when it has none.
    async fn account(&self, org: &OrgId) -> PortResult<Option<Account>>;
    /// The organisation's key was just refused and may have been replaced: reads it anew, though not at every call.
    /// Says whether it has changed lately, so that another try with [`Self::account`] makes sense.
    async fn afresh(&self, _org: &OrgId) -> PortResult<bool> {
        Ok(false)
    }
}
