//! The way into an AWS account: region, credentials and where AWS is, each proven before the first call.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::config::ProvideCredentials;
use shared_vendors::guard::Guard;

use super::trouble::Trouble;

/// How long one try of a call may take, and all its tries together. Somebody waits at the keyboard.
const LIMITS: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(20));
/// The same for asking a function, which may start cold and tries all it needs.
const ASKING: (Duration, Duration) = (Duration::from_secs(40), Duration::from_secs(60));
/// What names another AWS; one variable for all services, or one a service with its name behind it.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// An account and a region that may be called.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    region: String,
}

impl Aws {
    /// Finds region and credentials. `region` is what the operator gave on the command line.
    pub async fn find(region: Option<&str>, guard: Guard) -> Result<Self, Trouble> {
        endpoints(std::env::vars(), guard)?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(limits(LIMITS));
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        let config = loader.load().await;
        // A profile may name another AWS as well.
        endpoints(config.endpoint_url().map(|url| (ENDPOINT.to_owned(), url.to_owned())), guard)?;
        let region = config.region().map(ToString::to_string).ok_or_else(no_region)?;
        let provider = config.credentials_provider().ok_or_else(no_credentials)?;
        provider.provide_credentials().await.map_err(|_| no_credentials())?;
        Ok(Self { config, region })
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// For stacks and their outputs.
    #[must_use]
    pub fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    /// For tables.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// For functions, which may take their time to answer.
    #[must_use]
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config.to_builder().timeout_config(limits(ASKING)).build())
    }

    /// For buckets. Path style reaches emulators, which have no names for buckets, and costs nothing on AWS.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// For secrets.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// For queues.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }
}

fn limits((attempt, whole): (Duration, Duration)) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(whole).build()
}

/// Another AWS obeys the same guard as every other address: credentials and secrets go there.
fn endpoints(named: impl IntoIterator<Item = (String, String)>, guard: Guard) -> Result<(), Trouble> {
    for (name, url) in named.into_iter().filter(|(name, url)| name.starts_with(ENDPOINT) && !url.is_empty()) {
        guard.check(&url).map_err(|refused| {
            Trouble(format!(
                "{name}: {refused}; an address on this machine needs SWITCHBOARD_ALLOW_INSECURE=1"
            ))
        })?;
    }
    Ok(())
}

fn no_region() -> Trouble {
    Trouble::new("no AWS region is known: give --region, or set AWS_REGION or a profile that has one")
}

fn no_credentials() -> Trouble {
    Trouble::new(
        "no usable AWS credentials were found: set AWS_PROFILE or an access key; \
         after `aws sso login`, run eval \"$(aws configure export-credentials --format env)\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, url: &str, insecure: bool) -> Result<(), Trouble> {
        endpoints([(name.to_owned(), url.to_owned())], Guard::new(insecure))
    }

    #[test]
    fn another_aws_obeys_the_guard() {
        let said = named("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:4566", false).unwrap_err().to_string();
        assert!(said.starts_with("AWS_ENDPOINT_URL_SQS: ") && said.contains("ALLOW_INSECURE"), "{said}");
        assert!(named("AWS_ENDPOINT_URL", "http://10.0.0.8", true).is_err());
        assert_eq!(named("AWS_ENDPOINT_URL", "http://127.0.0.1:4566", true), Ok(()));
        assert_eq!(named("OTHER", "http://10.0.0.8", false), Ok(()));
    }
}
