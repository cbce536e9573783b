//! The stores and queues in memory keep the contracts of the ports.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared_flow::ports::{Clock, Job};
use shared_testkit::contracts;
use shared_testkit::memory::{MemoryQueues, MemorySettings, MemoryStore, VirtualClock};

#[tokio::test]
async fn sessions() {
    contracts::sessions(&MemoryStore::new()).await;
}

#[tokio::test]
async fn contacts() {
    contracts::contacts(&MemoryStore::new()).await;
}

#[tokio::test]
async fn deliveries() {
    let store = MemoryStore::new();
    contracts::deliveries(&store, &store).await;
}

#[tokio::test]
async fn turns() {
    contracts::turns(&MemoryStore::new()).await;
}

#[tokio::test]
async fn cursors() {
    let store = MemoryStore::new();
    contracts::cursors(&store, &store).await;
}

#[tokio::test]
async fn waking() {
    let store = MemoryStore::new();
    contracts::waking(&store, &store, &store, &store).await;
}

#[tokio::test]
async fn parking() {
    let store = MemoryStore::new();
    contracts::parking(&store, &|| store.all_parked().len()).await;
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Reads the queues in memory and moves their clock when nothing is due yet.
struct Reader {
    clock: VirtualClock,
    queues: MemoryQueues,
}

#[async_trait]
impl contracts::QueueReader for Reader {
    async fn next(&self, like: &Job) -> Vec<Job> {
        loop {
            let ready = self.queues.ready();
            let ours = ready.into_iter().filter(|ticket| queue(&ticket.job) == queue(like));
            let taken: Vec<_> = ours.filter_map(|ours| self.queues.take(ours.id, MINUTE)).collect();
            taken.iter().for_each(|ticket| self.queues.ack(ticket.id));
            if !taken.is_empty() {
                return taken.into_iter().map(|ticket| ticket.job).collect();
            }
            let Some(next) = self.queues.next_at() else { return Vec::new() };
            self.clock.set(next);
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The worker whose queue a job stands in.
fn queue(job: &Job) -> &'static str {
    match job {
        Job::Command { .. } => "conversation",
        Job::Status(_) => "receipts",
        Job::Deliver { .. } => "delivery",
        Job::SyncCrm { .. } | Job::LookAtCase { .. } => "crm-sync",
        Job::Turn { .. } => "agent",
    }
}

#[tokio::test]
async fn queues() {
    let clock = VirtualClock::new(Timestamp::from_second(1_794_819_600).unwrap());
    let queues = MemoryQueues::new(clock.clone());
    contracts::queues(&queues, &Reader { clock, queues: queues.clone() }).await;
}

#[tokio::test]
async fn settings() {
    let (orgs, lines) = contracts::configured();
    let store = MemorySettings::new();
    orgs.into_iter().for_each(|org| store.set_org(org));
    lines.into_iter().for_each(|line| store.set_line(line));
    contracts::settings(&store).await;
}
