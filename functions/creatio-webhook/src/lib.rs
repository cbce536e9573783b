//! `creatio-webhook`: takes Creatio's hint that a case changed, and wakes crm-sync. The hint is never the message:
//! what reaches a customer is what stands in the case.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use shared::OrgId;
use shared_flow::ports::{Job, PortError, Queues};
use shared_vendors::creatio::account::Accounts;
use shared_vendors::creatio::webhook::{parse, token_digest};

/// The largest body taken; a business process sends a few hundred bytes.
const BODY_MOST: usize = 64 * 1024;

/// What the webhook works with. It can read no conversation and no case.
#[derive(Clone)]
pub struct Webhook {
    /// Whose token it is.
    pub accounts: Arc<dyn Accounts>,
    /// Where the nudge goes.
    pub queues: Arc<dyn Queues>,
}

/// The routes.
pub fn router(webhook: Webhook) -> Router {
    Router::new()
        .route("/webhooks/creatio", post(refuse))
        .route("/webhooks/creatio/{token}", post(take))
        .layer(DefaultBodyLimit::max(BODY_MOST))
        .with_state(webhook)
}

/// No token and a wrong token look the same from outside.
async fn refuse() -> Response {
    answer(
        StatusCode::UNAUTHORIZED,
        r#"{"error":"unknown webhook token: copy the address from the settings again"}"#,
    )
}

async fn take(State(webhook): State<Webhook>, Path(token): Path<String>, body: Bytes) -> Response {
    let org = match webhook.accounts.org_of_token(&token_digest(&token)).await {
        Ok(Some(org)) => org,
        Ok(None) => return refuse().await,
        Err(error) => return unavailable(&error),
    };
    match parse(&body) {
        Ok(hint) => queue(&webhook, org, hint.case).await,
        Err(bad) => {
            tracing::warn!(%org, reason = %bad, "a webhook from Creatio could not be read");
            let body = serde_json::json!({ "error": bad.to_string() }).to_string();
            answer(StatusCode::BAD_REQUEST, &body)
        }
    }
}

async fn queue(webhook: &Webhook, org: OrgId, case: uuid::Uuid) -> Response {
    tracing::info!(%org, %case, "Creatio says that a case changed");
    match webhook.queues.send(&[Job::LookAtCase { org, case }]).await {
        // A body, because some processes take an empty answer for a failure.
        Ok(()) => answer(StatusCode::OK, r#"{"ok":true}"#),
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &PortError) -> Response {
    metrics::counter!("NotStored").increment(1);
    tracing::error!(error = %error, "a webhook from Creatio could not be queued; the sweep makes up for it");
    answer(StatusCode::SERVICE_UNAVAILABLE, r#"{"error":"not queued, please repeat"}"#)
}

fn answer(status: StatusCode, json: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json.to_owned()).into_response()
}
