//! What must be known of a business number to hear it and to speak for it, and where that comes from.

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared_flow::ports::PortResult;

use super::verify::AppSecret;

/// The credentials of the WhatsApp lines.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The token that may send from this number, or `None` when the number is not this organisation's.
    async fn access_token(&self, org: &OrgId, phone_number_id: &str) -> PortResult<Option<SecretString>>;
    /// The secrets of all Meta apps that post to us, each with the numbers that were configured with it. While a
    /// secret is being changed, the old and the new one stand here.
    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>>;
    /// The texts that Meta may present when the callback address is set.
    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>>;
    /// The organisation's token was just refused and may have been replaced: reads it anew, though not at every call.
    /// Says whether it has changed lately, so that another try with [`Self::access_token`] makes sense.
    async fn afresh(&self, _org: &OrgId) -> PortResult<bool> {
        Ok(false)
    }
    /// The same for [`Self::app_secrets`] and [`Self::verify_tokens`], when they did not fit what came in.
    async fn apps_afresh(&self) -> PortResult<bool> {
        Ok(false)
    }
}
