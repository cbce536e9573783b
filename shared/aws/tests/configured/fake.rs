//! A stand-in for Secrets Manager, and for the one read of DynamoDB that settings need: what is configured, what fails,
//! and what was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared::Timestamp;
use shared_aws::secrets::Secrets;
use shared_aws::settings::SettingsTable;
use shared_testkit::memory::VirtualClock;

/// What no error may repeat.
pub const CANARY: &str = "canary-0f3a";

/// A secret as the service keeps it.
#[derive(Clone, Default)]
pub struct Stored {
    pub content: Option<String>,
    pub key: String,
    pub deleted: bool,
    pub versions: u32,
}

#[derive(Default)]
struct Inner {
    secrets: BTreeMap<String, Stored>,
    records: BTreeMap<String, String>,
    broken: Option<(u16, &'static str)>,
    asked: Vec<(String, Value)>,
}

/// The stand-in and the clock of whoever asks it.
#[derive(Clone)]
pub struct Fake {
    inner: Arc<Mutex<Inner>>,
    base: String,
    pub clock: VirtualClock,
}

impl Fake {
    pub async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let routes = Router::new().fallback(answer).with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { inner, base, clock: VirtualClock::new(Timestamp::from_second(1_794_819_600).unwrap()) }
    }

    /// The secrets of the stack `line`, of a process that knows none yet.
    pub fn secrets(&self) -> Secrets {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.base)
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .retry_config(RetryConfig::disabled());
        let client = aws_sdk_secretsmanager::Client::from_conf(config.build());
        Secrets::new(client, "line").with_clock(Arc::new(self.clock.clone()))
    }

    /// The settings, of a process that knows none yet.
    pub fn settings(&self) -> SettingsTable {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.base)
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .retry_config(RetryConfig::disabled());
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        SettingsTable::new(client, "settings").with_clock(Arc::new(self.clock.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Stores a secret, named without the stack.
    pub fn set(&self, name: &str, content: &str) {
        let stored = Stored { content: Some(content.to_owned()), ..Stored::default() };
        self.set_as(name, stored);
    }

    pub fn set_as(&self, name: &str, stored: Stored) {
        self.lock().secrets.insert(format!("line/{name}"), stored);
    }

    pub fn remove(&self, name: &str) {
        self.lock().secrets.remove(&format!("line/{name}"));
    }

    pub fn stored(&self, name: &str) -> Option<Stored> {
        self.lock().secrets.get(&format!("line/{name}")).cloned()
    }

    /// Stores a settings record.
    pub fn record(&self, key: &str, body: &str) {
        self.lock().records.insert(key.to_owned(), body.to_owned());
    }

    /// Fails every request with this status and code, until told otherwise.
    pub fn break_with(&self, failure: Option<(u16, &'static str)>) {
        self.lock().broken = failure;
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(shared::SignedDuration::from_secs(seconds));
    }

    /// How often this was asked.
    pub fn count(&self, action: &str) -> usize {
        self.asked(action).len()
    }

    /// The requests of this kind.
    pub fn asked(&self, action: &str) -> Vec<Value> {
        let inner = self.lock();
        inner.asked.iter().filter(|(asked, _)| asked == action).map(|(_, body)| body.clone()).collect()
    }
}

async fn answer(
    State(inner): State<Arc<Mutex<Inner>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let target = headers["x-amz-target"].to_str().unwrap();
    let action = target.rsplit('.').next().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut inner = inner.lock().unwrap();
    inner.asked.push((action.clone(), body.clone()));
    let outcome = match inner.broken {
        Some(failure) => Err(failure),
        None => inner.act(&action, &body),
    };
    let (status, body) = outcome.map_or_else(
        // As the real service does, it quotes what it was sent.
        |(status, code)| (status, json!({"__type": code, "message": format!("{CANARY} {body}")})),
        |body| (200, body),
    );
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

type Outcome = Result<Value, (u16, &'static str)>;

impl Inner {
    fn act(&mut self, action: &str, body: &Value) -> Outcome {
        let id = body["SecretId"].as_str().unwrap_or_default();
        match action {
            "GetItem" => Ok(self.item(body["Key"]["pk"]["S"].as_str().unwrap())),
            "ListSecrets" => Ok(self.list(body)),
            "CreateSecret" => self.create(body),
            "DescribeSecret" => {
                let stored = self.secret(id)?;
                let deleted = stored.deleted.then_some(1_794_819_600);
                Ok(json!({"Name": id, "KmsKeyId": stored.key, "DeletedDate": deleted}))
            }
            "RestoreSecret" => {
                self.secret(id)?.deleted = false;
                Ok(json!({"Name": id}))
            }
            _ if self.secret(id)?.deleted => Err((400, "InvalidRequestException")),
            "GetSecretValue" => match &self.secret(id)?.content {
                Some(content) => Ok(json!({"Name": id, "SecretString": content})),
                None => Ok(json!({"Name": id, "SecretBinary": "AAEC"})),
            },
            "UpdateSecret" => {
                let stored = self.secret(id)?;
                stored.content = Some(body["SecretString"].as_str().unwrap().to_owned());
                stored.key = body["KmsKeyId"].as_str().unwrap().to_owned();
                stored.versions += 1;
                Ok(json!({"Name": id}))
            }
            "DeleteSecret" => {
                self.secret(id)?.deleted = true;
                Ok(json!({"Name": id}))
            }
            other => panic!("{other}"),
        }
    }

    fn secret(&mut self, id: &str) -> Result<&mut Stored, (u16, &'static str)> {
        self.secrets.get_mut(id).ok_or((400, "ResourceNotFoundException"))
    }

    fn create(&mut self, body: &Value) -> Outcome {
        let name = body["Name"].as_str().unwrap().to_owned();
        let stored = Stored {
            content: Some(body["SecretString"].as_str().unwrap().to_owned()),
            key: body["KmsKeyId"].as_str().unwrap().to_owned(),
            deleted: false,
            versions: 1,
        };
        if self.secrets.contains_key(&name) {
            return Err((400, "ResourceExistsException"));
        }
        self.secrets.insert(name.clone(), stored);
        Ok(json!({"Name": name}))
    }

    /// Two a page, and only what the filter lets through.
    fn list(&self, body: &Value) -> Value {
        let filter = &body["Filters"][0];
        assert_eq!(filter["Key"], "name");
        let start = filter["Values"][0].as_str().unwrap();
        let named = |(name, stored): &(&String, &Stored)| name.starts_with(start) && !stored.deleted;
        let all: Vec<_> = self.secrets.iter().filter(named).map(|(name, _)| json!({"Name": name})).collect();
        let from: usize = body["NextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let next = (from + 2 < all.len()).then(|| (from + 2).to_string());
        json!({"SecretList": all[from..all.len().min(from + 2)], "NextToken": next})
    }

    fn item(&self, pk: &str) -> Value {
        match self.records.get(pk) {
            Some(body) => json!({"Item": {"pk": {"S": pk}, "body": {"S": body}}}),
            None => json!({}),
        }
    }
}
