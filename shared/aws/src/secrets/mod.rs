//! The stack's secrets, in AWS Secrets Manager: read by the functions, each its own, and written by `switchboard apply`.

mod held;
mod name;
mod payload;
mod service;
mod writing;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::Client;
use serde::de::DeserializeOwned;
use shared::SignedDuration;
use shared_flow::ports::{Clock, PortError, PortResult};
use tokio::sync::Mutex as AsyncMutex;

use self::held::Slot;
use crate::time::Time;

pub use name::Name;
pub use payload::{AccessTokens, CreatioSecret, ModelSecret, Payload, WebhookApp, WebhookSecrets};
pub use writing::Written;

/// At most so often a secret is read anew because something was refused.
pub const AFRESH_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// The secrets of one stack. A clone is another handle and shares what is remembered.
///
/// What was read counts for 5 minutes, and for up to an hour while the service is away; an absent secret is looked for
/// again after 30 s. One caller at a time reads a secret, the others wait for what it finds. Time-outs, retries and the
/// endpoint belong to the client that the caller makes.
#[derive(Clone)]
pub struct Secrets {
    client: Client,
    stack: Arc<str>,
    time: Time,
    slots: Arc<Mutex<HashMap<Name, Arc<AsyncMutex<Slot>>>>>,
}

impl Secrets {
    /// The secrets of this stack. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, stack: &str) -> Self {
        Self { client, stack: stack.into(), time: Time::default(), slots: Arc::default() }
    }

    /// The same with another clock than the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { time: Time::of(clock), ..self }
    }

    /// A secret's content; `None` when there is no such secret. Content that does not fit `T` is
    /// [`PortError::Unreadable`]; the error names the secret and quotes nothing of it.
    pub async fn get<T>(&self, name: &Name) -> PortResult<Option<Arc<T>>>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        if !slot.is_fresh(&self.time) {
            self.look(name, &mut slot).await?;
        }
        slot.parsed(name)
    }

    /// Reads a secret anew because what it holds was just refused, at most once in [`AFRESH_EVERY`]. Says whether it
    /// has changed lately: then what was refused is worth another try, with what [`Self::get`] gives now.
    pub async fn afresh(&self, name: &Name) -> PortResult<bool> {
        let slot = self.slot(name);
        let mut slot = slot.lock().await;
        if slot.may_be_forced(&self.time) {
            self.look(name, &mut slot).await?;
        }
        Ok(slot.changed_lately(&self.time))
    }

    async fn look(&self, name: &Name, slot: &mut Slot) -> PortResult<()> {
        match self.read(name).await {
            Ok(found) => {
                slot.found(name, found, self.time.now());
                Ok(())
            }
            Err(error @ PortError::Unavailable { .. }) => slot.failed(name, error, &self.time),
            Err(error @ PortError::Unreadable { .. }) => Err(error),
        }
    }

    /// What was just written is read again before it is used.
    fn forget(&self, name: &Name) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    fn slot(&self, name: &Name) -> Arc<AsyncMutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(name.clone()).or_default())
    }
}
