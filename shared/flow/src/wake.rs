//! The one clock: wakes whatever is due, by an ordinary fact or nudge. Being early or twice is harmless.

use std::sync::Arc;

use shared::Session;
use shared::session::Command;

use crate::ports::{
    Clock, Due, Envelope, Job, PortError, PortResult, Queues, Sessions, Target, Waking, What,
};

/// The most that one look wakes; the rest is still due at the next.
const MOST: usize = 5_000;

/// How many are woken before the next are looked at.
const AT_ONCE: usize = 100;

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
        // The longest overdue stands first. A minute or two is the schedule's own; more means that waking does not help.
        let overdue = due.first().map_or(0.0, |longest| now.duration_since(longest.at).as_secs_f64());
        metrics::gauge!("OverdueSeconds").set(overdue.max(0.0));
        let mut woken = 0;
        // Some at a time: a run that is cut off in the middle has woken what came before.
        for some in due.chunks(AT_ONCE) {
            woken += self.wake(some).await?;
        }
        Ok(woken)
    }

    async fn wake(&self, due: &[Due]) -> PortResult<usize> {
        let mut jobs = Vec::with_capacity(due.len());
        for item in due {
            match self.job(item).await {
                Ok(job) => jobs.extend(job),
                // One that cannot be read must not keep the others asleep.
                Err(error @ PortError::Unreadable { .. }) => {
                    tracing::error!(org = %item.org, session.id = %item.session, error = %error, "cannot be woken");
                }
                Err(error) => return Err(error),
            }
        }
        jobs.dedup();
        if !jobs.is_empty() {
            self.queues.send(&jobs).await?;
            metrics::counter!("Woken").increment(u64::try_from(jobs.len()).unwrap_or(u64::MAX));
        }
        Ok(jobs.len())
    }

    async fn job(&self, due: &Due) -> PortResult<Option<Job>> {
        let (org, session) = (due.org.clone(), due.session);
        match due.what {
            What::Delivery => self.deliver(due).await,
            What::Cursor => Ok(Some(Job::SyncCrm { org, session })),
            What::Session => self.woke(due).await,
        }
    }

    /// A message is due. One that stands before everything known to be open was taken up again, and the fact that
    /// said so got lost: it is said again.
    async fn deliver(&self, due: &Due) -> PortResult<Option<Job>> {
        let (org, id) = (due.org.clone(), due.session);
        let Some(session) = self.sessions.head(&org, id).await? else { return Ok(None) };
        match due.seq.filter(|seq| *seq < session.open_from) {
            Some(seq) => Ok(Some(fact(&session, Command::DeliveryReopened { seq }, due))),
            None => Ok(Some(Job::Deliver { org, session: id })),
        }
    }

    async fn woke(&self, due: &Due) -> PortResult<Option<Job>> {
        let now = self.clock.now();
        let head = self.sessions.head(&due.org, due.session).await?;
        let Some(session) = head.filter(|s| s.wake_at.is_some_and(|at| at <= now)) else { return Ok(None) };
        Ok(Some(fact(&session, Command::Woke, due)))
    }
}

fn fact(session: &Session, command: Command, due: &Due) -> Job {
    let envelope = Envelope {
        org: session.org.clone(),
        target: Target::Session(session.id),
        key: None,
        command,
        // The time it was due, so that waking twice for one reason is one entry of the queue.
        at: due.at,
    };
    Job::Command { lane: session.lane(), envelope: Box::new(envelope) }
}
