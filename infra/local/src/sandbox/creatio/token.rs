//! The Identity Service: client credentials against a token that proves itself, so that a restart voids none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::CreatioSandbox;

/// Seconds that a token lives.
const LIFE: i64 = 3600;

/// The one OAuth application of the site.
pub struct Application {
    client_id: String,
    client_secret: SecretString,
    /// Rises when all tokens are to be void.
    era: AtomicU64,
}

/// A request for a token.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Ask {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

impl Application {
    /// An application with these credentials.
    pub fn new(client_id: &str, client_secret: SecretString) -> Self {
        Self { client_id: client_id.to_owned(), client_secret, era: AtomicU64::new(0) }
    }

    /// Whether a request carries a token of ours that counts.
    pub fn lets_in(&self, headers: &HeaderMap) -> bool {
        let header = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header.strip_prefix("Bearer ").unwrap_or_default();
        let Some((until, _)) = token.split_once('.') else { return false };
        let lives = until.parse().is_ok_and(|until: i64| until > Timestamp::now().as_second());
        lives && self.token(until) == token
    }

    /// Makes all tokens void.
    pub fn expire_all(&self) {
        self.era.fetch_add(1, Ordering::Relaxed);
    }

    fn token(&self, until: &str) -> String {
        let era = self.era.load(Ordering::Relaxed);
        // A key of any length fits, so the fallback is never used.
        let mac = Hmac::<Sha256>::new_from_slice(self.client_secret.expose_secret().as_bytes());
        let proof = mac.map(|mac| mac.chain_update(format!("{until}.{era}")).finalize().into_bytes());
        let hex: String = proof.iter().flatten().map(|byte| format!("{byte:02x}")).collect();
        format!("{until}.{hex}")
    }

    /// An error code of OAuth's, or a token.
    fn grant(&self, ask: &Ask) -> Result<String, &'static str> {
        let known =
            ask.client_id == self.client_id && ask.client_secret == self.client_secret.expose_secret();
        match ask.grant_type.as_str() {
            _ if !known => Err("invalid_client"),
            "client_credentials" => Ok(self.token(&(Timestamp::now().as_second() + LIFE).to_string())),
            "authorization_code" | "password" => Err("unauthorized_client"),
            _ => Err("unsupported_grant_type"),
        }
    }
}

/// `POST /connect/token`.
pub async fn grant(
    State(sandbox): State<Arc<CreatioSandbox>>,
    ask: Result<Form<Ask>, FormRejection>,
) -> Response {
    // Anything but a form is no OAuth.
    let granted = ask.map_err(|_| "invalid_request").and_then(|Form(ask)| sandbox.application.grant(&ask));
    match granted {
        Ok(token) => Json(json!({
            "access_token": token, "expires_in": LIFE, "token_type": "Bearer", "scope": "ApplicationAccess",
        }))
        .into_response(),
        Err(code) => (StatusCode::BAD_REQUEST, Json(json!({ "error": code }))).into_response(),
    }
}
