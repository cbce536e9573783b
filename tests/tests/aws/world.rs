//! A deployed line whose functions are driven by the test alone: their processes, their proxies, one clock for all of
//! them, the vendors around, and what customers, reps and Meta do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::calls::{Call, Names};
use super::creatio::Creatio;
use super::emulator::Emulator;
use super::event_source::{Hidden, Source};
use super::graph::Graph;
use super::model::Model;
use super::proxy::Proxy;
use super::runtime_api::{Function, Outcome};

/// One event and the calls that its function made for it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Which function.
    pub function: &'static str,
    /// What it was called with, in a word.
    pub trigger: String,
    /// What it asked for outside, in order.
    pub calls: Vec<Call>,
}

/// A function and what stands between it and everything else.
pub struct Worker {
    /// The function.
    pub function: Function,
    /// Its way out.
    pub proxy: Proxy,
    /// Its time-out in the template.
    pub left: Duration,
}

/// The stand-ins for the vendors.
pub struct Vendors {
    /// WhatsApp.
    pub graph: Graph,
    /// The model.
    pub model: Model,
    /// The CRM.
    pub creatio: Creatio,
}

/// A line that only moves when it is told to.
pub struct World {
    /// Whom it talks to.
    pub vendors: Vendors,
    /// The functions by name.
    pub workers: BTreeMap<&'static str, Worker>,
    /// What feeds them.
    pub sources: Vec<Source>,
    /// The queues that were sent to since they were last empty.
    pub sent_to: BTreeSet<String>,
    /// The queues on which something was put that may be read only later.
    pub delayed: Vec<String>,
    /// Records that come back later.
    pub hidden: Vec<Hidden>,
    /// For how many seconds every clock is ahead of the machine's.
    pub ahead: i64,
    /// Every event since this was last emptied.
    pub history: Vec<Event>,
    /// A function that is told that it has only so little time.
    pub hurry: Option<(&'static str, Duration)>,
    /// A function whose clock is so many seconds behind the others'.
    pub late: Option<(&'static str, i64)>,
    /// A planted mistake: records are removed although the process that had them ended.
    pub forgets_the_killed: bool,
    /// What the template calls the stack's resources.
    pub names: Arc<Names>,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The bucket.
    pub s3: aws_sdk_s3::Client,
    _emulator: Emulator,
    _logs: TempDir,
}

/// The functions: the name that each bears in the template, and everywhere else.
pub const FUNCTIONS: [(&str, &str); 8] = [
    ("WhatsappIngress", "whatsapp-ingress"),
    ("CreatioWebhook", "creatio-webhook"),
    ("Conversation", "conversation"),
    ("Agent", "agent"),
    ("Delivery", "delivery"),
    ("Receipts", "receipts"),
    ("CrmSync", "crm-sync"),
    ("AutoResolve", "auto-resolve"),
];

/// The functions that answer requests and nothing else.
const OF_THE_GATEWAY: [&str; 2] = ["whatsapp-ingress", "creatio-webhook"];

/// Enough to begin with a record, too little to begin a send.
const SHORT_OF_TIME: Duration = Duration::from_secs(12);

/// More tries than a webhook needs when one of them is struck.
const TRIES: usize = 4;

impl World {
    /// A line whose functions have not been called yet.
    pub fn new(
        vendors: Vendors,
        workers: BTreeMap<&'static str, Worker>,
        sources: Vec<Source>,
        names: Arc<Names>,
        emulator: Emulator,
        logs: TempDir,
    ) -> Self {
        let config = &emulator.config;
        // Emulators have no names for buckets.
        let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
        Self {
            vendors,
            workers,
            sources,
            names,
            sent_to: BTreeSet::new(),
            delayed: Vec::new(),
            hidden: Vec::new(),
            ahead: 0,
            history: Vec::new(),
            hurry: None,
            late: None,
            forgets_the_killed: false,
            sqs: aws_sdk_sqs::Client::new(config),
            dynamodb: aws_sdk_dynamodb::Client::new(config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            _emulator: emulator,
            _logs: logs,
        }
    }

    /// Hands one event to a function and writes down what it did.
    pub async fn invoke(&mut self, function: &'static str, trigger: &str, event: Value) -> Outcome {
        let worker = &self.workers[function];
        let left =
            self.hurry.take_if(|(hurried, _)| *hurried == function).map_or(worker.left, |(_, left)| left);
        let late = self.late.filter(|(late, _)| *late == function).map_or(0, |(_, seconds)| seconds);
        let outcome = worker.function.invoke(event, left, self.ahead - late).await;
        let died = matches!(outcome, Outcome::Died);
        let by_itself = died && !worker.proxy.ended_it();
        assert!(!by_itself, "{function} ended by itself:\n{}", worker.function.last_words());
        let calls = worker.proxy.take_calls();
        self.sent_to.extend(calls.iter().filter_map(|call| call.sends_to.clone()));
        let delayed = calls.iter().filter(|call| call.is_delayed);
        self.delayed.extend(delayed.filter_map(|call| call.sends_to.clone()));
        self.history.push(Event { function, trigger: trigger.to_owned(), calls });
        outcome
    }

    /// A minute of the schedule.
    pub async fn tick(&mut self) {
        let event = json!({"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}});
        let outcome = self.invoke("auto-resolve", "minute", event).await;
        assert!(!matches!(outcome, Outcome::Failed(_)), "the minute failed: {outcome:?}");
    }

    /// Ends every process: the next event of each meets one that has just started.
    pub async fn start_afresh(&self) {
        for worker in self.workers.values() {
            worker.function.end().await;
        }
    }

    /// Time passes: every clock is moved on. Processes read theirs at their start, so all are started anew.
    pub async fn pass(&mut self, seconds: i64) {
        self.ahead += seconds;
        self.start_afresh().await;
    }

    /// An operator asks every function that can be asked whether it could work.
    pub async fn check(&mut self) {
        for (_, function) in FUNCTIONS.iter().filter(|(_, name)| !OF_THE_GATEWAY.contains(name)) {
            let question = json!({"switchboard": "check", "orgs": ["acme"]});
            match self.invoke(function, "check", question).await {
                Outcome::Answered(answer) => assert_eq!(answer["ok"], true, "{function}: {answer}"),
                Outcome::Failed(error) => panic!("{function}: {error}"),
                Outcome::Died => {}
            }
        }
    }

    /// A function has only time for what it has begun already, until this is taken back.
    pub fn is_short_of_time(&mut self, function: &'static str) {
        self.hurry = Some((function, SHORT_OF_TIME));
    }

    /// The time by the world's clock, in seconds since 1970.
    pub fn now(&self) -> i64 {
        super::whatsapp::now() + self.ahead
    }

    /// A request through the gateway. `None` when the function's process ended over it.
    pub async fn request(&mut self, request: &Request) -> Option<u16> {
        let trigger = format!("{} {}", request.method, request.route);
        match self.invoke(request.function, &trigger, request.event(self.now())).await {
            Outcome::Answered(answer) => answer["statusCode"].as_u64().and_then(|code| code.try_into().ok()),
            Outcome::Failed(error) => panic!("{}: {error}", request.function),
            Outcome::Died => None,
        }
    }

    /// A request that its sender repeats until it is taken, as Meta does.
    pub async fn insist(&mut self, request: &Request) {
        for _ in 0..TRIES {
            if self.request(request).await == Some(200) {
                return;
            }
        }
        panic!("{} {} is not taken:\n{}", request.method, request.route, self.last_words(request.function));
    }

    /// Everything that all functions wrote.
    pub fn said(&self) -> String {
        self.workers.values().map(|worker| worker.function.said()).collect()
    }

    /// The end of what a function wrote.
    pub fn last_words(&self, function: &str) -> String {
        self.workers[function].function.last_words()
    }
}

/// A request as the gateway hands it on.
pub struct Request {
    /// Which function.
    pub function: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path of the route.
    pub route: &'static str,
    /// The path.
    pub path: String,
    /// What stands behind the question mark.
    pub query: String,
    /// Headers, their names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// Payload format 2.0: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
    fn event(&self, now: i64) -> Value {
        let headers: BTreeMap<&str, &str> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let route = format!("{} {}", self.method, self.route);
        json!({
            "version": "2.0", "routeKey": route, "rawPath": self.path, "rawQueryString": self.query,
            "headers": headers, "isBase64Encoded": false, "body": self.body,
            "requestContext": {
                "accountId": "000000000000", "apiId": "any", "domainName": "any.execute-api.invalid",
                "domainPrefix": "any", "requestId": "any", "routeKey": route, "stage": "$default",
                "time": "20/Nov/2026:12:00:00 +0000", "timeEpoch": now * 1000,
                "http": {"method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                    "userAgent": "a test"}
            }
        })
    }
}
