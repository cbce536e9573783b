//! The page on which one plays the customer and the rep and watches the line between them.
//!
//! It acts as a customer's phone and as a rep's browser only, never on the line itself: what is written here reaches
//! the line through the vendors' sandboxes and their signed webhooks. It shows whole conversations, so it answers
//! this machine only.

pub mod acts;
pub mod desk;
mod html;
mod page;
mod transcript;
pub mod views;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};

pub use self::desk::CaseDesk;
pub use self::views::SessionView;

use crate::sandbox::local_only::local_only;
use crate::sandbox::whatsapp::WhatsAppSandbox;

/// Only what this server itself serves, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the page works with.
pub struct PlaygroundContext {
    /// The number the customer writes to, as people read it.
    pub display_number: String,
    /// The customer's side; `None` when WhatsApp is the real one.
    pub whatsapp: Option<Arc<WhatsAppSandbox>>,
    /// The rep's side; `None` when the CRM is the real one.
    pub cases: Option<Arc<dyn CaseDesk>>,
    /// What the line made of it.
    pub transcript: Arc<dyn TranscriptSource>,
}

/// Where sessions are read. It only reads.
#[async_trait]
pub trait TranscriptSource: Send + Sync {
    /// The sessions with the newest activity, newest first. The page needs some dozens, not all.
    async fn sessions(&self) -> Vec<SessionView>;

    /// One session, however old.
    async fn session(&self, id: &str) -> Option<SessionView> {
        self.sessions().await.into_iter().find(|session| session.id == id)
    }
}

/// The page, its data, and the transcript behind "View session".
pub fn router(context: Arc<PlaygroundContext>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/sessions/{id}", get(transcript::show))
        .route("/playground/playground.css", get(html::style))
        .route("/playground/playground.js", get(html::script))
        .route("/playground/icon.svg", get(html::icon))
        .route("/playground/state", get(acts::state))
        .route("/playground/customer", post(acts::customer))
        .route("/playground/reply", post(acts::reply))
        .route("/playground/close", post(acts::close))
        .layer(from_fn(local_only))
        .layer(from_fn(guarded))
        .with_state(context)
}

/// Says on every answer, refusals included, what a browser may do with it.
async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &'static str); 5] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests;
