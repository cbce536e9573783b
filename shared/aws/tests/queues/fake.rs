//! A stand-in for SQS and S3: it notes every request, and takes everything unless the test says otherwise.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use shared::ids::derive;
use shared::session::CustomerMessage;
use shared::{Command, CustomerAddress, Kind, OrgId, SessionId, Timestamp};
use shared_aws::bodies::Bodies;
use shared_aws::sqs::{Letters, QueueUrls, SqsQueues};
use shared_flow::ports::{Envelope, Job, Target};

/// Words of a customer, which no error may repeat.
pub const WORDS: &str = "my card number is on the back";

/// What the stand-in answers to a request of SQS: a status and a body.
pub type Answer = (u16, Value);

type Script = Box<dyn Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync>;

/// A request of SQS.
#[derive(Clone, Debug)]
pub struct Request {
    /// `SendMessageBatch`, `ReceiveMessage`, …
    pub action: String,
    pub body: Value,
}

impl Request {
    pub fn queue(&self) -> &str {
        self.body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap()
    }

    pub fn entries(&self) -> &[Value] {
        self.body["Entries"].as_array().unwrap()
    }

    /// The answer that takes every entry.
    pub fn taken(&self) -> Answer {
        self.taken_but(&[])
    }

    /// The answer that takes every entry but these: id, code, and whether it is the sender's fault.
    pub fn taken_but(&self, refused: &[(&str, &str, bool)]) -> Answer {
        let ids = self.entries().iter().map(|entry| entry["Id"].as_str().unwrap());
        let taken = ids.filter(|id| !refused.iter().any(|(refused, ..)| refused == id));
        let taken: Vec<Value> =
            taken.map(|id| json!({"Id": id, "MessageId": id, "MD5OfMessageBody": ""})).collect();
        let refused = refused.iter().map(|(id, code, fault)| {
            json!({"Id": id, "Code": code, "SenderFault": fault, "Message": format!("refused: {WORDS}")})
        });
        (200, json!({"Successful": taken, "Failed": refused.collect::<Vec<_>>()}))
    }
}

/// The answer of a service that refuses a request, quoting it.
pub fn error(status: u16, code: &str) -> Answer {
    (status, json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": format!("no: {WORDS}")}))
}

struct Inner {
    script: Script,
    requests: Mutex<Vec<Request>>,
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// While it is set, S3 answers with this status.
    broken: Mutex<Option<u16>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

/// The stand-in. It ends with the test's runtime.
#[derive(Clone)]
pub struct Fake {
    address: String,
    inner: Arc<Inner>,
}

impl Fake {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::answering(|request| Box::pin(async move { request.taken() })).await
    }

    /// One that answers requests of SQS by this script.
    pub async fn answering(
        script: impl Fn(Request) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            script: Box::new(script),
            requests: Mutex::default(),
            objects: Mutex::default(),
            broken: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(serve).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner }
    }

    /// All requests of SQS so far.
    pub fn requests(&self) -> Vec<Request> {
        self.inner.requests.lock().unwrap().clone()
    }

    /// The requests to one queue.
    pub fn requests_to(&self, queue: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.queue() == queue).collect()
    }

    /// The most requests of SQS that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.inner.most.load(Ordering::SeqCst)
    }

    /// Everything in the bucket.
    pub fn objects(&self) -> BTreeMap<String, Bytes> {
        self.inner.objects.lock().unwrap().clone()
    }

    /// Puts an object, or removes it.
    pub fn set(&self, key: &str, object: Option<&str>) {
        let mut objects = self.inner.objects.lock().unwrap();
        match object {
            Some(text) => objects.insert(key.to_owned(), Bytes::copy_from_slice(text.as_bytes())),
            None => objects.remove(key),
        };
    }

    /// Makes S3 answer with this status from now on.
    pub fn break_bucket(&self, status: u16) {
        *self.inner.broken.lock().unwrap() = Some(status);
    }

    pub fn bodies(&self) -> Bodies {
        let config = aws_sdk_s3::Config::builder().force_path_style(true);
        let config = config.behavior_version(BehaviorVersion::latest()).region(Region::new("us-east-1"));
        let config = config.retry_config(RetryConfig::disabled()).endpoint_url(&self.address);
        let config = config.credentials_provider(Credentials::new("local", "local", None, None, "test"));
        Bodies::new(aws_sdk_s3::Client::from_conf(config.build()), "bodies")
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        sqs_at(&self.address)
    }

    pub fn queues(&self) -> SqsQueues {
        SqsQueues::new(self.sqs(), self.urls(), self.bodies())
    }

    pub fn queues_of(&self, urls: QueueUrls) -> SqsQueues {
        SqsQueues::new(self.sqs(), urls, None)
    }

    /// The queues behind an address where nobody listens.
    pub fn queues_at(&self, address: &str) -> SqsQueues {
        SqsQueues::new(sqs_at(address), self.urls(), self.bodies())
    }

    pub fn letters(&self) -> Letters {
        Letters::new(self.sqs(), self.bodies())
    }

    pub fn urls(&self) -> QueueUrls {
        let url = |name: &str| Some(format!("{}/1/{name}", self.address));
        QueueUrls {
            conversation: url("conversation.fifo"),
            deliveries: url("deliveries"),
            crm_sync: url("crm-sync"),
            turns: url("turns"),
            receipts: url("receipts"),
        }
    }
}

/// A client that tries once: the tests count requests.
fn sqs_at(address: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder().region(Region::new("us-east-1"));
    let config = config.behavior_version(BehaviorVersion::latest()).endpoint_url(address);
    let config = config.retry_config(RetryConfig::disabled());
    let config = config.credentials_provider(Credentials::new("local", "local", None, None, "test"));
    aws_sdk_sqs::Client::from_conf(config.build())
}

async fn serve(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match headers.get("x-amz-target") {
        Some(target) => sqs(&inner, target.to_str().unwrap(), &body).await,
        None => s3(&inner, &method, &uri, &headers, body),
    }
}

async fn sqs(inner: &Inner, target: &str, body: &[u8]) -> Response {
    let action = target.strip_prefix("AmazonSQS.").unwrap().to_owned();
    let request = Request { action, body: serde_json::from_slice(body).unwrap() };
    inner.requests.lock().unwrap().push(request.clone());
    let now = inner.under_way.fetch_add(1, Ordering::SeqCst) + 1;
    inner.most.fetch_max(now, Ordering::SeqCst);
    let (status, body) = (inner.script)(request).await;
    inner.under_way.fetch_sub(1, Ordering::SeqCst);
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Body::from(body.to_string())).unwrap()
}

fn s3(inner: &Inner, method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Response {
    if let Some(status) = *inner.broken.lock().unwrap() {
        return s3_error(status, "InternalError");
    }
    let mut objects = inner.objects.lock().unwrap();
    let key = uri.path().strip_prefix("/bodies").unwrap().trim_start_matches('/').to_owned();
    match method.as_str() {
        "GET" if key.is_empty() => list(&objects),
        "GET" => match objects.get(&key) {
            Some(bytes) => Response::new(Body::from(bytes.clone())),
            None => s3_error(404, "NoSuchKey"),
        },
        "PUT" if headers.contains_key("if-none-match") && objects.contains_key(&key) => {
            s3_error(412, "PreconditionFailed")
        }
        "PUT" => {
            objects.insert(key, body);
            Response::default()
        }
        "DELETE" => {
            objects.remove(&key);
            Response::builder().status(StatusCode::NO_CONTENT).body(Body::empty()).unwrap()
        }
        other => panic!("{other} {uri}"),
    }
}

/// All of the bucket in one page; each key is a second younger than the one after it.
fn list(objects: &BTreeMap<String, Bytes>) -> Response {
    let item = |(place, (key, bytes)): (usize, (&String, &Bytes))| {
        let (second, size) = (59 - place, bytes.len());
        format!(
            "<Contents><Key>{key}</Key><Size>{size}</Size>\
             <LastModified>2026-11-20T10:00:{second:02}.000Z</LastModified></Contents>"
        )
    };
    let items: String =
        objects.iter().filter(|(key, _)| key.starts_with("parked/")).enumerate().map(item).collect();
    Response::new(Body::from(format!("<ListBucketResult>{items}</ListBucketResult>")))
}

fn s3_error(status: u16, code: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>no: {WORDS}</Message></Error>");
    Response::builder().status(status).body(Body::from(body)).unwrap()
}

pub fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

pub fn session(name: &str) -> SessionId {
    SessionId(derive("test", &[name]))
}

pub fn poke(n: usize) -> Job {
    Job::Deliver { org: org(), session: session(&n.to_string()) }
}

pub fn wrote(text: &str) -> Command {
    Command::CustomerWrote(CustomerMessage {
        source: "wamid.1".to_owned(),
        kind: Kind::Text,
        text: text.to_owned(),
        at: Timestamp::UNIX_EPOCH,
        customer: CustomerAddress::Whatsapp { user_id: Some("US.1".to_owned()), phone: None },
        name: None,
    })
}

/// What a customer wrote, under a key if there is one.
pub fn fact(lane: &str, key: Option<&str>, text: &str) -> Job {
    let envelope = Envelope {
        org: org(),
        target: Target::Session(session(lane)),
        key: key.map(str::to_owned),
        command: wrote(text),
        at: Timestamp::UNIX_EPOCH,
    };
    Job::Command { lane: lane.to_owned(), envelope: Box::new(envelope) }
}
