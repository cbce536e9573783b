//! The shape of each item. Attributes that conditions and indexes need stand on their own; the rest is one `body`.
//!
//! A body is JSON text rather than a DynamoDB map: it reads back to exactly what was written (numbers, tagged
//! enums and empty strings included), by the same code that queues and tests use, and is smaller than a map.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared::crm::Cursor;
use shared::{ContactId, Delivery, Message, MessageId, Session, SessionId};
use shared_flow::ports::PortResult;

use super::errors::{bad_body, unreadable};
use super::keys::Key;

/// An item as the client takes and gives it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// How many parts the index of what is due is divided into, so that no single one takes every write.
pub(super) const SHARDS: u8 = 8;

/// A session's head.
#[derive(Serialize, Deserialize)]
pub(super) struct Head {
    version: u64,
    /// For people who look at the table.
    state: String,
    pub(super) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<i64>,
    recent: String,
    recent_at: i64,
}

/// A message, its words apart from its delivery: the words never change, the delivery does without them.
#[derive(Serialize, Deserialize)]
pub(super) struct MessageRecord {
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rev: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<i64>,
}

/// How far the CRM's copy has got.
#[derive(Serialize, Deserialize)]
pub(super) struct CursorRecord {
    rev: u64,
    pub(super) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<i64>,
}

/// A way to a session: the open one of a person, or the one a case belongs to.
#[derive(Serialize, Deserialize)]
pub(super) struct ToSession {
    pub(super) session_id: SessionId,
}

/// A fact that was written; `expires_at` (in seconds) is also the attribute by which the table removes it.
#[derive(Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) expires_at: i64,
}

/// A message that the channel knows.
#[derive(Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) message: MessageId,
}

/// A person.
#[derive(Serialize, Deserialize)]
pub(super) struct ContactRecord {
    pub(super) body: String,
}

/// A key by which a person is recognised.
#[derive(Serialize, Deserialize)]
pub(super) struct ToContact {
    pub(super) contact_id: ContactId,
}

/// Who sends a session's messages, until when.
#[derive(Serialize, Deserialize)]
pub(super) struct Lane {
    pub(super) lane_by: String,
    pub(super) lane_until: i64,
}

/// A turn.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct TurnRecord {
    pub(super) claims: u32,
    pub(super) verdict: Option<String>,
}

/// How often somebody asked to read the case.
#[derive(Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) asked: u64,
}

impl Head {
    pub(super) fn of(session: &Session) -> PortResult<Self> {
        Ok(Self {
            version: session.version,
            state: session.state.name().to_owned(),
            body: to_body(session)?,
            wake_shard: session.wake_at.map(|_| shard(session.id)),
            wake_at: session.wake_at.map(not_before),
            recent: session.org.to_string(),
            recent_at: session.last_activity_at.as_millisecond(),
        })
    }
}

impl MessageRecord {
    pub(super) fn of(session: SessionId, message: &Message) -> PortResult<Self> {
        let delivery = message.delivery.as_ref();
        let wake = delivery.and_then(wake_of);
        Ok(Self {
            body: to_body(&Message { delivery: None, ..message.clone() })?,
            delivery: delivery.map(to_body).transpose()?,
            rev: delivery.map(|delivery| delivery.rev),
            wake_shard: wake.map(|_| shard(session)),
            wake_at: wake,
        })
    }

    pub(super) fn message(&self) -> PortResult<Message> {
        let delivery = self.delivery.as_deref().map(from_body::<Delivery>).transpose()?;
        Ok(Message { delivery, ..from_body(&self.body)? })
    }
}

impl CursorRecord {
    pub(super) fn of(session: SessionId, cursor: &Cursor) -> PortResult<Self> {
        Ok(Self {
            rev: cursor.rev,
            body: to_body(cursor)?,
            wake_shard: cursor.wake_at.map(|_| shard(session)),
            wake_at: cursor.wake_at.map(not_before),
        })
    }
}

/// When a delivery wants to be looked at, in the index's milliseconds.
pub(super) fn wake_of(delivery: &Delivery) -> Option<i64> {
    delivery.look_at.filter(|_| delivery.is_open()).map(not_before)
}

/// The part of the index that a session stands in. Session ids are hashes, so their last bits spread evenly.
pub(super) fn shard(session: SessionId) -> String {
    let last = session.0.as_bytes().last().copied().unwrap_or_default();
    shard_name(last % SHARDS)
}

/// The name of a part of the index.
pub(super) fn shard_name(number: u8) -> String {
    format!("w{number}")
}

/// The first whole millisecond that is not before `at`: nothing is due, and no lease ends, too early.
pub(super) fn not_before(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    let cut = at.as_nanosecond() > i128::from(whole) * 1_000_000;
    whole + i64::from(cut)
}

/// The item under this key.
pub(super) fn item(key: Key, record: &impl Serialize) -> PortResult<Item> {
    let mut item: Item =
        serde_dynamo::to_item(record).map_err(|_| unreadable("a record cannot be written as an item"))?;
    item.extend(key.attributes());
    Ok(item)
}

/// A thing as body.
pub(super) fn to_body(thing: &impl Serialize) -> PortResult<String> {
    serde_json::to_string(thing).map_err(|error| bad_body(&error))
}

/// The thing in a body.
pub(super) fn from_body<T: DeserializeOwned>(body: &str) -> PortResult<T> {
    serde_json::from_str(body).map_err(|error| bad_body(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_before_its_time() {
        let at = |nanos| Timestamp::from_nanosecond(nanos).unwrap();
        assert_eq!(not_before(at(5_000_000)), 5);
        assert_eq!(not_before(at(5_000_001)), 6);
    }

    #[test]
    fn what_is_settled_leaves_the_index() {
        let now = Timestamp::UNIX_EPOCH;
        let queued = Delivery::queued(now);
        assert_eq!(wake_of(&queued), Some(60_000));
        // A time left behind on something settled is nobody's business.
        let accepted = Delivery { look_at: Some(now), ..queued.begun(now).accepted("wamid.1") };
        assert_eq!(wake_of(&accepted), None);
    }
}
