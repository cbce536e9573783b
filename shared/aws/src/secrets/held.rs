//! What is remembered of one secret, how long it counts, and when it may be read anew.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use shared_flow::ports::{PortError, PortResult};

use super::service::WHAT;
use super::{AFRESH_EVERY, Name};
use crate::age::Moment;
use crate::errors::bad_json;

/// How long what was read counts without another look.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// The same for a secret that is absent or malformed, which somebody is about to mend.
const USELESS: Duration = Duration::from_secs(30);
/// How long what was read counts while the service is away.
const STALE: Duration = Duration::from_secs(3600);
/// How long a service that is away is left alone, so that not every event waits for it in vain.
const PAUSE: Duration = Duration::from_secs(10);

/// One secret's place in memory.
#[derive(Default)]
pub(super) struct Slot {
    held: Option<Held>,
    failed: Option<Moment>,
    forced: Option<Moment>,
    changed: Option<Moment>,
}

struct Held {
    content: Option<SecretString>,
    parsed: Option<Arc<dyn Any + Send + Sync>>,
    malformed: bool,
    read: Moment,
}

impl Held {
    fn is_same(&self, content: Option<&SecretString>) -> bool {
        let expose = |secret: &SecretString| secret.expose_secret().to_owned();
        self.content.as_ref().map(expose) == content.map(expose)
    }
}

impl Slot {
    /// Whether what is held counts without another look.
    pub(super) fn is_fresh(&self) -> bool {
        let Some(held) = &self.held else { return false };
        let limit = if held.content.is_none() || held.malformed { USELESS } else { FRESH };
        held.read.age() < limit || (self.can_stand_in() && self.failed.is_some_and(|at| at.age() < PAUSE))
    }

    fn can_stand_in(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.content.is_some() && held.read.age() < STALE)
    }

    /// Takes what was read.
    pub(super) fn found(&mut self, name: &Name, content: Option<SecretString>) {
        let before = self.held.as_ref();
        if content.is_none() && before.is_none_or(|held| held.content.is_some()) {
            tracing::warn!(secret = %name, "there is no such secret: `switchboard apply` makes it");
        }
        if before.is_some_and(|held| !held.is_same(content.as_ref())) {
            self.changed = Some(Moment::now());
        }
        self.failed = None;
        self.held = Some(Held { content, parsed: None, malformed: false, read: Moment::now() });
    }

    /// Takes a failure: what is held stands in for a while, if it is not too old.
    pub(super) fn failed(&mut self, name: &Name, error: PortError) -> PortResult<()> {
        let Some(held) = self.held.as_ref().filter(|_| self.can_stand_in()) else { return Err(error) };
        let minutes = held.read.age().as_secs() / 60;
        tracing::warn!(secret = %name, error = %error, minutes, "a secret cannot be read: the one of some minutes ago is used");
        self.failed = Some(Moment::now());
        Ok(())
    }

    /// Whether a refusal may cause a look now. If so, the next one may in a while.
    pub(super) fn may_be_forced(&mut self) -> bool {
        let may = self.forced.is_none_or(|at| at.age() >= AFRESH_EVERY);
        if may {
            self.forced = Some(Moment::now());
        }
        may
    }

    /// Whether another content was found not long ago: whoever was refused may have used the one before.
    pub(super) fn changed_lately(&self) -> bool {
        self.changed.is_some_and(|at| at.age() < AFRESH_EVERY)
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
