//! How every item is named, and that nothing from outside can reach into another item's name.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use shared::channel::LineKey;
use shared::ids::derive;
use shared::{ContactId, Identity, MessageId, OrgId, SessionId};
use shared_flow::ports::What;
use uuid::Uuid;

use super::text;

/// A part that would be longer is named by its hash: a partition key takes 2,048 bytes, a part may be anything.
const LONGEST_PART: usize = 1_000;

/// The name of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    /// The key as the attributes that hold it.
    pub(super) fn attributes(self) -> HashMap<String, AttributeValue> {
        HashMap::from([("pk".to_owned(), text(self.pk)), ("sk".to_owned(), text(self.sk))])
    }

    /// Which part of which session the key names, if it names one that keeps its own time.
    pub(super) fn timed_part(&self) -> Option<(OrgId, SessionId, What)> {
        let (org, session) = self.pk.split_once("#S#")?;
        let what = match self.sk.as_str() {
            HEAD => What::Session,
            CURSOR => What::Cursor,
            message if message.starts_with(MESSAGES) => What::Delivery,
            _ => return None,
        };
        Some((OrgId::new(org).ok()?, SessionId::from_str(session).ok()?, what))
    }

    /// The place in the transcript that the key names, if it names a message.
    pub(super) fn seq(&self) -> Option<u64> {
        self.sk.strip_prefix(MESSAGES)?.parse().ok()
    }
}

const HEAD: &str = "HEAD";
const CURSOR: &str = "CRM#creatio";
const MESSAGES: &str = "M#";

/// Everything of a session stands in this partition.
pub(super) fn session(org: &OrgId, session: SessionId) -> String {
    format!("{org}#S#{session}")
}

fn of_session(org: &OrgId, id: SessionId, sk: impl Into<String>) -> Key {
    Key { pk: session(org, id), sk: sk.into() }
}

/// A session's head.
pub(super) fn head(org: &OrgId, session: SessionId) -> Key {
    of_session(org, session, HEAD)
}

/// A message.
pub(super) fn message(org: &OrgId, id: MessageId) -> Key {
    of_session(org, id.session, message_sk(id.seq))
}

/// A message's place within its session; ten digits, so that the order of text is the order of places.
pub(super) fn message_sk(seq: u64) -> String {
    format!("{MESSAGES}{seq:010}")
}

/// The end of a session's messages.
pub(super) const LAST_MESSAGE: &str = "M#9999999999";

/// Who sends a session's messages.
pub(super) fn lane(org: &OrgId, session: SessionId) -> Key {
    of_session(org, session, "LANE")
}

/// A turn.
pub(super) fn turn(org: &OrgId, session: SessionId, turn: u32) -> Key {
    of_session(org, session, format!("T#{turn:08}"))
}

/// How far the CRM's copy has got.
pub(super) fn cursor(org: &OrgId, session: SessionId) -> Key {
    of_session(org, session, CURSOR)
}

/// How often somebody asked to read the case; apart from the cursor, whose every write needs its revision.
pub(super) fn asked(org: &OrgId, session: SessionId) -> Key {
    of_session(org, session, "ASK#creatio")
}

/// The pointer to the newest session between a person and a line.
pub(super) fn pointer(org: &OrgId, contact: ContactId, line: &LineKey) -> Key {
    let (channel, address) = (line.channel.name(), safe(&line.address));
    Key { pk: format!("{org}#P#{contact}#{channel}:{address}"), sk: "NEWEST".to_owned() }
}

/// A fact that was written.
pub(super) fn mark(org: &OrgId, mark: &str) -> Key {
    Key { pk: format!("{org}#D#{}", safe(mark)), sk: "MARK".to_owned() }
}

/// A key by which a person is recognised.
pub(super) fn identity(org: &OrgId, identity: &Identity) -> Key {
    Key { pk: format!("{org}#I#{}", safe(&identity.key())), sk: "ID".to_owned() }
}

/// A person.
pub(super) fn contact(org: &OrgId, contact: ContactId) -> Key {
    Key { pk: format!("{org}#C#{contact}"), sk: "CONTACT".to_owned() }
}

/// The session that a case belongs to.
pub(super) fn case(org: &OrgId, case: Uuid) -> Key {
    Key { pk: format!("{org}#CASE#{case}"), sk: "CASE".to_owned() }
}

/// The message that the channel knows by this id.
pub(super) fn sent(org: &OrgId, vendor_id: &str) -> Key {
    Key { pk: format!("{org}#V#{}", safe(vendor_id)), sk: "SENT".to_owned() }
}

/// A part from outside without separators: `#`, `~` and `%` are percent-encoded, and a part too long for a key is
/// named by its hash behind a `~`. Different parts stay different.
fn safe(part: &str) -> String {
    let encoded = part.replace('%', "%25").replace('#', "%23").replace('~', "%7E");
    if encoded.len() > LONGEST_PART { format!("~{}", derive("key part", &[part])) } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org() -> OrgId {
        OrgId::new("acme").unwrap()
    }

    #[test]
    fn a_part_from_outside_stays_within_its_place() {
        let hostile = ["a#S#b", "#", "%23", "~x", "a#b#C#d", "%", "%7E"];
        for part in hostile {
            let contact = ContactId(derive("c", &[]));
            let keys = [
                mark(&org(), part),
                sent(&org(), part),
                identity(&org(), &Identity::Phone(part.to_owned())),
                pointer(&org(), contact, &LineKey::whatsapp(part)),
            ];
            for (key, separators) in keys.iter().zip([2, 2, 2, 3]) {
                assert_eq!(key.pk.matches('#').count(), separators, "{part}");
                assert!(key.pk.starts_with("acme#"));
            }
        }
    }

    #[test]
    fn different_parts_have_different_names() {
        let long = "x".repeat(3_000);
        let parts = ["#", "%23", "%2523", "~", "%7E", &long, &format!("{long}x"), &safe(&long)];
        let names: std::collections::BTreeSet<String> = parts.iter().map(|part| safe(part)).collect();
        assert_eq!(names.len(), parts.len());
        assert!(names.iter().all(|name| name.len() <= LONGEST_PART && !name.contains('#')));
    }

    #[test]
    fn the_longest_part_fits_a_partition_key() {
        let org = OrgId::new(&"x".repeat(40)).unwrap();
        // What is encoded grows threefold; the limit must hold for what is stored.
        for part in ["#".repeat(LONGEST_PART), "#".repeat(LONGEST_PART / 3), "x".repeat(LONGEST_PART)] {
            assert!(mark(&org, &part).pk.len() <= 2_048);
        }
    }

    #[test]
    fn messages_sort_by_place() {
        assert!(message_sk(9) < message_sk(10));
        assert!(*message_sk(4_000_000_000) < *LAST_MESSAGE);
    }

    #[test]
    fn what_keeps_its_own_time_is_read_back_from_its_key() {
        let session = SessionId(derive("s", &[]));
        let id = MessageId { session, seq: 3 };
        let part = |key: Key| key.timed_part().map(|(org, id, what)| (org.to_string(), id, what));
        assert_eq!(part(head(&org(), session)), Some(("acme".to_owned(), session, What::Session)));
        assert_eq!(part(message(&org(), id)).unwrap().2, What::Delivery);
        assert_eq!((message(&org(), id).seq(), head(&org(), session).seq()), (Some(3), None));
        assert_eq!(part(cursor(&org(), session)).unwrap().2, What::Cursor);
        assert_eq!(part(lane(&org(), session)), None);
        assert_eq!(part(mark(&org(), "a#S#b")), None);
    }
}
