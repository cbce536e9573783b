//! How things are named: every id is computed from what it names, so that a retry computes the same one.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The root of all computed ids. Changing it would file everything a second time.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b1f_6f0a_5d3e_4a8e_9c44_5357_4244_0001);

/// Computes a UUID (version 5) from a kind and the parts that identify the thing.
///
/// Parts are length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
#[must_use]
pub fn derive(kind: &str, parts: &[&str]) -> Uuid {
    let mut name = format!("{}:{kind}", kind.len());
    for part in parts {
        name.push_str(&format!("|{}:{part}", part.len()));
    }
    Uuid::new_v5(&NAMESPACE, name.as_bytes())
}

/// The organisation whose data this is. It comes from settings or from a verified credential, never from a body.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrgId(String);

/// Why a text is no organisation id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an organisation id has 1 to 40 of the characters a-z, 0-9, '-' and '_'; got {0:?}")]
pub struct BadOrgId(String);

impl OrgId {
    /// Takes an id that a person wrote into settings.
    pub fn new(text: &str) -> Result<Self, BadOrgId> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if text.is_empty() || text.len() > 40 || !text.chars().all(allowed) {
            return Err(BadOrgId(text.chars().take(40).collect()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text; safe in keys and logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrgId {
    type Error = BadOrgId;
    fn try_from(text: String) -> Result<Self, BadOrgId> {
        Self::new(&text)
    }
}

impl From<OrgId> for String {
    fn from(id: OrgId) -> Self {
        id.0
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// One conversation with one customer on one line, from its first message to its resolution.
    SessionId
}
uuid_id! {
    /// One person, across sessions.
    ContactId
}

/// One message of one session: the session and its place in the transcript, so that the id alone finds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId {
    /// The session it belongs to.
    pub session: SessionId,
    /// Its place in the transcript, counted from 1.
    pub seq: u64,
}

/// Why a text is no message id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a message id looks like <session uuid>:<number>")]
pub struct BadMessageId;

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.session, self.seq)
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for MessageId {
    type Err = BadMessageId;
    fn from_str(text: &str) -> Result<Self, BadMessageId> {
        let (session, seq) = text.split_once(':').ok_or(BadMessageId)?;
        let session = session.parse().map_err(|_| BadMessageId)?;
        let seq = seq.parse().map_err(|_| BadMessageId)?;
        Ok(Self { session, seq })
    }
}

impl TryFrom<String> for MessageId {
    type Error = BadMessageId;
    fn try_from(text: String) -> Result<Self, BadMessageId> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_where_one_part_ends() {
        assert_ne!(derive("x", &["ab", "c"]), derive("x", &["a", "bc"]));
        assert_eq!(derive("x", &["ab"]), derive("x", &["ab"]));
    }

    #[test]
    fn an_org_id_cannot_carry_a_key_separator() {
        assert!(OrgId::new("acme").is_ok());
        for bad in ["", "a#b", "A", "a/b", "ü", &"x".repeat(41)] {
            assert!(OrgId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_message_id_reads_back() {
        let id = MessageId { session: SessionId(derive("s", &[])), seq: 7 };
        assert_eq!(id.to_string().parse::<MessageId>().unwrap(), id);
        assert!("x".parse::<MessageId>().is_err());
    }
}
