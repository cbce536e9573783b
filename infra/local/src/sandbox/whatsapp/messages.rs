//! `POST /{version}/{phone_number_id}/messages`: the order in which Meta looks at a request, and the faults in it.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::json;

use super::accept::{Accepted, accept};
use super::body::Envelope;
use super::check::{Outbound, Wanted, wanted};
use super::graph::{self, GraphError};
use super::{Fault, WhatsAppSandbox};

pub(super) async fn post(
    State(sandbox): State<Arc<WhatsAppSandbox>>,
    Path((version, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let checked = sandbox.admit(&version, &number, &headers).and_then(|()| wanted(&body));
    match checked {
        Err(error) => error.into_response(),
        Ok(Wanted::Read(id)) => sandbox.mark_read(&id),
        Ok(Wanted::Send(outbound)) => sandbox.send(outbound).await,
    }
}

impl WhatsAppSandbox {
    fn admit(&self, version: &str, number: &str, headers: &HeaderMap) -> Result<(), GraphError> {
        let bearer =
            headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        if bearer != Some(self.access_token.expose_secret()) {
            return Err(GraphError::token());
        }
        if !is_version(version) {
            return Err(GraphError::parameter("The path must begin with a version such as v26.0."));
        }
        if number != self.line.phone_number_id {
            return Err(GraphError::number());
        }
        Ok(())
    }

    fn mark_read(&self, id: &str) -> Response {
        let known = self.desk().book.chats.values().any(|chat| chat.messages.iter().any(|it| it.id == id));
        match known {
            true => Json(json!({ "success": true })).into_response(),
            false => {
                GraphError::value("The message_id is not one of a message that was received.").into_response()
            }
        }
    }

    async fn send(&self, outbound: Outbound) -> Response {
        match self.faults.next() {
            Some(Fault::RateLimited) => GraphError::throughput().into_response(),
            Some(Fault::PairRate) => GraphError::pair_rate().into_response(),
            Some(Fault::TokenRevoked) => GraphError::token().into_response(),
            Some(Fault::Error500) => GraphError::internal().into_response(),
            Some(Fault::HangUpBefore) => graph::hang_up(),
            Some(Fault::HangUpAfter) => {
                let lost = self.accept(outbound, None).await;
                drop(lost);
                graph::hang_up()
            }
            Some(Fault::Slow { ms }) => {
                let late = self.accept(outbound, None).await;
                tokio::time::sleep(Duration::from_millis(ms)).await;
                late
            }
            fault => self.accept(outbound, fault).await,
        }
    }

    async fn accept(&self, outbound: Outbound, fault: Option<Fault>) -> Response {
        let envelope = Envelope(&self.line);
        let accepted = self.change(|desk| {
            let before = desk.book.webhooks.len();
            let accepted = accept(&mut desk.book, outbound, &envelope, self.pace, fault.as_ref());
            self.double(desk, before);
            accepted
        });
        match accepted.await {
            Ok(Ok(Accepted { wamid, contact })) => graph::accepted(&contact, &wamid),
            Ok(Err(error)) => error.into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

fn is_version(text: &str) -> bool {
    let numbers = text.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(major, minor)| major.parse::<u16>().is_ok() && minor.parse::<u16>().is_ok())
}
