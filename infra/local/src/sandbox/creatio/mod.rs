//! A Creatio site of our own: OAuth, OData v4 with the habits of a real site, a rep who works in it, and the business
//! processes that call the line's webhook.
//!
//! It follows Creatio's developer documentation (academy.creatio.com) and what integrators report of live sites, and
//! shares no code with the adapter that it tests. Its rows are in memory and, given a folder, in a journal that
//! survives a killed process: what it answered is written.
//!
//! Faults (`POST /__sandbox/faults`): `unauthorized`, `forbidden`, `login_html`, `login_redirect`, `html_500`,
//! `routing_200`, `throttle`, `unavailable`, `hang_up`, `written_then_500`, `written_then_hang_up`, `delay`,
//! `webhook_lost`.

mod control;
mod desk;
mod faults;
mod filter;
mod odata;
mod process;
mod query;
mod records;
mod refusal;
mod rep;
mod schema;
mod store;
mod token;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use secrecy::SecretString;

use self::faults::Faults;
use self::process::Hook;
use self::store::Store;
use self::token::Application;
use super::local_only::local_only;

/// The site.
pub struct CreatioSandbox {
    application: Application,
    hook: Hook,
    faults: Faults,
    store: Mutex<Store>,
}

impl CreatioSandbox {
    /// Opens the site, with what its folder holds; without a folder it forgets everything with the process. Fails when
    /// the folder cannot be used or holds something else.
    pub fn new(
        folder: Option<PathBuf>,
        client_id: &str,
        client_secret: SecretString,
        webhook_url: &str,
    ) -> io::Result<Self> {
        Ok(Self {
            application: Application::new(client_id, client_secret),
            hook: Hook::new(webhook_url)?,
            faults: Faults::default(),
            store: Mutex::new(Store::open(folder)?),
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The site's addresses, to be mounted anywhere.
pub fn router(sandbox: Arc<CreatioSandbox>) -> Router {
    let data = Router::new()
        .route("/0/odata", get(odata::sets))
        .route("/0/odata/", get(odata::sets))
        .route(
            "/0/odata/{target}",
            get(odata::read).post(odata::create).patch(odata::change).delete(odata::delete),
        )
        .layer(from_fn_with_state(sandbox.clone(), odata::gate));
    let tokens = Router::new()
        .route("/connect/token", post(token::grant))
        .route("/0/connect/token", post(token::grant));
    let steering = Router::new()
        .route(
            "/__sandbox/faults",
            get(control::faults).post(control::add_faults).delete(control::clear_faults),
        )
        .route("/__sandbox/expire-tokens", post(control::expire_tokens))
        .route("/__sandbox/rep/reply", post(control::reply))
        .route("/__sandbox/rep/close", post(control::close))
        .route("/__sandbox/cases", get(control::cases))
        .layer(from_fn(local_only));
    data.merge(tokens)
        .layer(from_fn_with_state(sandbox.clone(), faults::spoil))
        .merge(steering)
        .route("/0/api/HealthCheck/Ping", get(|| async { "OK" }))
        // This site runs on .NET Framework, so there is nothing here.
        .route("/odata/{*rest}", any(|| async { refusal::page(StatusCode::NOT_FOUND) }))
        .with_state(sandbox)
}

#[cfg(test)]
mod tests;
