//! A stand-in for Meta's Graph API: it records every attempt to send and what reached a customer, and fails on request.

use std::collections::HashMap;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Json, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::wait::until;
use super::whatsapp::Customer;

/// What goes wrong with a send.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Refused with this HTTP status and Meta's code; the customer gets nothing.
    Code(u16, i64),
    /// 500 without a word; the customer gets nothing.
    BrokenBefore,
    /// 500 without a word, though the customer got it.
    BrokenAfter,
    /// The customer got it, and the connection is cut before an answer.
    CutAfter,
    /// No answer, ever; the customer got it.
    HangAfter,
    /// No answer, ever; the customer gets nothing.
    HangBefore,
    /// The answer comes this late; the customer got it at once.
    Slow(Duration),
}

/// One attempt to send.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When it came in.
    pub at: Instant,
    /// The sending number's id, from the path.
    pub line: String,
    /// `to` or `recipient`: where it goes.
    pub to: String,
    /// Which of the two it was.
    pub by: &'static str,
    /// The words.
    pub text: String,
    /// `biz_opaque_callback_data`.
    pub callback: String,
    /// The id under which it went out, whether or not the sender was told.
    pub wamid: String,
    /// Whether the customer got it.
    pub reached: bool,
}

#[derive(Default)]
struct Records {
    sent: Vec<Sent>,
    faults: HashMap<String, Vec<Fault>>,
}

/// The stand-in.
#[derive(Clone)]
pub struct Graph {
    /// Its address.
    pub url: String,
    token: String,
    records: Arc<Mutex<Records>>,
}

impl Graph {
    /// Starts one that accepts this access token.
    pub async fn start(token: &str) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), token)
    }

    /// Starts one on a socket that is bound already.
    pub fn on(listener: TcpListener, token: &str) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let graph = Self { url, token: token.to_owned(), records: Arc::default() };
        let routes = Router::new()
            .route("/{number}/messages", post(unversioned))
            .route("/{version}/{number}/messages", post(versioned))
            .route("/{version}/{number}", get(number))
            .with_state(graph.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        graph
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap()
    }

    /// The next sends to this customer go wrong like this, one fault a send.
    pub fn fail(&self, customer: &Customer, faults: &[Fault]) {
        self.records().faults.entry(customer.address()).or_default().extend_from_slice(faults);
    }

    /// Every attempt to send to this customer, whatever came of it.
    pub fn attempts(&self, customer: &Customer) -> Vec<Sent> {
        self.records().sent.iter().filter(|sent| sent.to == customer.address()).cloned().collect()
    }

    /// What this customer has on their phone, in order.
    pub fn received(&self, customer: &Customer) -> Vec<Sent> {
        self.attempts(customer).into_iter().filter(|sent| sent.reached).collect()
    }

    /// The words of what this customer has on their phone.
    pub fn texts(&self, customer: &Customer) -> Vec<String> {
        self.received(customer).into_iter().map(|sent| sent.text).collect()
    }

    /// How many attempts there were, to anybody.
    pub fn count(&self) -> usize {
        self.records().sent.len()
    }

    /// Waits until the customer has so many messages, and returns them. More are an error.
    pub async fn until_received(&self, customer: &Customer, count: usize) -> Vec<Sent> {
        let what = format!("the customer has {count} messages");
        let received = until(&what, || Some(self.received(customer)).filter(|r| r.len() >= count)).await;
        assert_eq!(received.len(), count, "the customer got more than {count} messages");
        received
    }

    /// Waits for this many attempts to reach the customer.
    pub async fn until_attempted(&self, customer: &Customer, count: usize) -> Vec<Sent> {
        let what = format!("{count} attempts to reach the customer");
        until(&what, || Some(self.attempts(customer)).filter(|a| a.len() >= count)).await
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        given == Some(&format!("Bearer {}", self.token))
    }

    async fn take(&self, line: String, headers: &HeaderMap, body: &Value) -> Response {
        if !self.knows(headers) {
            return refused(401, 190);
        }
        if body["status"] == "read" {
            return Json(json!({"success": true})).into_response();
        }
        let Some(mut sent) = read(line, body) else { return refused(400, 100) };
        let fault = self.record(&mut sent);
        self.answer(&sent, fault).await
    }

    /// Writes the attempt down, and says what goes wrong with it.
    fn record(&self, sent: &mut Sent) -> Option<Fault> {
        let mut records = self.records();
        let faults = records.faults.entry(sent.to.clone()).or_default();
        let fault = if faults.is_empty() { None } else { Some(faults.remove(0)) };
        sent.reached = !matches!(fault, Some(Fault::Code(..) | Fault::BrokenBefore | Fault::HangBefore));
        sent.wamid = format!("wamid.OUT{:08x}{:06}", std::process::id(), records.sent.len());
        records.sent.push(sent.clone());
        fault
    }

    async fn answer(&self, sent: &Sent, fault: Option<Fault>) -> Response {
        match fault {
            Some(Fault::Code(status, code)) => return refused(status, code),
            Some(Fault::BrokenBefore | Fault::BrokenAfter) => {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            // Ends the connection's task without a word: the peer sees its connection close.
            Some(Fault::CutAfter) => resume_unwind(Box::new("the stand-in cuts the connection")),
            Some(Fault::HangAfter | Fault::HangBefore) => pending().await,
            Some(Fault::Slow(late)) => {
                let _ = tokio::time::timeout(late, pending::<()>()).await;
            }
            None => {}
        }
        let whom = if sent.by == "to" { "wa_id" } else { "user_id" };
        Json(json!({"messaging_product": "whatsapp",
            "contacts": [{"input": sent.to, whom: sent.to.trim_start_matches('+')}],
            "messages": [{"id": sent.wamid}]}))
        .into_response()
    }
}

async fn versioned(
    State(graph): State<Graph>,
    Path((_, line)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    graph.take(line, &headers, &body).await
}

/// What is known of a number: that it is there.
async fn number(
    State(graph): State<Graph>,
    Path((_, number)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if graph.knows(&headers) { Json(json!({"id": number})).into_response() } else { refused(401, 190) }
}

async fn unversioned(
    State(graph): State<Graph>,
    Path(line): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    graph.take(line, &headers, &body).await
}

/// A send that Meta would take: a text of 1 to 4096 characters to a number with `+`, or to a user id, not to both.
fn read(line: String, body: &Value) -> Option<Sent> {
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let words = body["text"]["body"].as_str()?;
    let fits = (1..=4096).contains(&words.encode_utf16().count());
    if body["messaging_product"] != "whatsapp" || body["type"] != "text" || !fits {
        return None;
    }
    let (to, by) = match (text("to"), text("recipient")) {
        (Some(to), None) if to.starts_with('+') => (to, "to"),
        (None, Some(recipient)) => (recipient, "recipient"),
        (_, _) => return None,
    };
    let callback = text("biz_opaque_callback_data").filter(|data| data.len() <= 512)?;
    let (at, wamid) = (Instant::now(), String::new());
    Some(Sent { at, line, to, by, text: words.to_owned(), callback, wamid, reached: true })
}

fn refused(status: u16, code: i64) -> Response {
    let error = json!({"error": {"message": format!("(#{code}) refused"), "type": "OAuthException", "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "The stand-in was told to refuse this."},
        "fbtrace_id": "AStandIn"}});
    (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
}
