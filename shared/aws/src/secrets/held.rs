//! What is remembered of one secret, how long it counts, and when it may be read anew.

use std::any::Any;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use shared::{SignedDuration, Timestamp};
use shared_flow::ports::{PortError, PortResult};

use super::service::WHAT;
use super::{AFRESH_EVERY, Name};
use crate::errors::bad_json;
use crate::time::Time;

/// How long what was read counts without another look.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// The same for a secret that is absent or malformed, which somebody is about to mend.
const USELESS: SignedDuration = SignedDuration::from_secs(30);
/// How long what was read counts while the service is away.
const STALE: SignedDuration = SignedDuration::from_hours(1);
/// How long a service that is away is left alone, so that not every event waits for it in vain.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// One secret's place in memory.
#[derive(Default)]
pub(super) struct Slot {
    held: Option<Held>,
    failed: Option<Timestamp>,
    forced: Option<Timestamp>,
    changed: Option<Timestamp>,
}

struct Held {
    content: Option<SecretString>,
    parsed: Option<Arc<dyn Any + Send + Sync>>,
    malformed: bool,
    read: Timestamp,
}

impl Slot {
    /// Whether what is held counts without another look.
    pub(super) fn is_fresh(&self, time: &Time) -> bool {
        let Some(held) = &self.held else { return false };
        let limit = if held.content.is_none() || held.malformed { USELESS } else { FRESH };
        let paused = self.failed.is_some_and(|at| time.is_within(PAUSE, at));
        time.is_within(limit, held.read) || (paused && self.stand_in(time).is_some())
    }

    /// What counts while the service is away.
    fn stand_in(&self, time: &Time) -> Option<&Held> {
        self.held.as_ref().filter(|held| held.content.is_some() && time.is_within(STALE, held.read))
    }

    /// Takes what was read.
    pub(super) fn found(&mut self, name: &Name, content: Option<SecretString>, now: Timestamp) {
        let before = self.held.as_ref();
        if content.is_none() && before.is_none_or(|held| held.content.is_some()) {
            tracing::warn!(secret = %name, "there is no such secret: `switchboard apply` makes it");
        }
        if before.is_some_and(|held| !is_same(held.content.as_ref(), content.as_ref())) {
            self.changed = Some(now);
        }
        self.failed = None;
        self.held = Some(Held { content, parsed: None, malformed: false, read: now });
    }

    /// Takes a failure: what is held stands in for a while, if it is not too old.
    pub(super) fn failed(&mut self, name: &Name, error: PortError, time: &Time) -> PortResult<()> {
        let Some(held) = self.stand_in(time) else { return Err(error) };
        let minutes = time.minutes(held.read);
        tracing::warn!(secret = %name, error = %error, minutes, "a secret cannot be read: the one read earlier is used");
        self.failed = Some(time.now());
        Ok(())
    }

    /// Whether a refusal may cause a look now. If so, the next one may in a while.
    pub(super) fn may_be_forced(&mut self, time: &Time) -> bool {
        let was_lately = self.forced.is_some_and(|at| time.is_within(AFRESH_EVERY, at));
        if !was_lately {
            self.forced = Some(time.now());
        }
        !was_lately
    }

    /// Whether another content was found not long ago: whoever was refused may have used the one before.
    pub(super) fn changed_lately(&self, time: &Time) -> bool {
        self.changed.is_some_and(|at| time.is_within(AFRESH_EVERY, at))
    }

    /// What is held, as a payload.
    pub(super) fn parsed<T>(&mut self, name: &Name) -> PortResult<Option<Arc<T>>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let Some(held) = &mut self.held else { return Ok(None) };
        if let Some(parsed) = held.parsed.clone().and_then(|parsed| parsed.downcast().ok()) {
            return Ok(Some(parsed));
        }
        let Some(content) = &held.content else { return Ok(None) };
        match serde_json::from_str(content.expose_secret()).map(Arc::<T>::new) {
            Ok(parsed) => {
                held.parsed = Some(parsed.clone());
                Ok(Some(parsed))
            }
            Err(error) => {
                held.malformed = true;
                Err(bad_json(WHAT, &format!("the secret {name}"), &error))
            }
        }
    }
}

fn is_same(a: Option<&SecretString>, b: Option<&SecretString>) -> bool {
    a.map(ExposeSecret::expose_secret) == b.map(ExposeSecret::expose_secret)
}
