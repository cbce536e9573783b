//! A WhatsApp Cloud API of our own: businesses send through it, customers write through it, and what happens comes
//! back as signed webhooks until they are answered with 200.
//!
//! It behaves as Meta documents it (developers.facebook.com, WhatsApp Business Platform) and shares no code with
//! the adapter that it tests. Its state is in memory and, given a folder, in a JSON file that survives a killed
//! process: what it acknowledged is written.

mod accept;
mod body;
mod book;
mod check;
mod customers;
mod graph;
mod hooks;
mod messages;
mod store;

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use axum::{Json, Router};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

pub use self::book::ChatView;
pub use self::customers::CustomerError;

use self::book::Book;
use self::store::Store;
use super::faults::{Faults, Order};
use super::local_only::local_only;

/// What can be made to go wrong: with the next send, or, for the duplicate, with the next webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Code 130429: too fast for the number.
    RateLimited,
    /// Code 131056: too fast for this customer.
    PairRate,
    /// Code 190: the token does not count any more.
    TokenRevoked,
    /// HTTP 500, code 131000. Nothing was sent.
    #[serde(rename = "error_500")]
    Error500,
    /// The connection breaks before the message is accepted.
    HangUpBefore,
    /// The message is accepted, its statuses come, but the answer is lost.
    HangUpAfter,
    /// The message is accepted at once and answered so many milliseconds later.
    Slow {
        /// How late.
        ms: u64,
    },
    /// The next webhook comes twice, at the same time.
    DuplicateWebhooks,
    /// The message is accepted, but no status ever comes.
    LostStatuses,
    /// The message is accepted, and its only status is `failed` with this code.
    FailedStatus {
        /// The code.
        code: u32,
    },
}

/// How long after its acceptance a message gets each status.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Until `sent`, and until `failed` where it fails.
    sent: Duration,
    /// Until `delivered`.
    delivered: Duration,
    /// Until `read`.
    read: Duration,
}

/// About as fast as a phone in somebody's hand.
const PACE: Pace = Pace {
    sent: Duration::from_millis(50),
    delivered: Duration::from_millis(300),
    read: Duration::from_millis(1500),
};

/// The sandbox's state and settings.
pub struct WhatsAppSandbox {
    line: Line,
    access_token: SecretString,
    app_secret: SecretString,
    webhook_url: String,
    pace: Pace,
    client: reqwest::Client,
    desk: Mutex<Desk>,
    store: Store,
    changed: Notify,
    faults: Faults<Fault>,
    duplicates: Faults<()>,
}

/// The one business number that this sandbox knows.
struct Line {
    phone_number_id: String,
    /// Digits only, as Meta writes it in webhooks.
    display_number: String,
}

/// What is kept, and which customers' webhooks are on their way just now.
#[derive(Default)]
struct Desk {
    book: Book,
    busy: HashSet<String>,
    /// Rises with every change, so that a save knows what it covers.
    version: u64,
}

impl WhatsAppSandbox {
    /// Opens the sandbox, with what its folder holds. Fails when the folder cannot be used or holds something else.
    pub fn new(
        folder: Option<PathBuf>,
        access_token: SecretString,
        app_secret: SecretString,
        phone_number_id: &str,
        display_number: &str,
        webhook_url: &str,
    ) -> io::Result<Self> {
        let (store, book) = Store::open(folder)?;
        let display_number = display_number.chars().filter(char::is_ascii_digit).collect();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(10))
            // Meta's, so that nobody comes to depend on another.
            .user_agent("facebookexternalua")
            .build()
            .map_err(io::Error::other)?;
        Ok(Self {
            line: Line { phone_number_id: phone_number_id.to_owned(), display_number },
            access_token,
            app_secret,
            webhook_url: webhook_url.to_owned(),
            pace: PACE,
            client,
            desk: Mutex::new(Desk { book, ..Desk::default() }),
            store,
            changed: Notify::new(),
            faults: Faults::none(),
            duplicates: Faults::none(),
        })
    }

    /// The same with another pace of statuses.
    #[cfg(test)]
    #[must_use]
    fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// All chats, the one with the newest message first.
    #[must_use]
    pub fn chats(&self) -> Vec<ChatView> {
        self.desk().book.view(jiff::Timestamp::now())
    }

    /// Makes something go wrong.
    pub fn order(&self, order: &Order<Fault>) {
        match order.fault {
            Fault::DuplicateWebhooks => self.duplicates.add(&Order { fault: (), times: order.times }),
            _ => self.faults.add(order),
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept, and returns once the change is on disk.
    async fn change<T>(&self, work: impl FnOnce(&mut Desk) -> T) -> io::Result<T> {
        let (version, made) = {
            let mut desk = self.desk();
            let made = work(&mut desk);
            desk.version += 1;
            (desk.version, made)
        };
        self.changed.notify_one();
        self.store.save(version, || self.snapshot()).await?;
        Ok(made)
    }

    fn snapshot(&self) -> (u64, serde_json::Result<Vec<u8>>) {
        let desk = self.desk();
        (desk.version, serde_json::to_vec(&desk.book))
    }
}

/// Starts bringing webhooks to the line, until the task is aborted.
pub fn spawn(sandbox: Arc<WhatsAppSandbox>) -> JoinHandle<()> {
    tokio::spawn(hooks::deliver(sandbox))
}

/// The sandbox's addresses.
pub fn router(sandbox: Arc<WhatsAppSandbox>) -> Router {
    let steering = Router::new()
        .route("/__sandbox/customers/{phone}/messages", post(customers::write))
        .route("/__sandbox/chats", get(customers::chats))
        .route("/__sandbox/faults", post(add_fault).delete(clear_faults))
        .layer(from_fn(local_only));
    Router::new()
        .route("/{version}/{phone_number_id}/messages", post(messages::post))
        .merge(steering)
        .with_state(sandbox)
}

async fn add_fault(
    State(sandbox): State<Arc<WhatsAppSandbox>>,
    Json(order): Json<Order<Fault>>,
) -> StatusCode {
    sandbox.order(&order);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(sandbox): State<Arc<WhatsAppSandbox>>) -> StatusCode {
    sandbox.faults.clear();
    sandbox.duplicates.clear();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests;
