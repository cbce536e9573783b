//! The store ports on one DynamoDB table. What stands where, and why, is in the README of this folder.

mod contacts;
mod cursors;
mod deliveries;
mod errors;
mod keys;
mod record;
mod sessions;
mod table;
mod transact;
mod turns;
mod waking;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;
use shared_flow::ports::PortResult;

use self::errors::{failed, unreadable};
use self::keys::Key;
use self::record::Item;

/// The table that holds everything. A clone is another handle to it.
///
/// Time-outs, retries and the endpoint belong to the client that the caller makes.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of this name. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Reads the key of nothing: whether the table is there and may be read.
    pub async fn reachable(&self) -> PortResult<()> {
        let nothing = Key { pk: "CHECK".to_owned(), sk: "CHECK".to_owned() };
        self.get::<record::Mark>(nothing).await.map(|_| ())
    }

    /// One item as it stands now.
    async fn get<T: DeserializeOwned>(&self, key: Key) -> PortResult<Option<T>> {
        let request = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes()));
        let answer = request.consistent_read(true).send().await.map_err(failed)?;
        answer.item.map(read).transpose()
    }
}

/// An item as the record it was written from.
fn read<T: DeserializeOwned>(item: Item) -> PortResult<T> {
    // The library's error may quote a value, which may be somebody's words.
    serde_dynamo::from_item(item).map_err(|_| unreadable("an item lacks attributes or has others than ours"))
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
