//! Contacts in memory.

use async_trait::async_trait;
use shared::{Contact, Identity, OrgId};
use shared_flow::ports::{Contacts, PortResult};

use super::MemoryStore;

#[async_trait]
impl Contacts for MemoryStore {
    async fn by_identity(&self, org: &OrgId, identity: &Identity) -> PortResult<Option<Contact>> {
        let tables = self.lock();
        let id = tables.identities.get(&(org.clone(), identity.clone()));
        Ok(id.and_then(|id| tables.contacts.get(&(org.clone(), *id))).cloned())
    }

    async fn save(&self, contact: &Contact, identities: &[Identity]) -> PortResult<()> {
        let mut tables = self.lock();
        tables.contacts.insert((contact.org.clone(), contact.id), contact.clone());
        for identity in identities {
            tables.identities.insert((contact.org.clone(), identity.clone()), contact.id);
        }
        Ok(())
    }
}
