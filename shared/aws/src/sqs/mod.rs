//! The queues on SQS: which job goes to which queue, and how a body is read back.

mod ascii;
mod batch;
mod body;
mod entry;
mod letters;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use futures::StreamExt;
use shared_flow::ports::{Job, PortError, PortResult, Queues};

use self::entry::Entry;
use crate::bodies::Bodies;
use crate::errors;

pub use self::body::{read, whole};
pub use self::letters::{Depth, Letter, Letters};

/// How many batches for queues without an order are under way at once.
const AT_ONCE: usize = 8;

/// A queue, by who works on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// Facts for `conversation`, in order within their lane; the only FIFO queue.
    Conversation,
    /// Pokes for `delivery`.
    Deliveries,
    /// Pokes for `crm-sync`.
    CrmSync,
    /// Turns for `agent`, when they are due.
    Turns,
    /// The channel's words on what we sent, for `receipts`.
    Receipts,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Conversation, Self::Deliveries, Self::CrmSync, Self::Turns, Self::Receipts];

    /// The queue that a job belongs to.
    #[must_use]
    pub fn of(job: &Job) -> Self {
        match job {
            Job::Command { .. } => Self::Conversation,
            Job::Deliver { .. } => Self::Deliveries,
            Job::SyncCrm { .. } | Job::LookAtCase { .. } => Self::CrmSync,
            Job::Turn { .. } => Self::Turns,
            Job::Status(_) => Self::Receipts,
        }
    }

    /// The environment variable that holds its address.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Conversation => "SWITCHBOARD_CONVERSATION_QUEUE",
            Self::Deliveries => "SWITCHBOARD_DELIVERIES_QUEUE",
            Self::CrmSync => "SWITCHBOARD_CRM_SYNC_QUEUE",
            Self::Turns => "SWITCHBOARD_TURNS_QUEUE",
            Self::Receipts => "SWITCHBOARD_RECEIPTS_QUEUE",
        }
    }

    /// Its name in logs, and in what is parked.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Deliveries => "deliveries",
            Self::CrmSync => "crm-sync",
            Self::Turns => "turns",
            Self::Receipts => "receipts",
        }
    }

    /// Its name in an operator's words.
    fn what(self) -> &'static str {
        match self {
            Self::Conversation => "the conversation queue",
            Self::Deliveries => "the deliveries queue",
            Self::CrmSync => "the crm-sync queue",
            Self::Turns => "the turns queue",
            Self::Receipts => "the receipts queue",
        }
    }
}

/// The addresses of the queues, each only where the function may write to it.
#[derive(Debug, Clone, Default)]
pub struct QueueUrls {
    /// Of [`Queue::Conversation`].
    pub conversation: Option<String>,
    /// Of [`Queue::Deliveries`].
    pub deliveries: Option<String>,
    /// Of [`Queue::CrmSync`].
    pub crm_sync: Option<String>,
    /// Of [`Queue::Turns`].
    pub turns: Option<String>,
    /// Of [`Queue::Receipts`].
    pub receipts: Option<String>,
}

impl QueueUrls {
    /// A queue's address. Where it is missing the error names the variable that would have it.
    pub fn of(&self, queue: Queue) -> PortResult<&str> {
        let url = match queue {
            Queue::Conversation => &self.conversation,
            Queue::Deliveries => &self.deliveries,
            Queue::CrmSync => &self.crm_sync,
            Queue::Turns => &self.turns,
            Queue::Receipts => &self.receipts,
        };
        url.as_deref().ok_or_else(|| {
            errors::unavailable(queue.what(), format!("{} is not set for this function", queue.variable()))
        })
    }
}

/// The five queues as one port. A clone is another handle to them.
///
/// # Order
/// Commands of one lane arrive in the order in which they were given, across calls too as long as one sender sends
/// them one call after the other. That holds through failures: no two commands of a lane stand in one request, the
/// requests follow one another, and the first that fails ends the sending, so nothing overtakes what was refused.
/// Whoever then sends all again within five minutes adds only what is missing, since a command's deduplication id is
/// computed from its key; after that a repeat is a second entry, which the mark of its key absorbs in the session.
/// All other jobs arrive in any order, and any of them may arrive twice.
#[derive(Clone)]
pub struct SqsQueues {
    client: Client,
    urls: QueueUrls,
    bodies: Option<Bodies>,
}

impl SqsQueues {
    /// The queues behind these addresses. Without `bodies` a job too large for a queue cannot be sent.
    /// Time-outs, retries and the endpoint belong to the client that the caller makes. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, urls: QueueUrls, bodies: impl Into<Option<Bodies>>) -> Self {
        Self { client, urls, bodies: bodies.into() }
    }

    /// One batch after the other; the first failure ends it.
    async fn in_order(&self, batches: Vec<(Queue, Vec<Entry>)>) -> Vec<PortResult<()>> {
        for (queue, batch) in batches {
            if let Err(error) = self.batch(queue, batch).await {
                return vec![Err(error)];
            }
        }
        Vec::new()
    }

    /// Several batches at once; a failure of one is no reason to keep the others back.
    async fn at_once(&self, batches: Vec<(Queue, Vec<Entry>)>) -> Vec<PortResult<()>> {
        let sending = batches.into_iter().map(|(queue, batch)| self.batch(queue, batch));
        futures::stream::iter(sending).buffer_unordered(AT_ONCE).collect().await
    }

    async fn batch(&self, queue: Queue, batch: Vec<Entry>) -> PortResult<()> {
        batch::send(&self.client, queue.what(), self.urls.of(queue)?, batch).await
    }
}

#[async_trait]
impl Queues for SqsQueues {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        for job in jobs {
            self.urls.of(Queue::of(job))?;
        }
        let (mut ordered, mut others) = (Vec::new(), Vec::new());
        for queue in Queue::ALL {
            let mut entries = Vec::new();
            for job in jobs.iter().filter(|job| Queue::of(job) == queue) {
                entries.push(Entry::of(job, self.bodies.as_ref()).await?);
            }
            let batches = batch::cut(entries).into_iter().map(|batch| (queue, batch));
            if queue == Queue::Conversation { ordered.extend(batches) } else { others.extend(batches) }
        }
        let (ordered, others) = futures::join!(self.in_order(ordered), self.at_once(others));
        worst(ordered.into_iter().chain(others))
    }
}

/// Of several failures, one that may pass: trying again then shows the others.
fn worst(outcomes: impl Iterator<Item = PortResult<()>>) -> PortResult<()> {
    let mut errors: Vec<PortError> = outcomes.filter_map(Result::err).collect();
    if errors.is_empty() {
        return Ok(());
    }
    let passing = errors.iter().position(|error| matches!(error, PortError::Unavailable { .. }));
    Err(errors.swap_remove(passing.unwrap_or(0)))
}
