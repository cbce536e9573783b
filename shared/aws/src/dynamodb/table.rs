//! The table itself: made here for the laptop and for emulators, by the template in a deployed stack; and queries.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};
use shared_flow::ports::{PortError, PortResult};

use super::Table;
use super::errors::{failed, unreadable};
use super::record::Item;

/// How many items one page of a query may have; more are fetched page by page.
const PAGE: usize = 1_000;

impl Table {
    /// Makes the table with its indexes and its removal of expired items, unless it is there.
    pub async fn create_if_absent(&self) -> PortResult<()> {
        let request = self.client.create_table().table_name(&self.name);
        let request = request
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(definitions()?))
            .set_key_schema(Some(schema("pk", "sk")?))
            .global_secondary_indexes(index("wake", "wake_shard", "wake_at")?)
            .global_secondary_indexes(index("recent", "recent", "recent_at")?);
        match request.send().await {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {}
            Err(error) => return Err(failed(error)),
        }
        self.remove_expired_items().await
    }

    /// Asked only where it is not on: DynamoDB refuses to switch on what is on.
    async fn remove_expired_items(&self) -> PortResult<()> {
        let now = self.client.describe_time_to_live().table_name(&self.name).send().await.map_err(failed)?;
        let status = now.time_to_live_description().and_then(|d| d.time_to_live_status());
        if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Ok(());
        }
        let wanted = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true).build();
        let wanted = wanted.map_err(|_| incomplete())?;
        let request = self.client.update_time_to_live().table_name(&self.name);
        request.time_to_live_specification(wanted).send().await.map_err(failed)?;
        Ok(())
    }

    /// The items of a query, all pages of it until there are `limit`.
    pub(super) async fn query(&self, query: QueryFluentBuilder, limit: usize) -> PortResult<Vec<Item>> {
        let page = i32::try_from(limit.min(PAGE)).unwrap_or(i32::MAX);
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let request = query.clone().limit(page).set_exclusive_start_key(start);
            let answer = request.send().await.map_err(failed)?;
            found.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}

fn definitions() -> PortResult<Vec<AttributeDefinition>> {
    use ScalarAttributeType::{N, S};
    let attributes =
        [("pk", S), ("sk", S), ("wake_shard", S), ("wake_at", N), ("recent", S), ("recent_at", N)];
    let define = |(name, kind)| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .map_err(|_| incomplete())
    };
    attributes.into_iter().map(define).collect()
}

fn schema(hash: &str, range: &str) -> PortResult<Vec<KeySchemaElement>> {
    let element = |(name, kind): (&str, KeyType)| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(|_| incomplete())
    };
    [(hash, KeyType::Hash), (range, KeyType::Range)].into_iter().map(element).collect()
}

/// An index of keys only, so that rewriting a body costs nothing in it. Items without its keys are not in it.
fn index(name: &str, hash: &str, range: &str) -> PortResult<GlobalSecondaryIndex> {
    let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let index = GlobalSecondaryIndex::builder().index_name(name).projection(keys_only);
    index.set_key_schema(Some(schema(hash, range)?)).build().map_err(|_| incomplete())
}

fn incomplete() -> PortError {
    unreadable("the description of the table lacks a part")
}
