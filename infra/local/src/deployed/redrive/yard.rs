//! The stack as `redrive` sees it: its parked originals, its dead letters, its queues, and the pace of a replay.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::SignedDuration;
use shared_aws::bodies::{Bodies, ParkedObject};
use shared_aws::secrets::Secrets;
use shared_aws::settings::SettingsTable;
use shared_aws::sqs::{Letters, Queue, QueueUrls};
use shared_flow::ports::{Job, Parked, PortResult};
use shared_lambda::accounts::DeployedAccounts;
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior};

use super::items::{self, Item, Place};
use super::webhook::{Reader, Reading};
use crate::deployed::aws::Aws;
use crate::deployed::stack::Stack;
use crate::deployed::trouble::Trouble;

/// How long letters that were received are kept from others while they are worked on.
const HIDDEN: SignedDuration = SignedDuration::from_mins(2);

/// What a redrive works on: a stack, or a stand-in in tests.
#[async_trait]
pub trait Yard: Send + Sync {
    /// Everything parked, oldest first, by its key.
    async fn parked(&self) -> PortResult<Vec<ParkedObject>>;
    /// One of them; `None` when it is gone.
    async fn parked_item(&self, object: &ParkedObject) -> PortResult<Option<Item>>;
    /// At most `max` dead letters of a queue. Nobody else sees them until they are let go, or two minutes are over.
    async fn receive(&self, queue: Queue, max: usize) -> PortResult<Vec<Item>>;
    /// Lets everybody see a received letter again. Where this fails it shows up by itself a little later.
    async fn let_go(&self, place: &Place);
    /// Waits until one more job may be sent.
    async fn pace(&self);
    /// Sends a job to its queue, whatever was sent there before.
    async fn send(&self, job: &Job) -> PortResult<()>;
    /// Removes what was put aside.
    async fn remove(&self, place: &Place) -> PortResult<()>;
    /// Reads a parked webhook.
    async fn read(&self, parked: &Parked) -> PortResult<Reading>;
}

/// A deployed stack.
pub struct StackYard {
    bodies: Bodies,
    letters: Letters,
    sqs: aws_sdk_sqs::Client,
    queues: QueueUrls,
    dead: BTreeMap<Queue, String>,
    reader: Reader,
    ticks: Mutex<Interval>,
}

impl StackYard {
    /// Opens it. At most `rate` jobs a second are sent.
    pub fn open(aws: &Aws, stack: &Stack, rate: u32) -> Result<Self, Trouble> {
        let bodies = Bodies::new(aws.s3(), stack.output("BodiesBucketName")?);
        let settings = Arc::new(SettingsTable::new(aws.dynamodb(), stack.output("SettingsTableName")?));
        let secrets = Arc::new(Secrets::new(aws.secrets(), &stack.name));
        let accounts = Arc::new(DeployedAccounts::new(settings.clone(), secrets));
        let dead = |queue| Ok((queue, stack.dead_letters(queue)?.to_owned()));
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
        // After a pause nothing is made up for: the rate is a ceiling.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            letters: Letters::new(aws.sqs(), bodies.clone()),
            bodies,
            sqs: aws.sqs(),
            queues: stack.queue_urls()?,
            dead: Queue::ALL.into_iter().map(dead).collect::<Result<_, Trouble>>()?,
            reader: Reader { settings, accounts },
            ticks: Mutex::new(ticks),
        })
    }
}

#[async_trait]
impl Yard for StackYard {
    async fn parked(&self) -> PortResult<Vec<ParkedObject>> {
        self.bodies.list_parked().await
    }

    async fn parked_item(&self, object: &ParkedObject) -> PortResult<Option<Item>> {
        items::parked(&self.bodies, object).await
    }

    async fn receive(&self, queue: Queue, max: usize) -> PortResult<Vec<Item>> {
        let Some(url) = self.dead.get(&queue) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for letter in self.letters.receive(url, max, HIDDEN).await? {
            found.push(items::letter(&self.bodies, queue, url, letter).await?);
        }
        Ok(found)
    }

    async fn let_go(&self, place: &Place) {
        if let Place::Letter { url, receipt } = place {
            let request = self.sqs.change_message_visibility().queue_url(url).receipt_handle(receipt);
            let _ = request.visibility_timeout(0).send().await;
        }
    }

    async fn pace(&self) {
        self.ticks.lock().await.tick().await;
    }

    async fn send(&self, job: &Job) -> PortResult<()> {
        self.letters.resend(self.queues.of(Queue::of(job))?, job).await
    }

    async fn remove(&self, place: &Place) -> PortResult<()> {
        match place {
            Place::Parked(key) => self.bodies.remove_parked(key).await,
            Place::Letter { url, receipt } => self.letters.remove(url, receipt).await,
        }
    }

    async fn read(&self, parked: &Parked) -> PortResult<Reading> {
        self.reader.read(parked).await
    }
}

#[cfg(test)]
#[path = "yard_tests.rs"]
pub(super) mod tests;
