//! What is due, gathered from every part of the index.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::Deserialize;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Due, PortResult, Waking, What};

use super::keys::Key;
use super::record::{SHARDS, shard_name};
use super::{Table, number, read, text};

/// An entry of the index: the item's key and its time in milliseconds.
#[derive(Deserialize)]
struct Entry {
    pk: String,
    sk: String,
    wake_at: i64,
}

#[async_trait]
impl Waking for Table {
    async fn due(&self, now: Timestamp, limit: usize) -> PortResult<Vec<Due>> {
        let shards = try_join_all((0..SHARDS).map(|number| self.due_in(number, now, limit))).await?;
        Ok(earliest(shards.into_iter().flatten(), limit))
    }
}

impl Table {
    async fn due_in(&self, shard: u8, now: Timestamp, limit: usize) -> PortResult<Vec<Entry>> {
        let query = self.client.query().table_name(&self.name).index_name("wake");
        let query = query
            .key_condition_expression("wake_shard = :shard AND wake_at <= :now")
            .expression_attribute_values(":shard", text(shard_name(shard)))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        self.query(query, limit).await?.into_iter().map(read).collect()
    }
}

/// The entries as parts of sessions, the longest overdue first. Several open messages of a session are one.
fn earliest(entries: impl Iterator<Item = Entry>, limit: usize) -> Vec<Due> {
    let mut parts: BTreeMap<(OrgId, SessionId, What), (Timestamp, Option<u64>)> = BTreeMap::new();
    for entry in entries {
        let Entry { pk, sk, wake_at } = entry;
        let key = Key { pk, sk };
        let seq = key.seq();
        let part = key.timed_part().zip(Timestamp::from_millisecond(wake_at).ok());
        let Some((part, at)) = part else {
            // One entry that is not ours must not keep everything else from waking.
            tracing::warn!("the index of what is due holds an entry that names no session; it is skipped");
            continue;
        };
        let (earliest, first) = parts.entry(part).or_insert((at, seq));
        *earliest = at.min(*earliest);
        *first = seq.min(*first);
    }
    let due = |((org, session, what), (at, seq))| Due { org, session, what, seq, at };
    let mut found: Vec<Due> = parts.into_iter().map(due).collect();
    // Stable: what is due at the same time keeps the order of its names.
    found.sort_by_key(|due| due.at);
    found.truncate(limit);
    found
}
