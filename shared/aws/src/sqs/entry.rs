//! One job as an entry of a queue: its body, when it is due, and what keeps it in order.

use jiff::{SignedDuration, Timestamp};
use shared_flow::ports::{Job, PortResult};

use super::body;
use crate::bodies::Bodies;
use crate::digest;

/// The longest wait that SQS knows, in seconds.
const LONGEST_WAIT: i64 = 900;

/// What is sent for one job.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) body: String,
    /// Seconds until it may be read; FIFO queues have none.
    pub(super) delay: Option<i32>,
    /// For commands.
    pub(super) order: Option<Order>,
}

/// A command's place.
#[derive(Clone)]
pub(super) struct Order {
    pub(super) lane: String,
    /// Within five minutes a second entry of the lane with the same id is taken for the first.
    pub(super) once: String,
}

impl Entry {
    /// The entry of a job. A body that is too large for a queue is stored first.
    pub(super) async fn of(job: &Job, bodies: Option<&Bodies>) -> PortResult<Self> {
        let text = body::text(job)?;
        let order = match job {
            Job::Command { lane, envelope } => {
                let same = envelope.key.as_deref().unwrap_or(&text);
                Some(Order { lane: lane.clone(), once: digest::hex(&[lane.as_bytes(), same.as_bytes()]) })
            }
            Job::Status(_)
            | Job::Deliver { .. }
            | Job::SyncCrm { .. }
            | Job::LookAtCase { .. }
            | Job::Turn { .. } => None,
        };
        let delay = if let Job::Turn { wait, .. } = job { Some(seconds(*wait)) } else { None };
        Ok(Self { body: body::portable(text, bodies).await?, delay, order })
    }

    /// Its lane, if it is a command.
    pub(super) fn lane(&self) -> Option<&str> {
        self.order.as_ref().map(|order| order.lane.as_str())
    }

    /// The same entry, but no repeat of any that was sent before: for somebody who wants it to be done again.
    pub(super) fn afresh(mut self, now: Timestamp) -> Self {
        if let Some(order) = &mut self.order {
            order.once = digest::hex(&[order.once.as_bytes(), &now.as_nanosecond().to_be_bytes()]);
        }
        self
    }
}

/// A wait in whole seconds as SQS takes it. Rounded up: a turn that came early would have to wait once more.
fn seconds(wait: SignedDuration) -> i32 {
    let up = wait.as_secs().saturating_add(i64::from(wait.subsec_nanos() > 0));
    i32::try_from(up.clamp(0, LONGEST_WAIT)).unwrap_or(0)
}
