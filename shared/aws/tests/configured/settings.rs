//! The settings table on a real implementation of DynamoDB: the contract, and what `switchboard apply` does with it.

use aws_sdk_dynamodb::types::AttributeValue;
use shared::OrgId;
use shared::channel::LineKey;
use shared_aws::settings::SettingsTable;
use shared_aws::settings::record::{Entry, Key, LineRecord, OrgRecord, TokenRecord};
use shared_flow::ports::Settings;
use shared_testkit::contracts;

use crate::emulator::Emulator;

async fn table(emulator: &Emulator) -> SettingsTable {
    let table = SettingsTable::new(emulator.client.clone(), "settings");
    table.create_if_absent().await.unwrap();
    table
}

fn millis(duration: shared::SignedDuration) -> u64 {
    duration.as_millis().try_into().unwrap()
}

/// The entries that mean what the contract wants configured.
fn entries() -> Vec<Entry> {
    let (orgs, lines) = contracts::configured();
    let org = |org: shared_flow::ports::OrgSettings| {
        let record = OrgRecord {
            name: org.name,
            profile: org.profile,
            session_url: org.session_url,
            debounce_ms: millis(org.debounce),
            crm: org.crm,
            creatio: None,
            model: None,
        };
        Entry::Org(org.org, record)
    };
    let line = |line: shared_flow::ports::LineSettings| {
        let record = LineRecord {
            org: line.org,
            ai_enabled: line.ai_enabled,
            auto_resolve_after_ms: millis(line.auto_resolve_after),
            display_number: String::new(),
        };
        Entry::Line(line.line, record)
    };
    let mut entries: Vec<Entry> = orgs.into_iter().map(org).chain(lines.into_iter().map(line)).collect();
    entries.sort_by_key(Entry::key);
    entries
}

fn token(expires_at: Option<i64>) -> Entry {
    Entry::CreatioToken([7; 32], TokenRecord { org: OrgId::new("acme").unwrap(), expires_at })
}

#[tokio::test]
async fn the_contract_is_kept() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    for entry in entries() {
        table.put(&entry).await.unwrap();
    }
    contracts::settings(&table).await;
}

#[tokio::test]
async fn everything_that_was_put_is_listed_until_it_is_removed() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    assert_eq!(table.all().await.unwrap(), []);
    let mut wanted = entries();
    wanted.push(token(None));
    wanted.sort_by_key(Entry::key);
    for _ in 0..2 {
        for entry in &wanted {
            table.put(entry).await.unwrap();
        }
    }
    assert_eq!(table.all().await.unwrap(), wanted);
    let gone = Key::Line(LineKey::whatsapp("880200000000012"));
    assert!(table.line(&LineKey::whatsapp("880200000000012")).await.unwrap().is_some());
    for _ in 0..2 {
        table.remove(&gone).await.unwrap();
    }
    assert_eq!(table.line(&LineKey::whatsapp("880200000000012")).await.unwrap(), None);
    wanted.retain(|entry| entry.key() != gone);
    assert_eq!(table.all().await.unwrap(), wanted);
}

#[tokio::test]
async fn what_was_put_counts_at_once_for_who_put_it() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    let acme = OrgId::new("acme").unwrap();
    let Some(Entry::Org(_, record)) = entries().into_iter().next() else { panic!("no organisation") };
    for name in ["One", "Two"] {
        let record = OrgRecord { name: name.to_owned(), ..record.clone() };
        table.put(&Entry::Org(acme.clone(), record)).await.unwrap();
        assert_eq!(table.org(&acme).await.unwrap().unwrap().name, name);
    }
}

#[tokio::test]
async fn a_replaced_token_carries_the_end_by_which_the_table_removes_it() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    let item = async || {
        let pk = AttributeValue::S(token(None).key().to_string());
        let found = emulator.client.get_item().table_name("settings").key("pk", pk).send().await.unwrap();
        found.item.unwrap()
    };
    table.put(&token(Some(1_794_819_600))).await.unwrap();
    assert_eq!(item().await["expires_at"], AttributeValue::N("1794819600".to_owned()));
    assert_eq!(item().await["org"], AttributeValue::S("acme".to_owned()));
    // A token that is put back into use must not be removed.
    table.put(&token(None)).await.unwrap();
    assert!(!item().await.contains_key("expires_at"));
}

#[tokio::test]
async fn foreign_and_spoilt_items_cost_no_other_its_place_in_the_list() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    table.put(&token(None)).await.unwrap();
    for (pk, body) in
        [("LATER#acme", "{}"), ("ORG#acme", "spoilt"), ("ORG#other", "{}"), ("LINE#pigeon:1", "{}")]
    {
        let put = emulator.client.put_item().table_name("settings");
        let put = put.item("pk", AttributeValue::S(pk.to_owned()));
        put.item("body", AttributeValue::S(body.to_owned())).send().await.unwrap();
    }
    assert_eq!(table.all().await.unwrap(), [token(None)]);
}

#[tokio::test]
async fn a_table_that_is_there_is_left_as_it_is() {
    let emulator = Emulator::start();
    let table = table(&emulator).await;
    table.put(&token(None)).await.unwrap();
    table.create_if_absent().await.unwrap();
    assert_eq!(table.all().await.unwrap().len(), 1);
    table.reachable().await.unwrap();
}
