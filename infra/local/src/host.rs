//! Runs the functions' handlers in one process: some workers a queue, and the clock. What a deployed line's event
//! sources do, this does here.

use std::sync::Arc;
use std::time::Duration;

use shared::SignedDuration;
use shared_flow::Shift;
use shared_flow::ports::{Job, PortResult};
use shared_lambda::{Attempt, Done, Verdict, attend};
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
/// How often the clock looks. A deployed line's schedule does once a minute; here it costs nothing to be quicker.
const TICK: Duration = Duration::from_secs(1);

/// Starts the workers and the clock. They run until the set is dropped.
#[must_use]
pub fn start(line: &Line, queue: &LocalQueue) -> JoinSet<()> {
    let mut running = JoinSet::new();
    let crew = [
        (QueueName::Command, 8),
        (QueueName::Deliver, 8),
        (QueueName::Crm, 4),
        (QueueName::Turn, 8),
        (QueueName::Status, 4),
    ];
    for (name, workers) in crew {
        for number in 0..workers {
            running.spawn(work(line.clone(), queue.clone(), name, number));
        }
    }
    running.spawn(tick(line.clone()));
    running
}

async fn work(line: Line, queue: LocalQueue, name: QueueName, number: usize) {
    let mut runs: u64 = 0;
    loop {
        let received = match queue.receive(name, 1, VISIBILITY).await {
            Ok(received) => received,
            Err(error) => {
                tracing::error!(queue = name.as_str(), error = %error, "the queue cannot be read; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        if received.is_empty() {
            queue.wait(name).await;
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
    let attempt = Attempt { queue: name.as_str(), receives: record.receive_count, original: &original };
    let handler = handle(line, &record.job, record.receive_count, who);
    let verdict = attend(attempt, line.parking.as_ref(), line.clock.as_ref(), handler).await;
    let settled = match verdict {
        Verdict::Remove => queue.ack(record.id).await,
        Verdict::Retry(after) => queue.retry(record.id, after).await,
    };
    if let Err(error) = settled {
        // It comes back when its time is over, and its keys absorb the repeat.
        tracing::error!(queue = name.as_str(), error = %error, "the record could not be settled");
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

async fn tick(line: Line) {
    let line = Arc::new(line);
    loop {
        tokio::time::sleep(TICK).await;
        if let Err(error) = auto_resolve::handle(&line.wake).await {
            tracing::warn!(error = %error, "the clock could not look; it looks again");
        }
    }
}
