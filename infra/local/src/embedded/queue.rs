//! The queues of a laptop line: durable in one file, with lanes in order, delays, and workers who wake at once.

mod shelf;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shared::session::Command;
use shared::{SignedDuration, Timestamp};
use shared_flow::ports::{Job, PortError, PortResult, Queues};
use tokio::sync::Notify;

use self::shelf::{Put, Shelf, Taken};

pub use self::shelf::Ticket;

/// A queue, by whose work stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueName {
    /// Facts for `conversation`, in order within their lane.
    Command,
    /// The channel's words on what we sent.
    Status,
    /// Pokes for `delivery`.
    Deliver,
    /// Pokes for `crm-sync`.
    Crm,
    /// Turns that become due.
    Turn,
}

impl QueueName {
    /// The queue that a job belongs to.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        match job {
            Job::Command { .. } => Self::Command,
            Job::Status(_) => Self::Status,
            Job::Deliver { .. } => Self::Deliver,
            Job::SyncCrm { .. } | Job::LookAtCase { .. } => Self::Crm,
            Job::Turn { .. } => Self::Turn,
        }
    }

    /// The name used in the file and in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Status => "status",
            Self::Deliver => "deliver",
            Self::Crm => "crm",
            Self::Turn => "turn",
        }
    }
}

/// A job that was taken; nobody else gets it until its time is over.
#[derive(Debug)]
pub struct Received {
    /// Names it to [`LocalQueue::ack`] and [`LocalQueue::retry`].
    pub id: Ticket,
    /// The job.
    pub job: Job,
    /// How often it was taken, this time included.
    pub receive_count: u32,
    /// When it was sent.
    pub enqueued_at: Timestamp,
}

/// All queues of a line. A clone is another handle to the same file.
#[derive(Debug, Clone)]
pub struct LocalQueue {
    shelf: Arc<Mutex<Shelf>>,
    bells: Arc<Bells>,
}

/// What wakes the workers of each queue.
#[derive(Debug, Default)]
struct Bells {
    command: Notify,
    status: Notify,
    deliver: Notify,
    crm: Notify,
    turn: Notify,
}

impl Bells {
    fn of(&self, queue: QueueName) -> &Notify {
        match queue {
            QueueName::Command => &self.command,
            QueueName::Status => &self.status,
            QueueName::Deliver => &self.deliver,
            QueueName::Crm => &self.crm,
            QueueName::Turn => &self.turn,
        }
    }
}

impl LocalQueue {
    /// Opens `queue.db` in the data folder, or makes it. The caller has the folder's lock, so whatever is in hand
    /// there was left behind by a process that is gone, and waits again.
    pub fn open(data: &Path) -> PortResult<Self> {
        let shelf = Shelf::open(&data.join("queue.db"), millis(Timestamp::now())).map_err(|e| failed(&e))?;
        Ok(Self { shelf: Arc::new(Mutex::new(shelf)), bells: Arc::default() })
    }

    /// Takes what is due, at most `max`, and keeps it from others for `visibility`. Empty when nothing is due.
    pub async fn receive(
        &self,
        queue: QueueName,
        max: usize,
        visibility: SignedDuration,
    ) -> PortResult<Vec<Received>> {
        let take = move |shelf: &mut Shelf| {
            let now = Timestamp::now();
            shelf.take(queue.as_str(), max, millis(now), later(now, visibility))
        };
        let mut received = Vec::new();
        for taken in self.run(take).await? {
            match serde_json::from_str(&taken.body) {
                Ok(job) => received.push(read(&taken, job)),
                Err(_) => self.set_aside(queue, taken.ticket).await,
            }
        }
        Ok(received)
    }

    /// Waits until something of the queue may be due: it was sent, its time has come, or its lane is open again.
    pub async fn wait(&self, queue: QueueName) {
        let rung = self.bells.of(queue).notified();
        tokio::pin!(rung);
        // From here on nothing is missed, so the look for the next time comes after.
        rung.as_mut().enable();
        let wait = match self.run(move |shelf| shelf.next_at(queue.as_str())).await {
            Ok(None) => return rung.await,
            Ok(Some(next)) => u64::try_from(next - millis(Timestamp::now())).unwrap_or(0),
            // The next look will tell what is wrong; nobody waits for ever because of it.
            Err(_) => 1_000,
        };
        tokio::select! {
            () = &mut rung => {}
            () = tokio::time::sleep(Duration::from_millis(wait)) => {}
        }
    }

    /// The job is done. Nothing happens when its time was over and another has taken it.
    pub async fn ack(&self, id: Ticket) -> PortResult<()> {
        if self.run(move |shelf| shelf.finish(id)).await? {
            // Only commands have lanes.
            self.bells.command.notify_one();
        }
        Ok(())
    }

    /// The job failed and is due again after the wait. Its lane waits with it.
    pub async fn retry(&self, id: Ticket, after: SignedDuration) -> PortResult<()> {
        let at = later(Timestamp::now(), after);
        let queue = self.run(move |shelf| shelf.put_back(id, at)).await?;
        if let Some(queue) = queue.as_deref().and_then(named) {
            self.bells.of(queue).notify_one();
        }
        Ok(())
    }

    async fn set_aside(&self, queue: QueueName, id: Ticket) {
        let at = millis(Timestamp::now());
        let aside = self.run(move |shelf| shelf.set_aside(id, "no job that this version knows", at)).await;
        // Failing that it comes back when its time is over, and its neighbours here are handed out all the same.
        let kept = aside.is_ok();
        tracing::error!(
            queue = queue.as_str(),
            kept,
            "an entry of the queue is no job that this version knows; look at the table unreadable of queue.db"
        );
        self.bells.of(queue).notify_one();
    }

    /// Works on the file where waiting for the disk holds nobody else up.
    async fn run<T, W>(&self, work: W) -> PortResult<T>
    where
        T: Send + 'static,
        W: FnOnce(&mut Shelf) -> rusqlite::Result<T> + Send + 'static,
    {
        let shelf = self.shelf.clone();
        let worked = tokio::task::spawn_blocking(move || {
            work(&mut shelf.lock().unwrap_or_else(PoisonError::into_inner))
        });
        match worked.await {
            Ok(outcome) => outcome.map_err(|error| failed(&error)),
            Err(_) => Err(unavailable("the work on it was cut off".to_owned())),
        }
    }
}

#[async_trait]
impl Queues for LocalQueue {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        let now = Timestamp::now();
        let puts = jobs.iter().map(|job| put(job, now)).collect::<PortResult<Vec<Put>>>()?;
        self.run(move |shelf| shelf.put(&puts, millis(now))).await?;
        for job in jobs {
            // One worker for each; those that are busy look again by themselves.
            self.bells.of(QueueName::of(job)).notify_one();
        }
        Ok(())
    }
}

fn put(job: &Job, now: Timestamp) -> PortResult<Put> {
    let body = serde_json::to_string(job).map_err(|_| PortError::Unreadable {
        what: "the queue",
        why: "a job cannot be written as JSON".to_owned(),
    })?;
    let (lane, poke, wait) = match job {
        // The clock says the same again until it is heard; every other fact counts by itself.
        Job::Command { lane, envelope } => {
            let repeats = matches!(envelope.command, Command::Woke | Command::DeliveryReopened { .. });
            (Some(lane.clone()), repeats, SignedDuration::ZERO)
        }
        Job::Status(_) => (None, false, SignedDuration::ZERO),
        Job::Deliver { .. } | Job::SyncCrm { .. } | Job::LookAtCase { .. } => {
            (None, true, SignedDuration::ZERO)
        }
        Job::Turn { wait, .. } => (None, true, *wait),
    };
    Ok(Put { queue: QueueName::of(job).as_str(), lane, body, poke, visible_at: later(now, wait) })
}

fn read(taken: &Taken, job: Job) -> Received {
    Received {
        id: taken.ticket,
        job,
        receive_count: taken.receive_count,
        enqueued_at: Timestamp::from_millisecond(taken.enqueued_at).unwrap_or(Timestamp::UNIX_EPOCH),
    }
}

fn named(name: &str) -> Option<QueueName> {
    use QueueName::{Command, Crm, Deliver, Status, Turn};
    [Command, Status, Deliver, Crm, Turn].into_iter().find(|queue| queue.as_str() == name)
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The millisecond after which the wait is over: a turn that came a moment early would have to wait once more.
fn later(now: Timestamp, wait: SignedDuration) -> i64 {
    let at = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
    millis(at) + i64::from(wait.is_positive())
}

fn failed(error: &rusqlite::Error) -> PortError {
    unavailable(error.to_string())
}

fn unavailable(why: String) -> PortError {
    PortError::Unavailable { what: "the queue (queue.db in the data folder)", why }
}

#[cfg(test)]
mod tests;
