//! The real adapter, over HTTP against an embedded DynamoDB, keeps the contracts of the ports.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emulator;

use aws_sdk_dynamodb::types::AttributeValue;
use shared_aws::dynamodb::Table;
use shared_testkit::contracts;

use crate::emulator::Emulator;

async fn table(emulator: &Emulator) -> Table {
    let table = Table::new(emulator.client.clone(), "line");
    table.create_if_absent().await.unwrap();
    table
}

#[tokio::test]
async fn sessions() {
    let emulator = Emulator::start();
    contracts::sessions(&table(&emulator).await).await;
}

#[tokio::test]
async fn contacts() {
    let emulator = Emulator::start();
    contracts::contacts(&table(&emulator).await).await;
}

#[tokio::test]
async fn deliveries() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    contracts::deliveries(&table, &table).await;
}

#[tokio::test]
async fn turns() {
    let emulator = Emulator::start();
    contracts::turns(&table(&emulator).await).await;
}

#[tokio::test]
async fn cursors() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    contracts::cursors(&table, &table).await;
}

#[tokio::test]
async fn waking() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    contracts::waking(&table, &table, &table, &table).await;
}

#[tokio::test]
async fn a_table_that_is_there_is_used_as_it_is() {
    let emulator = Emulator::start();
    table(&emulator).await.create_if_absent().await.unwrap();
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
    let table = table(&emulator).await;
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
