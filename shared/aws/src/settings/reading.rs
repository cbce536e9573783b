//! Reading one record, and what is remembered of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use shared::{SignedDuration, Timestamp};
use shared_flow::ports::{PortError, PortResult};

use super::SettingsTable;
use super::errors::{failed, unreadable};
use super::record::{Entry, Key};
use crate::time::Time;

/// How long what was found counts without another look.
const FRESH: SignedDuration = SignedDuration::from_secs(30);
/// How long what was found counts while the table is away.
const STALE: SignedDuration = SignedDuration::from_hours(1);
/// How long a table that is away is left alone, so that not every event waits for it in vain.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// What this process has found.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Key, Held>>);

struct Held {
    entry: Arc<Entry>,
    read: Timestamp,
    failed: Option<Timestamp>,
}

impl Cache {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self, key: &Key, time: &Time) -> Option<Arc<Entry>> {
        let held = self.lock();
        let held = held.get(key)?;
        let paused =
            held.failed.is_some_and(|at| time.is_within(PAUSE, at)) && time.is_within(STALE, held.read);
        (paused || time.is_within(FRESH, held.read)).then(|| held.entry.clone())
    }

    /// Nothing is kept of what is absent: anybody may ask for names that were never configured.
    fn keep(&self, key: Key, found: Option<&Arc<Entry>>, now: Timestamp) {
        match found {
            Some(entry) => {
                let held = Held { entry: entry.clone(), read: now, failed: None };
                self.lock().insert(key, held);
            }
            None => self.forget(&key),
        }
    }

    /// What counts while the table is away.
    fn instead(&self, key: &Key, error: PortError, time: &Time) -> PortResult<Arc<Entry>> {
        let mut all = self.lock();
        let Some(held) = all.get_mut(key).filter(|held| time.is_within(STALE, held.read)) else {
            return Err(error);
        };
        let minutes = time.minutes(held.read);
        tracing::warn!(error = %error, minutes, "the settings table is away: settings of some minutes ago are used");
        held.failed = Some(time.now());
        Ok(held.entry.clone())
    }

    pub(super) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }
}

impl SettingsTable {
    /// Reads the name of nothing: whether the table is there and may be read.
    pub async fn reachable(&self) -> PortResult<()> {
        let request = self.client.get_item().table_name(&self.name);
        request.key("pk", AttributeValue::S("CHECK".to_owned())).send().await.map(drop).map_err(failed)
    }

    /// The entry under this key, from memory or from the table.
    pub(super) async fn find(&self, key: Key) -> PortResult<Option<Arc<Entry>>> {
        if let Some(entry) = self.cache.fresh(&key, &self.time) {
            return Ok(Some(entry));
        }
        match self.read(&key).await {
            Ok(found) => {
                let found = found.map(Arc::new);
                self.cache.keep(key, found.as_ref(), self.time.now());
                Ok(found)
            }
            Err(error @ PortError::Unavailable { .. }) => {
                self.cache.instead(&key, error, &self.time).map(Some)
            }
            Err(error @ PortError::Unreadable { .. }) => Err(error),
        }
    }

    async fn read(&self, key: &Key) -> PortResult<Option<Entry>> {
        // A copy may lag behind, and what is not found costs a customer's message: absence is looked at twice.
        let body = match self.body(key, false).await? {
            Some(body) => Some(body),
            None => self.body(key, true).await?,
        };
        body.map(|body| Entry::read(key.clone(), &body)).transpose()
    }

    async fn body(&self, key: &Key, consistent: bool) -> PortResult<Option<String>> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(consistent);
        let request = request.key("pk", AttributeValue::S(key.to_string()));
        let Some(mut item) = request.send().await.map_err(failed)?.item else { return Ok(None) };
        match item.remove("body") {
            Some(AttributeValue::S(body)) => Ok(Some(body)),
            _ => Err(unreadable(format!("the item {key} has no body: run `switchboard apply` again"))),
        }
    }
}
