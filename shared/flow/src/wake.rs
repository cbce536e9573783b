//! The one clock: wakes whatever is due, by an ordinary fact or nudge. Being early or twice is harmless.

use std::sync::Arc;

use shared::session::Command;

use crate::ports::{Clock, Due, Envelope, Job, PortResult, Queues, Sessions, Target, Waking, What};

/// The most that one look wakes; the rest is still due at the next.
const MOST: usize = 500;

/// What `auto-resolve` works with.
#[derive(Clone)]
pub struct Wake {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The index of what is due.
    pub waking: Arc<dyn Waking>,
    /// Sessions, to read.
    pub sessions: Arc<dyn Sessions>,
    /// The workers' queues.
    pub queues: Arc<dyn Queues>,
}

impl Wake {
    /// Wakes what is due now and returns how much that was.
    pub async fn tick(&self) -> PortResult<usize> {
        let now = self.clock.now();
        let due = self.waking.due(now, MOST).await?;
        let mut jobs = Vec::with_capacity(due.len());
        for item in &due {
            jobs.extend(self.job(item).await?);
        }
        jobs.dedup();
        if !jobs.is_empty() {
            self.queues.send(&jobs).await?;
        }
        Ok(jobs.len())
    }

    async fn job(&self, due: &Due) -> PortResult<Option<Job>> {
        let (org, session) = (due.org.clone(), due.session);
        match due.what {
            What::Delivery => Ok(Some(Job::Deliver { org, session })),
            What::Cursor => Ok(Some(Job::SyncCrm { org, session })),
            What::Session => self.woke(due).await,
        }
    }

    async fn woke(&self, due: &Due) -> PortResult<Option<Job>> {
        let now = self.clock.now();
        let head = self.sessions.head(&due.org, due.session).await?;
        let Some(session) = head.filter(|s| s.wake_at.is_some_and(|at| at <= now)) else { return Ok(None) };
        let envelope = Envelope {
            org: due.org.clone(),
            target: Target::Session(due.session),
            key: None,
            command: Command::Woke,
            // The time it was due, so that waking twice for one reason is one entry of the queue.
            at: due.at,
        };
        Ok(Some(Job::Command { lane: session.lane(), envelope: Box::new(envelope) }))
    }
}
