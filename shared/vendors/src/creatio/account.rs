//! How an organisation's Creatio site is reached: what was configured, and the address people really paste.

use async_trait::async_trait;
use secrecy::SecretString;
use shared::OrgId;
use shared_flow::ports::PortResult;
use uuid::Uuid;

/// A connection to a Creatio site, as an administrator configured it.
#[derive(Clone)]
pub struct Account {
    /// The site, such as `https://acme.creatio.com`. A trailing slash, `/0` and pasted page paths are tolerated.
    pub instance_url: String,
    /// The Identity Service, with or without `/connect/token`; derived from the site when absent.
    pub identity_url: Option<String>,
    /// The OAuth application's client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The contact who owns new cases. A contact's id, never a user's.
    pub default_owner_id: Option<Uuid>,
    /// The group of new cases: an id of `SysAdminUnit`.
    pub default_group_id: Option<Uuid>,
    /// The case status that our resolving sets; without it a resolved session leaves the case as it is.
    pub resolved_status_id: Option<Uuid>,
}

/// The configured connections, found by verified keys only.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// The organisation's connection; `None` when it has none.
    async fn account(&self, org: &OrgId) -> PortResult<Option<Account>>;
    /// Whose webhook token has this SHA-256 digest; `None` when nobody's.
    async fn org_of_token(&self, sha256: &[u8; 32]) -> PortResult<Option<OrgId>>;
    /// The organisation's secret was just refused and may have been replaced: reads it anew, though not at every call.
    /// Says whether it has changed lately, so that another try with [`Self::account`] makes sense.
    async fn afresh(&self, _org: &OrgId) -> PortResult<bool> {
        Ok(false)
    }
}

/// Path beginnings that belong to pages and services of a site, not to its address.
const NOT_THE_ADDRESS: [&str; 4] = ["/0/", "/odata/", "/login/", "/connect/"];

impl Account {
    /// The site's address without a slash at the end and without what people paste along with it: the `/0` of the
    /// application on .NET Framework, and paths of its pages.
    #[must_use]
    pub fn site(&self) -> String {
        let whole = format!("{}/", self.instance_url.trim().trim_end_matches('/'));
        let lower = whole.to_ascii_lowercase();
        let host_at = lower.find("://").map_or(0, |at| at + 3);
        let after_host = lower.get(host_at..).unwrap_or_default();
        let cut = NOT_THE_ADDRESS.iter().filter_map(|path| after_host.find(path)).min();
        let end = cut.map_or(whole.len(), |at| host_at + at);
        whole.get(..end).unwrap_or_default().trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A connection without defaults.
    pub(in crate::creatio) fn account(instance_url: &str) -> Account {
        Account {
            instance_url: instance_url.to_owned(),
            identity_url: None,
            client_id: "client".to_owned(),
            client_secret: "secret".to_owned().into(),
            default_owner_id: None,
            default_group_id: None,
            resolved_status_id: None,
        }
    }

    #[test]
    fn whatever_part_of_the_site_was_pasted_its_address_is_the_same() {
        for pasted in [
            "https://acme.creatio.com",
            "https://acme.creatio.com/",
            " https://acme.creatio.com/0 ",
            "https://acme.creatio.com/0/",
            "https://acme.creatio.com/0/odata/Case",
            "https://acme.creatio.com/odata/",
            "https://acme.creatio.com/0/Nui/ViewModule.aspx#CardModuleV2",
            "https://acme.creatio.com/Login/NuiLogin.aspx?ReturnUrl=%2f0",
        ] {
            assert_eq!(account(pasted).site(), "https://acme.creatio.com", "{pasted}");
        }
    }

    #[test]
    fn a_site_below_a_path_keeps_it() {
        assert_eq!(account("http://127.0.0.1:4100/crm/0/").site(), "http://127.0.0.1:4100/crm");
        assert_eq!(account("https://crm.acme.example/30").site(), "https://crm.acme.example/30");
    }
}
