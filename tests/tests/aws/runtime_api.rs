//! Lambda's side of a function: a real program started as a process of its own, fed one event at a time through the
//! Runtime API, and ended without warning.
//!
//! Paths and headers: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::future::pending;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{Mutex as Turnstile, Notify, mpsc, oneshot, watch};

/// How long a process may take to answer an event before the test gives it up as hung: longer than any limit of ours.
const PATIENCE: Duration = Duration::from_secs(60);

/// A function's program and what is set around it.
pub struct Program {
    /// The name of the function: its folder, its package, its binary.
    pub name: &'static str,
    /// The binary.
    pub file: PathBuf,
    /// Its whole environment, but for what this module adds.
    pub environment: BTreeMap<String, String>,
    /// Where everything that it writes is kept.
    pub log: PathBuf,
}

/// What became of an event.
#[derive(Debug)]
pub enum Outcome {
    /// The function's answer.
    Answered(Value),
    /// The function's error.
    Failed(Value),
    /// The process ended before it answered.
    Died,
}

/// An event on its way into the process.
struct Event {
    id: String,
    body: Value,
    left: Duration,
}

/// One process from its start to its end.
pub struct Life {
    mailbox: mpsc::UnboundedSender<Event>,
    inbox: Turnstile<mpsc::UnboundedReceiver<Event>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    kill: Notify,
    ended: watch::Sender<bool>,
}

impl Life {
    fn new() -> Self {
        let (mailbox, inbox) = mpsc::unbounded_channel();
        let (ended, _) = watch::channel(false);
        let (inbox, answers, kill) = (Turnstile::new(inbox), Mutex::default(), Notify::new());
        Self { mailbox, inbox, answers, kill, ended }
    }

    /// Ends the process as a power cut would (SIGKILL), and returns when it is gone.
    pub async fn end(&self) {
        self.kill.notify_one();
        self.until_ended().await;
    }

    async fn until_ended(&self) {
        let mut ended = self.ended.subscribe();
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

/// The process that is alive, for whoever may have to end it.
pub type Alive = Arc<Mutex<Option<Arc<Life>>>>;

/// One function: at most one process at a time, kept warm until it is ended.
pub struct Function {
    /// What is started.
    pub program: Program,
    /// The process that runs now.
    pub alive: Alive,
    address: String,
    events: AtomicUsize,
    starts: AtomicUsize,
}

impl Function {
    /// Prepares the Runtime API for a program. Nothing is started before the first event.
    pub async fn new(program: Program, alive: Alive) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes = routes(alive.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { program, alive, address, events: AtomicUsize::new(0), starts: AtomicUsize::new(0) }
    }

    /// Hands the event to the process, and starts one if none is there whose clock is so many seconds ahead. `left` is
    /// the time that the function is told it has.
    pub async fn invoke(&self, body: Value, left: Duration, ahead: i64) -> Outcome {
        let life = self.alive(ahead);
        let id = format!("{}-{}", self.program.name, self.events.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        life.answers.lock().unwrap().insert(id.clone(), answer);
        life.mailbox.send(Event { id, body, left }).unwrap();
        let outcome = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                biased;
                Ok(outcome) = answered => outcome,
                () = life.until_ended() => Outcome::Died,
            }
        });
        let Ok(outcome) = outcome.await else {
            panic!("{} did not answer within {PATIENCE:?}:\n{}", self.program.name, self.last_words());
        };
        if matches!(outcome, Outcome::Died) {
            *self.alive.lock().unwrap() = None;
        }
        outcome
    }

    /// Ends the process, if there is one: the next event meets a new one with a new clock and empty caches.
    pub async fn end(&self) {
        let life = self.alive.lock().unwrap().take();
        if let Some(life) = life {
            life.end().await;
        }
    }

    /// How many processes were started, and how many events they were given.
    pub fn counts(&self) -> (usize, usize) {
        (self.starts.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }

    /// Everything that its processes wrote.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.program.log).unwrap_or_default()).into_owned()
    }

    /// The end of what its processes wrote.
    pub fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn alive(&self, ahead: i64) -> Arc<Life> {
        let mut alive = self.alive.lock().unwrap();
        alive.get_or_insert_with(|| self.start(ahead)).clone()
    }

    fn start(&self, ahead: i64) -> Arc<Life> {
        let mut command = Command::new(&self.program.file);
        command.env_clear().envs(&self.program.environment);
        command.env("AWS_LAMBDA_RUNTIME_API", &self.address);
        command.env("AWS_LAMBDA_FUNCTION_NAME", self.program.name);
        command.env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST").env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256");
        command.env("SWITCHBOARD_CLOCK_AHEAD_SECONDS", ahead.to_string());
        command.stdin(Stdio::null()).stdout(self.log()).stderr(self.log()).kill_on_drop(true);
        self.starts.fetch_add(1, Ordering::Relaxed);
        let file = self.program.file.display();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{file} cannot be started: {error}"));
        let life = Arc::new(Life::new());
        let watched = life.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = child.wait() => {}
                () = watched.kill.notified() => child.kill().await.unwrap(),
            }
            watched.ended.send_replace(true);
        });
        life
    }

    fn log(&self) -> File {
        OpenOptions::new().create(true).append(true).open(&self.program.log).unwrap()
    }
}

fn routes(alive: Alive) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(accepted))
        .route("/2020-01-01/extension/register", post(registered))
        .route("/2020-01-01/extension/event/next", get(pending::<()>))
        .with_state(alive)
}

fn life(alive: &Alive) -> Option<Arc<Life>> {
    let alive: MutexGuard<'_, Option<Arc<Life>>> = alive.lock().unwrap();
    alive.clone()
}

async fn next(State(alive): State<Alive>) -> Response {
    let Some(life) = life(&alive) else { return StatusCode::GONE.into_response() };
    let event = life.inbox.lock().await.recv().await;
    let Some(event) = event else { return StatusCode::GONE.into_response() };
    let ends = SystemTime::now() + event.left;
    let ends = ends.duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", event.id),
        ("lambda-runtime-deadline-ms", ends),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:000000000000:function:any".to_owned(),
        ),
    ];
    (headers, event.body.to_string()).into_response()
}

async fn response(state: State<Alive>, Path(id): Path<String>, body: Bytes) -> Response {
    done(&state, &id, Outcome::Answered(serde_json::from_slice(&body).unwrap_or_default()))
}

async fn error(state: State<Alive>, Path(id): Path<String>, body: Bytes) -> Response {
    done(&state, &id, Outcome::Failed(serde_json::from_slice(&body).unwrap_or_default()))
}

fn done(alive: &Alive, id: &str, outcome: Outcome) -> Response {
    let answer = life(alive).and_then(|life| life.answers.lock().unwrap().remove(id));
    if let Some(answer) = answer {
        let _ = answer.send(outcome);
    }
    StatusCode::ACCEPTED.into_response()
}

/// The process says why it cannot start; it stands in its log too, and its end says the rest.
async fn accepted() -> StatusCode {
    StatusCode::ACCEPTED
}

/// A function that wants to be told of its end registers as an extension of itself.
async fn registered() -> Response {
    let headers = [("lambda-extension-identifier", "any"), ("content-type", "application/json")];
    let body = json!({"functionName": "any", "functionVersion": "$LATEST", "handler": "bootstrap"});
    (headers, body.to_string()).into_response()
}
