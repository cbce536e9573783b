//! The contracts of the ports, kept by the adapters on the stores as the template describes them.

use async_trait::async_trait;
use aws_sdk_sqs::types::Message;
use jiff::Timestamp;
use shared_aws::bodies::Bodies;
use shared_aws::dynamodb::Table;
use shared_aws::settings::SettingsTable;
use shared_aws::settings::record::{Entry, LineRecord, OrgRecord};
use shared_aws::sqs::{Queue, QueueUrls, SqsQueues};
use shared_flow::ports::Job;
use shared_testkit::contracts::{self, QueueReader};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::emulator::Emulator;
use super::stack::Stack;

/// Empty stores of this test's own.
struct Stores {
    emulator: Emulator,
    stack: Stack,
}

impl Stores {
    async fn deploy() -> Self {
        let emulator = Emulator::start().await;
        let stack = Stack::deploy_stores(&emulator).await;
        Self { emulator, stack }
    }

    fn table(&self) -> Table {
        let client = aws_sdk_dynamodb::Client::new(&self.emulator.config);
        Table::new(client, self.stack.output("LineTableName"))
    }

    fn settings(&self) -> SettingsTable {
        let client = aws_sdk_dynamodb::Client::new(&self.emulator.config);
        SettingsTable::new(client, self.stack.output("SettingsTableName"))
    }

    fn bodies(&self) -> Bodies {
        let client = aws_sdk_s3::Client::new(&self.emulator.config);
        Bodies::new(client, self.stack.output("BodiesBucketName"))
    }

    fn urls(&self) -> QueueUrls {
        let url = |name: &str| Some(self.stack.output(name).to_owned());
        QueueUrls {
            conversation: url("ConversationQueueUrl"),
            deliveries: url("DeliveriesQueueUrl"),
            crm_sync: url("CrmSyncQueueUrl"),
            turns: url("TurnsQueueUrl"),
            receipts: url("ReceiptsQueueUrl"),
        }
    }
}

/// Reads the queues as their functions' event sources do.
struct Reader {
    client: aws_sdk_sqs::Client,
    urls: QueueUrls,
    bodies: Bodies,
}

#[async_trait]
impl QueueReader for Reader {
    async fn next(&self, like: &Job) -> Vec<Job> {
        let url = self.urls.of(Queue::of(like)).unwrap();
        let request = self.client.receive_message().queue_url(url).max_number_of_messages(10);
        let answer = request.wait_time_seconds(10).send().await.unwrap();
        let mut jobs = Vec::new();
        for message in answer.messages.unwrap_or_default() {
            jobs.push(self.take(url, &message).await);
        }
        jobs
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Reader {
    async fn take(&self, url: &str, message: &Message) -> Job {
        let receipt = message.receipt_handle.as_deref().unwrap();
        self.client.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
        shared_aws::sqs::read(message.body.as_deref().unwrap(), &self.bodies).await.unwrap()
    }
}

#[tokio::test]
async fn sessions() {
    let stores = Stores::deploy().await;
    contracts::sessions(&stores.table()).await;
}

#[tokio::test]
async fn contacts() {
    let stores = Stores::deploy().await;
    contracts::contacts(&stores.table()).await;
}

#[tokio::test]
async fn deliveries() {
    let stores = Stores::deploy().await;
    let table = stores.table();
    contracts::deliveries(&table, &table).await;
}

#[tokio::test]
async fn turns() {
    let stores = Stores::deploy().await;
    contracts::turns(&stores.table()).await;
}

#[tokio::test]
async fn cursors() {
    let stores = Stores::deploy().await;
    let table = stores.table();
    contracts::cursors(&table, &table).await;
}

#[tokio::test]
async fn waking() {
    let stores = Stores::deploy().await;
    let table = stores.table();
    contracts::waking(&table, &table, &table, &table).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parking() {
    let stores = Stores::deploy().await;
    let bodies = stores.bodies();
    let listed = || Handle::current().block_on(bodies.list_parked()).unwrap().len();
    contracts::parking(&bodies, &|| block_in_place(listed)).await;
}

#[tokio::test]
async fn queues() {
    let stores = Stores::deploy().await;
    let client = aws_sdk_sqs::Client::new(&stores.emulator.config);
    let queues = SqsQueues::new(client.clone(), stores.urls(), stores.bodies());
    let reader = Reader { client, urls: stores.urls(), bodies: stores.bodies() };
    contracts::queues(&queues, &reader).await;
}

#[tokio::test]
async fn settings() {
    let stores = Stores::deploy().await;
    let table = stores.settings();
    let (orgs, lines) = contracts::configured();
    for org in orgs {
        let record = OrgRecord {
            name: org.name,
            profile: org.profile,
            session_url: org.session_url,
            debounce_ms: org.debounce.as_millis().try_into().unwrap(),
            crm: org.crm,
            creatio: None,
            model: None,
        };
        table.put(&Entry::Org(org.org, record)).await.unwrap();
    }
    for line in lines {
        let record = LineRecord {
            org: line.org,
            ai_enabled: line.ai_enabled,
            auto_resolve_after_ms: line.auto_resolve_after.as_millis().try_into().unwrap(),
            display_number: String::new(),
        };
        table.put(&Entry::Line(line.line, record)).await.unwrap();
    }
    contracts::settings(&table).await;
}
