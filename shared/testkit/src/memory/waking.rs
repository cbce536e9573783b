//! What is due, read off the stored items themselves.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::Message;
use shared_flow::ports::{Due, PortResult, Waking, What};

use super::{Key, MemoryStore, Record};

#[async_trait]
impl Waking for MemoryStore {
    async fn due(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Due>> {
        let tables = self.lock();
        let mut found: Vec<Due> =
            tables.sessions.iter().flat_map(|(key, record)| times(key, record)).collect();
        found.retain(|due| due.at <= now);
        found.sort_by(|a, b| (a.at, &a.org, a.session, a.what).cmp(&(b.at, &b.org, b.session, b.what)));
        found.truncate(limit);
        Ok(found)
    }
}

/// When each part of a session wants to be looked at. Several open messages are one entry: the earliest time, the
/// first place.
fn times(key: &Key, record: &Record) -> Vec<Due> {
    let head = record.head.as_ref().and_then(|head| head.wake_at);
    let cursor = record.cursor.as_ref().and_then(|cursor| cursor.wake_at);
    let open = record.messages.values().filter(|message| message.is_open());
    let timed: Vec<(u64, Timestamp)> = open.filter_map(|m| Some((m.seq, look_at(m)?))).collect();
    let first = timed.iter().map(|(seq, _)| *seq).min();
    let earliest = timed.iter().map(|(_, at)| *at).min();
    let times =
        [(What::Session, head, None), (What::Delivery, earliest, first), (What::Cursor, cursor, None)];
    let due = |(what, at, seq): (What, Option<Timestamp>, Option<u64>)| {
        Some(Due { org: key.0.clone(), session: key.1, what, seq, at: at? })
    };
    times.into_iter().filter_map(due).collect()
}

fn look_at(message: &Message) -> Option<Timestamp> {
    message.delivery.as_ref().and_then(|delivery| delivery.look_at)
}
