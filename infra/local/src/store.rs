//! The table of a laptop line: an embedded DynamoDB in this process, or another one that the environment names.

use std::path::Path;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use shared_aws::dynamodb::Table;

use shared_vendors::guard::Guard;

use crate::embedded::dynamodb::EmbeddedDynamoDb;

/// The table's name.
const TABLE: &str = "switchboard";

/// The table and, if it is ours, the database behind it.
pub struct Store {
    /// The table, ready for use.
    pub table: Table,
    /// Stops the database when dropped.
    _embedded: Option<EmbeddedDynamoDb>,
}

impl Store {
    /// Opens the folder's database, or connects to the one at `AWS_ENDPOINT_URL`.
    pub async fn open(folder: &Path, guard: Guard) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let elsewhere = endpoint(guard)?;
        let embedded = if elsewhere { None } else { Some(EmbeddedDynamoDb::open(folder).await?) };
        let table = Table::new(client(embedded.as_ref()).await, TABLE);
        table.create_if_absent().await?;
        Ok(Self { table, _embedded: embedded })
    }
}

/// Whether the environment names another AWS. Its address obeys the same guard as every other.
fn endpoint(guard: Guard) -> Result<bool, String> {
    for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"] {
        if let Ok(url) = std::env::var(name) {
            guard.check(&url).map_err(|refused| {
                format!("{name}: {refused}; an address on this machine needs SWITCHBOARD_ALLOW_INSECURE=1")
            })?;
            return Ok(true);
        }
    }
    Ok(false)
}

async fn client(embedded: Option<&EmbeddedDynamoDb>) -> Client {
    let limits = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(8))
        .build();
    let mut config = aws_config::defaults(BehaviorVersion::latest()).timeout_config(limits);
    if let Some(embedded) = embedded {
        // The embedded database checks no signature; these only satisfy the client.
        config = config
            .endpoint_url(embedded.url())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new("local", "local", None, None, "embedded"));
    }
    Client::new(&config.load().await)
}
