//! Who the customer is: a person keyed by the channel's stable id, with a phone number that may be missing or recycled.

use serde::{Deserialize, Serialize};

use crate::ids::{ContactId, OrgId, derive};

/// A person, as far as the channels told us.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Computed from the first identity seen.
    pub id: ContactId,
    /// The organisation this person talks to; the same human at another organisation is another contact.
    pub org: OrgId,
    /// What the person calls themselves. Display only: user-chosen and possibly hostile.
    pub name: Option<String>,
    /// The business-scoped user id, when WhatsApp sent one.
    pub user_id: Option<String>,
    /// Digits without `+`, when known.
    pub phone: Option<String>,
}

// Name, number and user id are the person's.
impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("id", &self.id).field("org", &self.org).finish_non_exhaustive()
    }
}

/// Where an answer goes on the customer's channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "channel")]
pub enum CustomerAddress {
    /// A WhatsApp user. At least one of the two is present.
    Whatsapp {
        /// The business-scoped user id (`CC.` and letters or digits), present on real traffic since April 2026.
        user_id: Option<String>,
        /// Digits without `+`; absent for people who write under a username.
        phone: Option<String>,
    },
}

// Personal data stays out of debug output, which ends up in logs.
impl std::fmt::Debug for CustomerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerAddress(…)")
    }
}

/// One key by which a person is recognised.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// WhatsApp's business-scoped user id.
    WhatsappUser(String),
    /// A phone number, digits without `+`.
    Phone(String),
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl Identity {
    /// The identity as a key part.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::WhatsappUser(id) => format!("wa:{id}"),
            Self::Phone(digits) => format!("tel:{digits}"),
        }
    }
}

impl CustomerAddress {
    /// What keeps one customer's events in one lane: the user id where there is one, else the number.
    #[must_use]
    pub fn stable(&self) -> &str {
        match self {
            Self::Whatsapp { user_id, phone } => user_id.as_deref().or(phone.as_deref()).unwrap_or("unknown"),
        }
    }

    /// The identities this address proves, strongest first.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        match self {
            Self::Whatsapp { user_id, phone } => {
                let user = user_id.iter().map(|id| Identity::WhatsappUser(id.clone()));
                user.chain(phone.iter().map(|digits| Identity::Phone(digits.clone()))).collect()
            }
        }
    }

    /// The phone number, if the channel told it.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        match self {
            Self::Whatsapp { phone, .. } => phone.as_deref(),
        }
    }

    /// The business-scoped user id, if the channel told it.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        match self {
            Self::Whatsapp { user_id, .. } => user_id.as_deref(),
        }
    }

    /// This address with whatever the newer one knows. A number that disappeared is kept: it was the person's
    /// when it was seen, and a username only hides it.
    #[must_use]
    pub fn refreshed(&self, newer: &Self) -> Self {
        match (self, newer) {
            (Self::Whatsapp { user_id, phone }, Self::Whatsapp { user_id: new_user, phone: new_phone }) => {
                Self::Whatsapp {
                    user_id: new_user.clone().or_else(|| user_id.clone()),
                    phone: new_phone.clone().or_else(|| phone.clone()),
                }
            }
        }
    }
}

impl Contact {
    /// A person seen for the first time. The id comes from the strongest identity, so that two events of one new
    /// person, handled at once, make one contact.
    #[must_use]
    pub fn new(org: &OrgId, address: &CustomerAddress, name: Option<String>) -> Self {
        let key = address.identities().first().map_or_else(|| "unknown".to_owned(), Identity::key);
        Self {
            id: ContactId(derive("contact", &[org.as_str(), &key])),
            org: org.clone(),
            name,
            user_id: address.user_id().map(str::to_owned),
            phone: address.phone().map(str::to_owned),
        }
    }

    /// Whether a message from `address` can come from this person: the same number under another user id is
    /// somebody else (numbers are recycled), and never inherits what this person said.
    #[must_use]
    pub fn may_be(&self, address: &CustomerAddress) -> bool {
        match (self.user_id.as_deref(), address.user_id()) {
            (Some(known), Some(seen)) => known == seen,
            (None, _) | (_, None) => true,
        }
    }

    /// The contact with what a newer message tells: a first user id, a newer number, a newer name.
    #[must_use]
    pub fn refreshed(&self, address: &CustomerAddress, name: Option<String>) -> Self {
        Self {
            user_id: self.user_id.clone().or_else(|| address.user_id().map(str::to_owned)),
            phone: address.phone().map(str::to_owned).or_else(|| self.phone.clone()),
            name: name.or_else(|| self.name.clone()),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(user: Option<&str>, phone: Option<&str>) -> CustomerAddress {
        CustomerAddress::Whatsapp { user_id: user.map(str::to_owned), phone: phone.map(str::to_owned) }
    }

    #[test]
    fn a_recycled_number_is_another_person() {
        let org = OrgId::new("acme").unwrap();
        let first = Contact::new(&org, &address(Some("US.1"), Some("12025550142")), None);
        assert!(!first.may_be(&address(Some("US.2"), Some("12025550142"))));
        assert!(first.may_be(&address(None, Some("12025550142"))));
    }

    #[test]
    fn a_phone_only_person_gains_a_user_id_once() {
        let org = OrgId::new("acme").unwrap();
        let first = Contact::new(&org, &address(None, Some("12025550142")), Some("Dana".into()));
        let later = first.refreshed(&address(Some("US.1"), None), None);
        assert_eq!((later.id, later.user_id.as_deref()), (first.id, Some("US.1")));
        assert_eq!(later.phone.as_deref(), Some("12025550142"));
    }
}
