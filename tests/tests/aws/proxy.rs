//! Stands between one function's process and everything outside it: writes each call down, and ends the process before
//! a call goes out or after its answer came back.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::calls::{Call, Names, Right};
use super::runtime_api::Alive;

/// On which side of a call the process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The call does not go out.
    Before,
    /// The call was answered, and the process never hears it.
    After,
}

/// An order to end the process.
#[derive(Clone, Debug)]
pub struct Strike {
    /// At which calls.
    pub what: String,
    /// At the how-many-th of them from now on, beginning with 1.
    pub nth: usize,
    /// On which side.
    pub side: Side,
}

/// What is behind an address of the proxy.
#[derive(Clone, Debug)]
enum Behind {
    Aws(Arc<Names>),
    Vendor(&'static str),
}

#[derive(Default)]
struct Book {
    calls: Vec<Call>,
    count: usize,
    needed: BTreeSet<Right>,
    ordered: Option<Strike>,
    struck: bool,
    unannounced: bool,
}

/// The proxy of one function.
#[derive(Clone)]
pub struct Proxy {
    book: Arc<Mutex<Book>>,
    alive: Alive,
    client: reqwest::Client,
}

/// One of its addresses.
#[derive(Clone)]
struct Door {
    proxy: Proxy,
    behind: Behind,
    upstream: String,
}

impl Proxy {
    /// A proxy that ends what is alive there.
    pub fn new(alive: Alive) -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { book: Arc::default(), alive, client: client.build().unwrap() }
    }

    /// Opens an address that leads to AWS.
    pub async fn to_aws(&self, upstream: &str, names: Arc<Names>) -> String {
        self.open(upstream, Behind::Aws(names)).await
    }

    /// Opens an address that leads to a vendor.
    pub async fn to_vendor(&self, upstream: &str, vendor: &'static str) -> String {
        self.open(upstream, Behind::Vendor(vendor)).await
    }

    async fn open(&self, upstream: &str, behind: Behind) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let door = Door { proxy: self.clone(), behind, upstream: upstream.trim_end_matches('/').to_owned() };
        let routes = Router::new().fallback(pass).with_state(door);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    /// Orders the end of the process.
    pub fn order(&self, strike: Strike) {
        let mut book = self.book();
        (book.ordered, book.struck) = (Some(strike), false);
    }

    /// Takes back what was ordered and did not happen, and says whether it happened.
    pub fn call_off(&self) -> bool {
        let mut book = self.book();
        book.ordered = None;
        book.struck
    }

    /// Whether a process ended because of this proxy since this was last asked.
    pub fn ended_it(&self) -> bool {
        std::mem::take(&mut self.book().unannounced)
    }

    /// The calls since this was last asked.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.book().calls)
    }

    /// How many calls there were.
    pub fn count(&self) -> usize {
        self.book().count
    }

    /// All that a role had to permit so far.
    pub fn needed(&self) -> BTreeSet<Right> {
        self.book().needed.clone()
    }

    async fn end(&self) -> ! {
        let life = self.alive.lock().unwrap().clone();
        if let Some(life) = life {
            life.end().await;
        }
        cut()
    }
}

impl Book {
    /// Writes a call down and says on which side of it the process ends, if it does.
    fn note(&mut self, call: Call) -> Option<Side> {
        self.count += 1;
        self.needed.extend(call.needs.iter().cloned());
        let due = self.ordered.as_mut().filter(|strike| strike.what == call.what).and_then(|strike| {
            strike.nth -= 1;
            (strike.nth == 0).then_some(strike.side)
        });
        if due.is_some() {
            (self.ordered, self.struck, self.unannounced) = (None, true, true);
        }
        // What does not go out has no effect.
        let call = if due == Some(Side::Before) { Call { what: call.what, ..Call::default() } } else { call };
        self.calls.push(call);
        due
    }
}

/// Ends the connection's task without a word: the peer sees its connection close.
fn cut() -> ! {
    resume_unwind(Box::new("the proxy cuts the connection"))
}

async fn pass(State(door): State<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let call = match &door.behind {
        Behind::Aws(names) => Call::to_aws(names, &parts.method, &parts.uri, &parts.headers, &body),
        Behind::Vendor(vendor) => Call::to_vendor(vendor, &parts.method, &parts.uri),
    };
    let due = door.proxy.book().note(call);
    match due {
        Some(Side::Before) => door.proxy.end().await,
        Some(Side::After) => {
            // What the other side did stays done; only the answer is lost.
            drop(door.forward(parts, body).await);
            door.proxy.end().await
        }
        None => door.forward(parts, body).await.unwrap_or_else(|| cut()),
    }
}

impl Door {
    /// The other side's answer, whole; `None` when it cut the connection.
    async fn forward(&self, parts: Parts, body: Bytes) -> Option<Response> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self.proxy.client.request(parts.method, format!("{}{path}", self.upstream));
        let answer = request.headers(kept(&parts.headers)).body(body).send().await.ok()?;
        let (status, headers) = (answer.status(), kept(answer.headers()));
        let body = answer.bytes().await.ok()?;
        Some((status, headers, Body::from(body)).into_response())
    }
}

/// What belongs to one connection, and lengths, are set anew on the next. The host's name stays: it is signed.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH, header::EXPECT] {
        kept.remove(name);
    }
    kept
}

#[tokio::test]
async fn a_call_that_is_struck_before_does_not_go_out_and_one_that_is_struck_after_does() {
    let graph = super::graph::Graph::start("any").await;
    let proxy = Proxy::new(Alive::default());
    let url = format!("{}/messages", proxy.to_vendor(&graph.url, "whatsapp").await);
    let body = serde_json::json!({"messaging_product": "whatsapp", "type": "text", "to": "+12025550100",
        "text": {"body": "Hello"}, "biz_opaque_callback_data": "any"});
    let send = || {
        super::program::client()
            .post(url.replace("/messages", "/1/messages"))
            .bearer_auth("any")
            .json(&body)
            .send()
    };
    for (side, reached) in [(Side::Before, 1), (Side::After, 3)] {
        proxy.order(Strike { what: "whatsapp POST messages".to_owned(), nth: 2, side });
        assert_eq!(send().await.unwrap().status(), 200);
        assert!(!proxy.ended_it());
        assert!(send().await.is_err(), "{side:?}");
        assert_eq!((proxy.call_off(), proxy.ended_it(), graph.count()), (true, true, reached));
    }
    assert_eq!(proxy.take_calls().len(), 4);
}
