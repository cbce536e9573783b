//! People, and one item for each key by which they are recognised.

use std::collections::BTreeSet;

use async_trait::async_trait;
use shared::{Contact, Identity, OrgId};
use shared_flow::ports::{Contacts, PortResult};

use super::errors::unavailable;
use super::record::{ContactRecord, ToContact, from_body, to_body};
use super::transact::Transacted;
use super::{Table, keys};

#[async_trait]
impl Contacts for Table {
    async fn by_identity(&self, org: &OrgId, identity: &Identity) -> PortResult<Option<Contact>> {
        let Some(found) = self.get::<ToContact>(keys::identity(org, identity)).await? else {
            return Ok(None);
        };
        let contact: Option<ContactRecord> = self.get(keys::contact(org, found.contact_id)).await?;
        contact.map(|contact| from_body(&contact.body)).transpose()
    }

    async fn save(&self, contact: &Contact, identities: &[Identity]) -> PortResult<()> {
        let org = &contact.org;
        let record = ContactRecord { body: to_body(contact)? };
        let mut writes = vec![self.put(keys::contact(org, contact.id), &record, None)?];
        // One transaction may name an item only once.
        for identity in identities.iter().collect::<BTreeSet<_>>() {
            let to = ToContact { contact_id: contact.id };
            writes.push(self.put(keys::identity(org, identity), &to, None)?);
        }
        match self.transact(writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) | Transacted::Conflict => {
                Err(unavailable("another write of the same contact was under way"))
            }
        }
    }
}
