//! Runs the functions' handlers in one process: some workers a queue, and the clock. What a deployed line's event
//! sources do, this does here.

use std::sync::Arc;
use std::time::Duration;

use shared::SignedDuration;
use shared_flow::Shift;
use shared_flow::ports::{Job, PortResult};
use shared_lambda::attend::PARK_AT;
use shared_lambda::{Attempt, Done, Verdict, attend};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::embedded::queue::{LocalQueue, QueueName, Received};
use crate::line::Line;

/// How long a record stays hidden while a worker has it: as on the deployed line.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);
/// How long a worker's run may take: as on the deployed line.
const SHIFT: SignedDuration = SignedDuration::from_secs(60);
/// How long an agent's run may take.
const AGENT_SHIFT: SignedDuration = SignedDuration::from_secs(120);
/// A record older than this is worth a line in the log: something is slow or was away.
const LATE: SignedDuration = SignedDuration::from_secs(60);
/// How often settling a record is tried.
const SETTLES: usize = 300;
/// How often the clock looks. A deployed line's schedule does once a minute; here it costs nothing to be quicker.
const TICK: Duration = Duration::from_secs(1);

/// The workers at work.
pub struct Crew {
    running: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Crew {
    /// Lets every worker finish what it has in hand and take nothing new. Whoever needs longer than `within` is cut
    /// off; what it had comes back, like after a crash.
    pub async fn finish(mut self, within: Duration) {
        let _ = self.stop.send(true);
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            tracing::warn!("some work did not end in time; it is done again at the next start");
        }
    }
}

/// Starts the workers and the clock.
#[must_use]
pub fn start(line: &Line, queue: &LocalQueue) -> Crew {
    let mut running = JoinSet::new();
    let (stop, stopped) = watch::channel(false);
    let crew = [
        (QueueName::Command, 8),
        (QueueName::Deliver, 8),
        (QueueName::Crm, 4),
        (QueueName::Turn, 8),
        (QueueName::Status, 4),
    ];
    for (name, workers) in crew {
        for number in 0..workers {
            running.spawn(work(line.clone(), queue.clone(), name, number, stopped.clone()));
        }
    }
    running.spawn(tick(line.clone(), stopped));
    Crew { running, stop }
}

async fn work(
    line: Line,
    queue: LocalQueue,
    name: QueueName,
    number: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let mut runs: u64 = 0;
    while !*stopped.borrow() {
        let received = match queue.receive(name, 1, VISIBILITY).await {
            Ok(received) => received,
            Err(error) => {
                tracing::error!(queue = name.as_str(), error = %error, "the queue cannot be read; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        if received.is_empty() {
            tokio::select! {
                () = queue.wait(name) => {}
                _ = stopped.changed() => {}
            }
        }
        for record in received {
            runs += 1;
            let who = format!("{}-{number}-{}-{runs}", name.as_str(), std::process::id());
            settle(&line, &queue, name, record, who).await;
        }
    }
}

async fn settle(line: &Line, queue: &LocalQueue, name: QueueName, record: Received, who: String) {
    let original = serde_json::to_vec(&record.job).unwrap_or_default();
    let age = line.clock.now().duration_since(record.enqueued_at);
    if age > LATE && !matches!(record.job, Job::Turn { .. }) {
        tracing::warn!(
            queue = name.as_str(),
            age_seconds = age.as_secs(),
            receives = record.receive_count,
            "late"
        );
    }
    let attempt = Attempt {
        queue: name.as_str(),
        receives: record.receive_count,
        park_at: PARK_AT,
        original: &original,
    };
    let handler = handle(line, &record.job, record.receive_count, who);
    let verdict = attend(attempt, line.parking.as_ref(), line.clock.as_ref(), handler).await;
    // Until it is settled its lane is closed, so this is tried until the disk takes it; at last it comes back by itself.
    for _ in 0..SETTLES {
        let settled = match verdict {
            Verdict::Remove => queue.ack(record.id).await,
            Verdict::Retry(after) => queue.retry(record.id, after).await,
        };
        let Err(error) = settled else { return };
        tracing::error!(queue = name.as_str(), error = %error, "the record could not be settled; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Hands a job to the function that it is for.
async fn handle(line: &Line, job: &Job, receives: u32, who: String) -> PortResult<Done> {
    let now = line.clock.now();
    let shift = Shift::new(who, now, if matches!(job, Job::Turn { .. }) { AGENT_SHIFT } else { SHIFT });
    match job {
        Job::Command { envelope, .. } => conversation::handle(&line.converse, envelope).await,
        Job::Status(note) => receipts::handle(&line.receipts, note, receives).await,
        Job::Deliver { org, session } => delivery::handle(&line.deliver, org, *session, &shift).await,
        Job::SyncCrm { org, session } => crm_sync::sync(&line.sync_crm, org, *session, &shift).await,
        Job::LookAtCase { org, case } => crm_sync::look(&line.sync_crm, org, *case, &shift).await,
        Job::Turn { org, session, number, .. } => {
            agent::handle(&line.take_turn, org, *session, *number, receives, &shift).await
        }
    }
}

async fn tick(line: Line, mut stopped: watch::Receiver<bool>) {
    let line = Arc::new(line);
    while !*stopped.borrow() {
        let _ = tokio::time::timeout(TICK, stopped.changed()).await;
        if let Err(error) = auto_resolve::handle(&line.wake).await {
            tracing::warn!(error = %error, "the clock could not look; it looks again");
        }
    }
}
