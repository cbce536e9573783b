//! `whatsapp-ingress`: proves that a webhook comes from Meta, queues what it carries, answers at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use shared::channel::LineKey;
use shared::{OrgId, Timestamp};
use shared_flow::ingest::{Delivery, Inbound, Ingest, Taken};
use shared_flow::ports::{PortError, PortResult, StatusNote};
use shared_vendors::whatsapp::{self, Accounts, BadSignature, InboundMessage, InboundStatus, Parsed};

/// The largest body taken. Meta sends up to 3 MB.
const BODY_MOST: usize = 3_500_000;
/// How much of a body that is too long is read and thrown away.
const DRAIN_MOST: usize = 16_000_000;
/// How long a body may take to arrive. Whoever is slower holds memory for nothing.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Where Meta puts the signature.
const SIGNATURE: &str = "x-hub-signature-256";

/// What intake works with. It can read no conversation.
#[derive(Clone)]
pub struct Intake {
    /// The secrets that sign, and the word of the handshake.
    pub accounts: Arc<dyn Accounts>,
    /// Where what came in goes.
    pub ingest: Ingest,
}

/// The routes.
pub fn router(intake: Intake) -> Router {
    Router::new().route("/webhooks/whatsapp", get(handshake).post(take)).with_state(intake)
}

/// Meta asks once, when the address is saved, whether we know the agreed word.
async fn handshake(State(intake): State<Intake>, RawQuery(query): RawQuery) -> Response {
    match intake.challenge(query.as_deref().unwrap_or_default()).await {
        Ok(Some(challenge)) => {
            let plain = [(header::CONTENT_TYPE, "text/plain"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
            (StatusCode::OK, plain, challenge).into_response()
        }
        Ok(None) => (StatusCode::FORBIDDEN, "the verify token is not the configured one").into_response(),
        Err(error) => unavailable(&error),
    }
}

/// A webhook: genuine or refused; everything in it is durable before the 200.
async fn take(State(intake): State<Intake>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Without a signature nothing of the body is kept.
    let most = if parts.headers.contains_key(SIGNATURE) { BODY_MOST } else { 0 };
    let body = match read(body, most).await {
        Ok(body) => body,
        Err(_) if most == 0 => return refused("no signature"),
        Err(status) => return status.into_response(),
    };
    let signature = parts.headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let parsed = match intake.read(body, signature).await {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(bad)) => return refused(&bad.to_string()),
        Err(error) => return unavailable(&error),
    };
    match intake.take(parsed).await {
        Ok(taken) => {
            tracing::info!(
                queued = taken.queued,
                unknown_line = taken.unknown_line,
                parked = taken.parked,
                "webhook"
            );
            (StatusCode::OK, "ok").into_response()
        }
        Err(error) => unavailable(&error),
    }
}

fn refused(reason: &str) -> Response {
    metrics::counter!("WebhooksRefused").increment(1);
    tracing::warn!(reason, "a webhook was refused");
    (StatusCode::UNAUTHORIZED, "the signature is missing or wrong").into_response()
}

/// Reads the body within its limits of size and time. What is too long is read on for a while and thrown away: a
/// sender that is cut off in the middle does not hear why.
async fn read(body: Body, most: usize) -> Result<Bytes, StatusCode> {
    let whole = async {
        let (mut kept, mut length) = (BytesMut::new(), 0_usize);
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
            length = length.saturating_add(chunk.len());
            match length {
                fits if fits <= most => kept.extend_from_slice(&chunk),
                drained if drained <= DRAIN_MOST => kept.clear(),
                _ => break,
            }
        }
        if length > most { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(kept.freeze()) }
    };
    tokio::time::timeout(BODY_WITHIN, whole).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

impl Intake {
    /// The answer to the handshake, if the word is ours. Somebody may have configured it a moment ago.
    async fn challenge(&self, query: &str) -> PortResult<Option<String>> {
        let known = whatsapp::challenge(query, &self.accounts.verify_tokens().await?);
        if known.is_some() || !self.accounts.apps_afresh().await.unwrap_or(false) {
            return Ok(known);
        }
        Ok(whatsapp::challenge(query, &self.accounts.verify_tokens().await?))
    }

    /// Reads a body that Meta signed. What does not fit the secrets as they are known is looked at once more with
    /// secrets read anew: one of them, or the number, may have been configured a moment ago.
    async fn read(&self, body: Bytes, signature: Option<&str>) -> PortResult<Result<Parsed, BadSignature>> {
        let first = whatsapp::verify(body.clone(), signature, &self.accounts.app_secrets().await?);
        let first = first.map(|verified| whatsapp::parse(&verified));
        let may_be_changed = match &first {
            Ok(parsed) => parsed.unknown_number,
            Err(BadSignature::Wrong | BadSignature::NoSecret) => true,
            Err(BadSignature::Missing | BadSignature::Malformed) => false,
        };
        if !may_be_changed || !self.accounts.apps_afresh().await.unwrap_or(false) {
            return Ok(first);
        }
        let second = whatsapp::verify(body, signature, &self.accounts.app_secrets().await?);
        // What was proven once stays proven, should the secret that proved it be gone by now.
        Ok(second.map(|verified| whatsapp::parse(&verified)).or(first))
    }

    /// Queues what a body carries.
    pub async fn take(&self, parsed: Parsed) -> PortResult<Taken> {
        let ignored = parsed.messages.iter().filter(|message| !message.process).count();
        if ignored > 0
            || !parsed.echoes.is_empty()
            || !parsed.account_events.is_empty()
            || parsed.value_errors > 0
        {
            tracing::info!(
                ignored,
                echoes = parsed.echoes.len(),
                account_events = parsed.account_events.len(),
                value_errors = parsed.value_errors,
                "a webhook carried what this line does not handle"
            );
        }
        let delivery = self.delivery(parsed).await?;
        self.ingest.take(delivery).await
    }

    async fn delivery(&self, parsed: Parsed) -> PortResult<Delivery> {
        let now = self.ingest.clock.now();
        let messages = parsed.messages.iter().filter_map(|message| inbound(message, now)).collect();
        let statuses = self.statuses(&parsed.statuses, now).await?;
        let unreadable = parsed.unreadable.iter().map(|bytes| bytes.to_vec()).collect();
        Ok(Delivery { messages, statuses, unreadable })
    }

    /// The statuses of our lines. Whose line it is comes from the settings, never from the body.
    async fn statuses(&self, all: &[InboundStatus], now: Timestamp) -> PortResult<Vec<StatusNote>> {
        let mut orgs: HashMap<&str, Option<OrgId>> = HashMap::new();
        let mut notes = Vec::with_capacity(all.len());
        for status in all.iter().filter(|status| status.process) {
            let number = status.phone_number_id.as_str();
            if !orgs.contains_key(number) {
                let line = self.ingest.settings.line(&LineKey::whatsapp(number)).await?;
                orgs.insert(number, line.map(|line| line.org));
            }
            let org = orgs.get(number).and_then(Option::as_ref);
            notes.extend(org.and_then(|org| whatsapp::status_note(status, org, now)));
        }
        Ok(notes)
    }
}

fn inbound(message: &InboundMessage, now: Timestamp) -> Option<Inbound> {
    let key = whatsapp::event_key(message);
    let (line, message) = whatsapp::customer_message(message, now)?;
    Some(Inbound { line, key, message })
}

/// Nothing was acknowledged, so the sender repeats it.
fn unavailable(error: &PortError) -> Response {
    metrics::counter!("NotStored").increment(1);
    tracing::error!(error = %error, "a webhook could not be made durable; its sender repeats it");
    (StatusCode::SERVICE_UNAVAILABLE, "not stored, please repeat").into_response()
}
