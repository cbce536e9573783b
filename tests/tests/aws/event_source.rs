//! What AWS does between a queue and a function: receives, invokes, removes what was handled, shows again what was
//! not. Here one event at a time, so that the same story makes the same calls; and waits pass when the test says so.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
};
use serde_json::{Value, json};

use super::runtime_api::Outcome;
use super::wait::{SOON, within_asking};
use super::world::World;

/// More passes over the queues than any story needs; a line that keeps itself busy is a failure.
const PASSES: usize = 500;

/// A wait that a function asks for is shorter than this, in seconds; the queues' own visibility time-outs are longer.
const SHORT: i64 = 120;

/// One event source mapping.
#[derive(Clone, Debug)]
pub struct Source {
    /// The template's name of the queue.
    pub queue: String,
    /// Its address.
    pub url: String,
    /// Its ARN.
    pub arn: String,
    /// Which function it feeds.
    pub function: &'static str,
    /// At most so many records make one event.
    pub batch: i32,
    /// For how many seconds a received record is hidden.
    pub visibility: i64,
}

/// A record that was received and not handled.
#[derive(Clone, Debug)]
pub struct Hidden {
    queue: String,
    url: String,
    receipt: String,
    /// When it is shown again, by the clock of the world.
    pub until: i64,
}

impl World {
    /// Feeds every queue's function until all queues that were sent to are empty.
    pub async fn drain(&mut self) {
        for _ in 0..PASSES {
            let sources: Vec<Source> =
                self.sources.iter().filter(|source| self.sent_to.contains(&source.queue)).cloned().collect();
            if sources.is_empty() {
                return;
            }
            for source in sources {
                if !self.poll(&source).await {
                    self.sent_to.remove(&source.queue);
                }
            }
        }
        panic!("the line keeps itself busy: {:?} never run empty", self.sent_to);
    }

    /// One event's worth of a queue. `false` when nothing is there.
    async fn poll(&mut self, source: &Source) -> bool {
        let request = self.sqs.receive_message().queue_url(&source.url).max_number_of_messages(source.batch);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        let received = request.send().await.unwrap().messages.unwrap_or_default();
        if received.is_empty() {
            return false;
        }
        let records: Vec<Value> = received.iter().map(|message| record(message, source)).collect();
        let jobs: BTreeSet<String> = received.iter().map(|message| job(message.body())).collect();
        let trigger = jobs.into_iter().collect::<Vec<_>>().join("+");
        let outcome = self.invoke(source.function, &trigger, json!({ "Records": records })).await;
        self.settle(source, &received, outcome).await;
        true
    }

    /// Removes what was handled; the rest stays hidden until its time.
    async fn settle(&mut self, source: &Source, received: &[Message], outcome: Outcome) {
        let back: Option<BTreeSet<String>> = match outcome {
            Outcome::Answered(answer) => Some(failures(&answer)),
            Outcome::Failed(_) => None,
            Outcome::Died if self.forgets_the_killed => Some(BTreeSet::new()),
            Outcome::Died => None,
        };
        let comes_back = |message: &&Message| {
            back.as_ref().is_none_or(|back| back.contains(message.message_id().unwrap_or_default()))
        };
        let shows: Vec<(String, i64)> = self
            .history
            .last()
            .into_iter()
            .flat_map(|event| &event.calls)
            .flat_map(|call| call.shows.clone())
            .collect();
        let mut handled = Vec::new();
        for message in received {
            let receipt = message.receipt_handle().unwrap_or_default().to_owned();
            if !comes_back(&message) {
                handled.push(receipt);
                continue;
            }
            let shown = shows.iter().find(|(shown, _)| *shown == receipt).map(|(_, seconds)| *seconds);
            let until = self.ahead + shown.unwrap_or(source.visibility);
            let (queue, url) = (source.queue.clone(), source.url.clone());
            self.hidden.push(Hidden { queue, url, receipt, until });
        }
        self.remove(source, handled).await;
        // What was asked to come back at once does, without the clock being moved.
        self.show_what_is_due().await;
    }

    async fn remove(&self, source: &Source, receipts: Vec<String>) {
        if receipts.is_empty() {
            return;
        }
        let entry = |(at, receipt): (usize, String)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .receipt_handle(receipt)
                .build()
                .unwrap()
        };
        let entries = receipts.into_iter().enumerate().map(entry).collect();
        let request = self.sqs.delete_message_batch().queue_url(&source.url).set_entries(Some(entries));
        assert!(request.send().await.unwrap().failed.is_empty(), "a record could not be removed");
    }

    /// Shows the hidden records whose time has come.
    pub async fn show_what_is_due(&mut self) {
        let now = self.ahead;
        let (due, still): (Vec<_>, Vec<_>) = self.hidden.drain(..).partition(|hidden| hidden.until <= now);
        self.hidden = still;
        for Hidden { queue, url, receipt, .. } in due {
            let request = self.sqs.change_message_visibility().queue_url(url).receipt_handle(receipt);
            request.visibility_timeout(0).send().await.unwrap();
            self.sent_to.insert(queue);
        }
    }

    /// Lets the waits of all hidden records be over, those of killed processes too: a record may come back early.
    pub async fn show_everything(&mut self) {
        for hidden in &mut self.hidden {
            hidden.until = hidden.until.min(self.ahead);
        }
        self.show_what_is_due().await;
    }

    /// Feeds the functions until nothing is left but what a killed process had.
    pub async fn rest(&mut self) {
        self.drain().await;
        while self.comes_soon() {
            self.show_what_comes_soon().await;
            while let Some(queue) = self.delayed.pop() {
                self.until_delivered(&queue).await;
            }
            self.drain().await;
        }
    }

    /// Whether a function asked for a wait that is not over.
    fn comes_soon(&self) -> bool {
        !self.delayed.is_empty() || self.hidden.iter().any(|hidden| hidden.until - self.ahead < SHORT)
    }

    /// Lets the waits that functions asked for be over, without moving the clock: a queue has a clock of its own.
    async fn show_what_comes_soon(&mut self) {
        for hidden in &mut self.hidden {
            if hidden.until - self.ahead < SHORT {
                hidden.until = self.ahead;
            }
        }
        self.show_what_is_due().await;
    }

    /// A delay cannot be hurried: its record is waited for.
    async fn until_delivered(&mut self, queue: &str) {
        let source = self.sources.iter().find(|source| source.queue == queue).unwrap().clone();
        within_asking(SOON, "a delayed record comes", async || self.poll(&source).await.then_some(())).await;
    }

    /// Puts what nobody can read on a queue.
    pub async fn spoil(&mut self, queue: &str) {
        let url = self.names.physical(queue);
        let mut request = self.sqs.send_message().queue_url(url).message_body("what nobody can read");
        if url.ends_with(".fifo") {
            request = request.message_group_id("nobody").message_deduplication_id(self.now().to_string());
        }
        request.send().await.unwrap();
        self.sent_to.insert(queue.to_owned());
    }

    /// Empties queues and dead-letter queues, and returns what stood in those that were not empty.
    pub async fn empty_queues(&self) -> Vec<(String, i64)> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as Hidden,
        };
        let mut left = Vec::new();
        for (name, url) in self.names.queues() {
            let request = self.sqs.get_queue_attributes().queue_url(&url);
            let request = request.set_attribute_names(Some(vec![Visible, Delayed, Hidden]));
            let attributes = request.send().await.unwrap().attributes.unwrap_or_default();
            let count: i64 = attributes.values().filter_map(|value| value.parse::<i64>().ok()).sum();
            if count > 0 {
                self.sqs.purge_queue().queue_url(url).send().await.unwrap();
                left.push((name.clone(), count));
            }
        }
        left
    }
}

/// The ids that an answer gives back.
fn failures(answer: &Value) -> BTreeSet<String> {
    let failures = answer["batchItemFailures"].as_array().cloned().unwrap_or_default();
    failures.iter().filter_map(|failure| failure["itemIdentifier"].as_str().map(str::to_owned)).collect()
}

/// A record as it stands in a function's event.
fn record(message: &Message, source: &Source) -> Value {
    let attributes = message.attributes().cloned().unwrap_or_default();
    let attributes: serde_json::Map<String, Value> =
        attributes.into_iter().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
    json!({
        "messageId": message.message_id(), "receiptHandle": message.receipt_handle(), "body": message.body(),
        "attributes": attributes, "messageAttributes": {}, "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs", "eventSourceARN": source.arn, "awsRegion": "us-east-1"
    })
}

/// What a record asks for, in a word.
fn job(body: Option<&str>) -> String {
    let body: Value = serde_json::from_str(body.unwrap_or_default()).unwrap_or_default();
    let job = body["job"].as_str().unwrap_or("poison");
    body["envelope"]["command"]["fact"].as_str().unwrap_or(job).to_owned()
}
