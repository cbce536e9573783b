//! Writing settings, for `switchboard apply`: everything there is, one record more, one less; and making the table.
//!
//! A write is a plain put. Each record is whole in itself and comes whole from one file, so of two people who apply at
//! once the later one's record stands, as it would had they applied one after the other; a version in each item would
//! refuse one of them half way through a file, and leave a mixture that no version could see. Applying again mends it.

use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use shared_flow::ports::{PortError, PortResult};

use super::SettingsTable;
use super::errors::{failed, unreadable};
use super::record::{Entry, Key};

impl SettingsTable {
    /// Every entry, by key, as it stands now. What a newer version wrote under names of its own is left out; so is,
    /// with a warning, what does not parse: it is as good as absent, and writing it anew mends it.
    pub async fn all(&self) -> PortResult<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut start = None;
        loop {
            let request = self.client.scan().table_name(&self.name).consistent_read(true);
            let page = request.set_exclusive_start_key(start).send().await.map_err(failed)?;
            for item in page.items.unwrap_or_default() {
                let (Some(AttributeValue::S(pk)), body) = (item.get("pk"), item.get("body")) else {
                    continue;
                };
                entries.extend(Key::read(pk).and_then(|key| readable(key, body)));
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        entries.sort_by_key(Entry::key);
        Ok(entries)
    }

    /// Writes an entry in place of what stands under its key.
    pub async fn put(&self, entry: &Entry) -> PortResult<()> {
        let key = entry.key();
        let request = self.client.put_item().table_name(&self.name);
        let request = request.item("pk", text(key.to_string())).item("body", text(entry.body()?));
        with_token(request, entry).send().await.map_err(failed)?;
        self.cache.forget(&key);
        Ok(())
    }

    /// Removes what stands under this key, if anything does.
    pub async fn remove(&self, key: &Key) -> PortResult<()> {
        let request = self.client.delete_item().table_name(&self.name).key("pk", text(key.to_string()));
        request.send().await.map_err(failed)?;
        self.cache.forget(key);
        Ok(())
    }

    /// Makes the table unless it is there: for tests and emulators. In a deployed stack the template makes it.
    pub async fn create_if_absent(&self) -> PortResult<()> {
        let pk = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S);
        let hash = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
        let incomplete = |_| unreadable("the description of the table lacks a part");
        let request = self.client.create_table().table_name(&self.name);
        let request = request.billing_mode(BillingMode::PayPerRequest);
        let request = request.attribute_definitions(pk.build().map_err(incomplete)?);
        match request.key_schema(hash.build().map_err(incomplete)?).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }
}

fn text(text: String) -> AttributeValue {
    AttributeValue::S(text)
}

/// A token's item says whose it is, and ends by itself.
fn with_token(request: PutItemFluentBuilder, entry: &Entry) -> PutItemFluentBuilder {
    let Entry::CreatioToken(_, token) = entry else { return request };
    let request = request.item("org", text(token.org.to_string()));
    match token.expires_at {
        Some(end) => request.item("expires_at", AttributeValue::N(end.to_string())),
        None => request,
    }
}

fn readable(key: Key, body: Option<&AttributeValue>) -> Option<Entry> {
    let read = match body {
        Some(AttributeValue::S(body)) => Entry::read(key, body),
        _ => Err(unreadable(format!("the item {key} has no body"))),
    };
    match read {
        Ok(entry) => Some(entry),
        Err(error @ (PortError::Unreadable { .. } | PortError::Unavailable { .. })) => {
            tracing::warn!(error = %error, "a settings record cannot be read: it is written anew");
            None
        }
    }
}
