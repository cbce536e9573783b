//! People and the keys by which they are recognised.

use async_trait::async_trait;
use shared::{Contact, Identity, OrgId};

use super::PortResult;

/// The store of contacts.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// The contact recognised by this identity. Reads must see every earlier write.
    async fn by_identity(&self, org: &OrgId, identity: &Identity) -> PortResult<Option<Contact>>;
    /// Stores the contact and points these identities to it, all or nothing. An identity that pointed to another
    /// contact now points here (a recycled number); the other contact stays.
    async fn save(&self, contact: &Contact, identities: &[Identity]) -> PortResult<()>;
}
