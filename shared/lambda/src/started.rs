//! One function's start: what it was told, and the clients it works with. Nothing is sent before the first event.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use metrics_cloudwatch_embedded::Collector;
use shared_aws::bodies::Bodies;
use shared_aws::dynamodb::Table;
use shared_aws::secrets::Secrets;
use shared_aws::settings::SettingsTable;
use shared_aws::sqs::SqsQueues;
use shared_flow::ports::Clock;
use shared_vendors::http::Http;

use crate::accounts::DeployedAccounts;
use crate::check::{Check, Question, Report, Secret};
use crate::clock::SystemClock;
use crate::environment::Environment;
use crate::telemetry::{self, Form};

/// How long one try of a call to a table or queue may take, and all tries together.
const QUICK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// The same for the bucket and the secrets.
const PATIENT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(4));

/// Why a function cannot start, in words.
pub struct CannotStart(String);

impl CannotStart {
    pub(crate) fn because(words: String) -> Self {
        Self(words)
    }
}

impl<E: std::error::Error> From<E> for CannotStart {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

// `main` shows an error by its debug form.
impl std::fmt::Debug for CannotStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A started function. Each method makes one thing to work with, and fails when the template did not name it.
pub struct Started {
    pub(crate) function: &'static str,
    pub(crate) environment: Environment,
    pub(crate) metrics: &'static Collector,
    quick: SdkConfig,
    patient: SdkConfig,
    settings: Option<Arc<SettingsTable>>,
    /// The credentials that were asked for, so that a check can try them.
    credentials: OnceLock<(Secret, Arc<Secrets>)>,
}

/// Starts a function: its logs, its metrics, its environment.
pub async fn start(function: &'static str) -> Result<Started, CannotStart> {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(CannotStart(format!(
            "{function} is a Lambda function and runs only there; to run the whole line on this machine, use `cargo run`"
        )));
    }
    telemetry::start(Form::Json);
    let environment = Environment::read();
    let metrics = telemetry::count(environment.stack()?).map_err(|error| CannotStart(error.to_string()))?;
    let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let settings = environment.settings_table().ok();
    let (quick, patient) = (limited(&aws, QUICK), limited(&aws, PATIENT));
    let settings = settings.map(|name| {
        let clock = Arc::new(SystemClock::ahead_by(environment.ahead()));
        Arc::new(SettingsTable::new(dynamodb(&quick), name).with_clock(clock))
    });
    Ok(Started { function, environment, metrics, quick, patient, settings, credentials: OnceLock::new() })
}

fn limited(aws: &SdkConfig, (attempt, whole): (Duration, Duration)) -> SdkConfig {
    let limits = TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(whole);
    aws.to_builder().timeout_config(limits.build()).build()
}

fn dynamodb(aws: &SdkConfig) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(aws)
}

impl Started {
    /// The time.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock::ahead_by(self.environment.ahead()))
    }

    /// Contacts and sessions.
    pub fn line_table(&self) -> Result<Arc<Table>, CannotStart> {
        Ok(Arc::new(Table::new(dynamodb(&self.quick), self.environment.line_table()?)))
    }

    /// What organisations configured.
    pub fn settings(&self) -> Result<Arc<SettingsTable>, CannotStart> {
        match &self.settings {
            Some(settings) => Ok(settings.clone()),
            None => self
                .environment
                .settings_table()
                .map_err(CannotStart::from)
                .and(Err(CannotStart(String::new()))),
        }
    }

    /// The bucket.
    pub fn bodies(&self) -> Result<Bodies, CannotStart> {
        // Path style reaches emulators, which have no names for buckets, and costs nothing on AWS.
        let config = aws_sdk_s3::config::Builder::from(&self.patient).force_path_style(true).build();
        Ok(Bodies::new(aws_sdk_s3::Client::from_conf(config), self.environment.bodies_bucket()?))
    }

    /// The queues that it may send to.
    pub fn queues(&self) -> Result<Arc<SqsQueues>, CannotStart> {
        Ok(Arc::new(SqsQueues::new(self.sqs(), self.environment.queues.clone(), self.bodies()?)))
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.quick)
    }

    /// The credentials of organisations; of their secrets it may read this kind only.
    pub fn accounts(&self, secret: Secret) -> Result<Arc<DeployedAccounts>, CannotStart> {
        let client = aws_sdk_secretsmanager::Client::new(&self.patient);
        let secrets = Arc::new(Secrets::new(client, self.environment.stack()?).with_clock(self.clock()));
        let secrets = self.credentials.get_or_init(|| (secret, secrets)).1.clone();
        Ok(Arc::new(DeployedAccounts::new(self.settings()?, secrets)))
    }

    /// Tries what was made, with this function's own rights, without an effect.
    pub(crate) async fn check(&self, question: &Question) -> Report {
        let mut checks = Vec::new();
        if let Some(settings) = &self.settings {
            checks.push(Check::of("the settings table", settings.reachable()).await);
        }
        if let Ok(table) = self.line_table() {
            checks.push(Check::of("the table of sessions", table.reachable()).await);
        }
        if let Some((secret, secrets)) = self.credentials.get() {
            for org in &question.orgs {
                let name = format!("the {} secret of {org}", secret.name());
                checks.push(Check::of(name, secret.read(secrets, org)).await);
            }
        }
        Report::of(self.function, checks)
    }

    /// The way out to a vendor.
    pub fn http(&self) -> Result<Http, CannotStart> {
        Ok(Http::new(self.environment.guard())?)
    }

    /// Where the Cloud API is; an address that the guard refuses is refused here.
    pub fn whatsapp_url(&self, http: &Http) -> Result<url::Url, CannotStart> {
        Ok(http.check(self.environment.whatsapp_url())?)
    }
}
