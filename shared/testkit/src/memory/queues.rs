//! The queues in memory, stepped by hand: a simulator chooses which ready job is taken next and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared_flow::ports::{Clock, Job, PortResult, Queues};

use super::VirtualClock;

/// All queues. Commands keep their order within a lane; all other jobs may be taken in any order.
/// A clone is another handle to the same queues.
#[derive(Clone)]
pub struct MemoryQueues {
    clock: VirtualClock,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    last_id: u64,
    waiting: BTreeMap<u64, Entry>,
}

struct Entry {
    job: Job,
    visible_at: Timestamp,
    receives: u32,
    enqueued_at: Timestamp,
}

/// A job that waits or was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Names the entry; rises in order of arrival.
    pub id: u64,
    /// The job.
    pub job: Job,
    /// How often it was taken, this time included.
    pub receives: u32,
    /// When it was sent.
    pub enqueued_at: Timestamp,
    /// From when on it may be taken, again if it was taken before.
    pub visible_at: Timestamp,
}

impl MemoryQueues {
    /// Empty queues that read the time from `clock`.
    #[must_use]
    pub fn new(clock: VirtualClock) -> Self {
        Self { clock, inner: Arc::default() }
    }

    /// What may be taken now, in order of arrival. A lane of commands shows only its first, and nothing while that
    /// one is taken or kept back.
    #[must_use]
    pub fn ready(&self) -> Vec<Ticket> {
        let inner = self.lock();
        inner.ready(self.clock.now()).map(|(id, entry)| ticket(id, entry)).collect()
    }

    /// Takes a ready job; nobody else gets it until `visibility` has passed. `None` when it is not ready.
    #[must_use]
    pub fn take(&self, id: u64, visibility: SignedDuration) -> Option<Ticket> {
        let now = self.clock.now();
        let mut inner = self.lock();
        inner.ready(now).find(|(ready, _)| *ready == id)?;
        let entry = inner.waiting.get_mut(&id)?;
        entry.receives += 1;
        entry.visible_at = later(now, visibility);
        Some(ticket(id, entry))
    }

    /// The job is done.
    pub fn ack(&self, id: u64) {
        self.lock().waiting.remove(&id);
    }

    /// The job failed and may be taken again after the wait.
    pub fn nack(&self, id: u64, wait: SignedDuration) {
        let at = later(self.clock.now(), wait);
        if let Some(entry) = self.lock().waiting.get_mut(&id) {
            entry.visible_at = at;
        }
    }

    /// Everything that waits or is taken, in order of arrival.
    #[must_use]
    pub fn all(&self) -> Vec<Ticket> {
        self.lock().waiting.iter().map(|(id, entry)| ticket(*id, entry)).collect()
    }

    /// When the next job becomes takeable that is not yet; `None` when there is none.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.lock().waiting.values().map(|entry| entry.visible_at).filter(|at| *at > now).min()
    }

    /// Whether nothing waits and nothing is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn ready(&self, now: Timestamp) -> impl Iterator<Item = (u64, &Entry)> {
        let mut lanes = BTreeSet::new();
        let entries = self.waiting.iter().map(|(id, entry)| (*id, entry));
        entries.filter(move |(_, entry)| {
            let first = lane_of(&entry.job).is_none_or(|lane| lanes.insert(lane));
            first && entry.visible_at <= now
        })
    }
}

#[async_trait]
impl Queues for MemoryQueues {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        let now = self.clock.now();
        let mut inner = self.lock();
        for job in jobs {
            inner.last_id += 1;
            let id = inner.last_id;
            let visible_at = later(now, wait_of(job));
            let entry = Entry { job: job.clone(), visible_at, receives: 0, enqueued_at: now };
            inner.waiting.insert(id, entry);
        }
        Ok(())
    }
}

fn lane_of(job: &Job) -> Option<&str> {
    match job {
        Job::Command { lane, .. } => Some(lane),
        Job::Status(_)
        | Job::Deliver { .. }
        | Job::SyncCrm { .. }
        | Job::LookAtCase { .. }
        | Job::Turn { .. } => None,
    }
}

fn wait_of(job: &Job) -> SignedDuration {
    match job {
        Job::Turn { wait, .. } => *wait,
        Job::Command { .. }
        | Job::Status(_)
        | Job::Deliver { .. }
        | Job::SyncCrm { .. }
        | Job::LookAtCase { .. } => SignedDuration::ZERO,
    }
}

fn later(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn ticket(id: u64, entry: &Entry) -> Ticket {
    Ticket {
        id,
        job: entry.job.clone(),
        receives: entry.receives,
        enqueued_at: entry.enqueued_at,
        visible_at: entry.visible_at,
    }
}

#[cfg(test)]
mod tests {
    use shared::ids::derive;
    use shared::{Command, OrgId, SessionId};
    use shared_flow::ports::{Envelope, Target};

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn queues() -> (VirtualClock, MemoryQueues) {
        let clock = VirtualClock::new(Timestamp::from_second(1_794_819_600).unwrap());
        (clock.clone(), MemoryQueues::new(clock))
    }

    fn session() -> SessionId {
        SessionId(derive("test", &[]))
    }

    fn command(lane: &str, clock: &VirtualClock) -> Job {
        let org = OrgId::new("acme").unwrap();
        let target = Target::Session(session());
        let envelope = Envelope { org, target, key: None, command: Command::Woke, at: clock.now() };
        Job::Command { lane: lane.to_owned(), envelope: Box::new(envelope) }
    }

    fn ids(tickets: &[Ticket]) -> Vec<u64> {
        tickets.iter().map(|ticket| ticket.id).collect()
    }

    #[tokio::test]
    async fn a_taken_command_keeps_its_lane_shut_until_it_is_done() {
        let (clock, queues) = queues();
        queues.send(&[command("a", &clock), command("a", &clock), command("b", &clock)]).await.unwrap();
        assert_eq!(ids(&queues.ready()), [1, 3]);
        assert_eq!(queues.take(2, MINUTE), None);
        assert_eq!(queues.take(1, MINUTE).unwrap().receives, 1);
        assert_eq!(ids(&queues.ready()), [3]);
        clock.advance(MINUTE);
        assert_eq!(queues.take(1, MINUTE).unwrap().receives, 2);
        queues.ack(1);
        assert_eq!(ids(&queues.ready()), [2, 3]);
    }

    #[tokio::test]
    async fn a_turn_waits_and_a_failed_job_comes_back_after_its_wait() {
        let (clock, queues) = queues();
        let org = OrgId::new("acme").unwrap();
        let turn = Job::Turn { org, session: session(), number: 1, wait: SignedDuration::from_secs(3) };
        queues.send(&[turn]).await.unwrap();
        assert!(queues.ready().is_empty());
        assert_eq!(queues.next_at(), Some(clock.now() + SignedDuration::from_secs(3)));
        clock.advance(SignedDuration::from_secs(3));
        queues.take(1, MINUTE).unwrap();
        queues.nack(1, SignedDuration::ZERO);
        assert_eq!(ids(&queues.ready()), [1]);
    }
}
