//! The real adapter, over HTTP against an embedded DynamoDB, keeps the contracts of the ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{SocketAddr, TcpListener};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use shared_aws::dynamodb::Table;
use shared_testkit::contracts;
use tokio::sync::oneshot;

/// An empty DynamoDB of this test's own, stopped at its end.
struct Emulator {
    client: Client,
    /// Dropping it stops the server.
    _stop: oneshot::Sender<()>,
}

impl Emulator {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        // Its own thread and runtime: it does its work, and its waiting for the disk, on the runtime's threads.
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let database = dynoxide::Database::memory().unwrap();
                let stopped = async { stopped.await.unwrap_or_default() };
                dynoxide::server::serve_with_shutdown(listener, database, stopped).await.unwrap();
            });
        });
        Self { client: client(address), _stop: stop }
    }

    async fn table(&self) -> Table {
        let table = Table::new(self.client.clone(), "line");
        table.create_if_absent().await.unwrap();
        table
    }
}

fn client(address: SocketAddr) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .build();
    Client::from_conf(config)
}

#[tokio::test]
async fn sessions() {
    let emulator = Emulator::start();
    contracts::sessions(&emulator.table().await).await;
}

#[tokio::test]
async fn contacts() {
    let emulator = Emulator::start();
    contracts::contacts(&emulator.table().await).await;
}

#[tokio::test]
async fn deliveries() {
    let emulator = Emulator::start();
    let table = emulator.table().await;
    contracts::deliveries(&table, &table).await;
}

#[tokio::test]
async fn turns() {
    let emulator = Emulator::start();
    contracts::turns(&emulator.table().await).await;
}

#[tokio::test]
async fn cursors() {
    let emulator = Emulator::start();
    let table = emulator.table().await;
    contracts::cursors(&table, &table).await;
}

#[tokio::test]
async fn waking() {
    let emulator = Emulator::start();
    let table = emulator.table().await;
    contracts::waking(&table, &table, &table, &table).await;
}

#[tokio::test]
async fn a_table_that_is_there_is_used_as_it_is() {
    let emulator = Emulator::start();
    emulator.table().await.create_if_absent().await.unwrap();
    let ttl = emulator.client.describe_time_to_live().table_name("line").send().await.unwrap();
    let ttl = ttl.time_to_live_description().unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires_at"));
    let table = emulator.client.describe_table().table_name("line").send().await.unwrap();
    let mut indexes: Vec<_> =
        table.table().unwrap().global_secondary_indexes().iter().filter_map(|i| i.index_name()).collect();
    indexes.sort_unstable();
    assert_eq!(indexes, ["recent", "wake"]);
}

#[tokio::test]
async fn a_body_that_does_not_parse_is_named_and_not_quoted() {
    use shared_flow::ports::{PortError, Sessions};
    let emulator = Emulator::start();
    let table = emulator.table().await;
    let org = shared::OrgId::new("acme").unwrap();
    let session = shared::SessionId(shared::ids::derive("test", &[]));
    let put = emulator.client.put_item().table_name("line");
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let number = |value: &str| AttributeValue::N(value.to_owned());
    put.item("pk", text(&format!("acme#S#{session}")))
        .item("sk", text("HEAD"))
        .item("version", number("1"))
        .item("state", text("assistant"))
        .item("recent", text("acme"))
        .item("recent_at", number("1"))
        .item("body", text("\"the words of a customer\""))
        .send()
        .await
        .unwrap();
    let error = table.head(&org, session).await.unwrap_err();
    assert!(matches!(error, PortError::Unreadable { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("words"));
}

#[tokio::test]
async fn a_missing_table_may_be_there_later() {
    use shared_flow::ports::{PortError, Sessions};
    let emulator = Emulator::start();
    let table = Table::new(emulator.client.clone(), "line");
    let org = shared::OrgId::new("acme").unwrap();
    let error = table.head(&org, shared::SessionId(shared::ids::derive("test", &[]))).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Unavailable { why, .. } if why.contains("ResourceNotFound")),
        "{error}"
    );
}
