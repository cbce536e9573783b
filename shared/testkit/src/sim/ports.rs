//! The ports as a simulated worker has them: the stores and queues in memory, behind a wire on which things go wrong.

mod queues;
mod sessions;
mod stores;

use std::future::Future;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::OrgId;
use shared::channel::LineKey;
use shared_flow::ports::{Clock, LineSettings, OrgSettings, PortResult, Settings};

use super::fault::Fault;
use super::pause::Pause;
use super::scenario::Target;
use super::world::{Shared, later, unavailable};
use crate::memory::{MemoryQueues, MemorySettings, MemoryStore};

/// Every port at once. The world knows which worker is calling.
pub(super) struct SimPorts {
    pub(super) world: Shared,
    pub(super) store: MemoryStore,
    pub(super) queues: MemoryQueues,
    pub(super) settings: MemorySettings,
}

/// What goes wrong on the wire to our own stores and queues.
const WIRE: &[Fault] = &[
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::LostRequest,
    Fault::LostAnswer,
    Fault::Slow,
    Fault::Frozen,
];

impl SimPorts {
    /// A call to one of our own targets: it waits its turn, and what can go wrong with it does.
    pub(super) async fn through<T>(
        &self,
        target: Target,
        effect: impl Future<Output = PortResult<T>> + Send,
    ) -> PortResult<T> {
        let (fault, resume) = self.fate(target);
        Pause::until(&self.world, resume).await;
        match fault {
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::LostRequest) => return Err(unavailable(target)),
            _ => {}
        }
        let result = effect.await;
        match fault {
            Some(Fault::CrashAfter) => self.die().await,
            Some(Fault::LostAnswer) => return Err(unavailable(target)),
            _ => {}
        }
        result
    }

    /// What goes wrong with a call, and when it goes on.
    fn fate(&self, target: Target) -> (Option<Fault>, Timestamp) {
        let mut world = self.world.lock();
        if world.is_cut_off(target) {
            let lost = if world.faults.percent(80) { Fault::LostRequest } else { Fault::LostAnswer };
            return (Some(lost), world.in_ms(1_000));
        }
        let fault = world.strike(WIRE, target.name());
        let wait = match fault {
            Some(Fault::Slow) => world.faults.between(100, 2_900),
            Some(Fault::Frozen) => world.faults.between(5_000, 70_000),
            Some(Fault::LostRequest | Fault::LostAnswer) => world.faults.between(0, 3_000),
            _ => world.usual_wait(),
        };
        (fault, world.in_ms(wait))
    }

    /// The worker dies here.
    pub(super) async fn die(&self) {
        Pause::death(&self.world).await;
    }

    /// The worker waits so long.
    pub(super) async fn wait(&self, ms: i64) {
        let at = self.world.lock().in_ms(ms);
        Pause::until(&self.world, at).await;
    }
}

#[async_trait]
impl Clock for SimPorts {
    fn now(&self) -> Timestamp {
        self.world.lock().local_now()
    }

    async fn sleep(&self, wait: SignedDuration) {
        let at = later(self.world.lock().now, wait);
        Pause::until(&self.world, at).await;
    }
}

#[async_trait]
impl Settings for SimPorts {
    async fn line(&self, line: &LineKey) -> PortResult<Option<LineSettings>> {
        let found = self.through(Target::Settings, Settings::line(&self.settings, line)).await?;
        if let Some(read) = self.world.lock().read() {
            read.line = found.clone();
        }
        Ok(found)
    }

    async fn org(&self, org: &OrgId) -> PortResult<Option<OrgSettings>> {
        let found = self.through(Target::Settings, Settings::org(&self.settings, org)).await?;
        if let Some(read) = self.world.lock().read() {
            read.org = found.clone();
        }
        Ok(found)
    }
}
