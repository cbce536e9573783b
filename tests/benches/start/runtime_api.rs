//! The part of Lambda's Runtime API that a function sees until its first event, which never comes.
//!
//! Paths and headers: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> and
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>.

use std::sync::Arc;

use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a function told us first.
pub enum Told {
    /// It asks for its first event: the start is over.
    Ready,
    /// It reported that it cannot start, with this.
    Failed(String),
}

/// The server, for one started function at a time.
pub struct RuntimeApi {
    /// `host:port`, as Lambda sets it in `AWS_LAMBDA_RUNTIME_API`.
    pub address: String,
    told: Arc<Mutex<UnboundedReceiver<Told>>>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback address.
    pub async fn start() -> Self {
        let (tell, told) = unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        tokio::spawn(async move { axum::serve(listener, router(tell)).await });
        Self { address, told: Arc::new(Mutex::new(told)) }
    }

    /// Waits for the first word of the function that was just started.
    pub async fn told(&self) -> Told {
        self.told.lock().await.recv().await.expect("the server runs as long as we do")
    }
}

fn router(tell: UnboundedSender<Told>) -> Router {
    let ready = tell.clone();
    let next = move || async move {
        drop(ready.send(Told::Ready));
        // Lambda freezes the process here.
        std::future::pending::<()>().await;
    };
    let failed = move |body: String| async move {
        drop(tell.send(Told::Failed(body)));
        Json(json!({"status": "OK"}))
    };
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/init/error", post(failed))
        .route("/2020-01-01/extension/register", post(registered))
        .route("/2020-01-01/extension/event/next", get(std::future::pending::<()>))
}

/// A function that wants to be told of its end registers as an extension of itself.
async fn registered() -> ([(&'static str, &'static str); 1], Json<Value>) {
    let answer = json!({"functionName": "bench", "functionVersion": "$LATEST", "handler": "bootstrap"});
    ([("Lambda-Extension-Identifier", "bench")], Json(answer))
}
