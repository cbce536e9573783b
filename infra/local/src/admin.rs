//! The operator's door into the running line: list sessions, hand off, hand back, resolve. Loopback and a token only.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::session::{By, Command};
use shared::{OrgId, Session, SessionId};
use shared_flow::converse::{Converse, Outcome};
use shared_flow::ports::{Envelope, PortError, PortResult, Target};
use shared_vendors::creatio::webhook::token_digest;

/// What the door opens to.
#[derive(Clone)]
pub struct Admin {
    /// Decisions, and through them sessions.
    pub converse: Converse,
    /// The organisations that are configured.
    pub orgs: Arc<Vec<OrgId>>,
    /// The digest of the token that lets in.
    pub token: [u8; 32],
}

/// The routes.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/admin/sessions", get(list))
        .route("/admin/sessions/{id}/{verb}", post(act))
        .with_state(admin)
}

/// A session as the command line shows it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// Whose.
    pub org: String,
    /// Its id.
    pub session: String,
    /// Who answers.
    pub state: String,
    /// How many messages it has.
    pub messages: u64,
    /// When anybody last said something.
    pub last_activity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<usize>,
}

async fn list(State(admin): State<Admin>, Query(query): Query<ListQuery>, headers: HeaderMap) -> Response {
    if !admin.lets_in(&headers) {
        return closed();
    }
    match admin.rows(query.limit.unwrap_or(20).min(100)).await {
        Ok(rows) => Json(rows).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn act(
    State(admin): State<Admin>,
    Path((id, verb)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if !admin.lets_in(&headers) {
        return closed();
    }
    let by = By { via: "the command line".to_owned() };
    let command = match verb.as_str() {
        "handoff" => Command::HandoffRequested(by),
        "handback" => Command::HandBackRequested(by),
        "resolve" => Command::ResolveRequested(by),
        _ => return problem(StatusCode::NOT_FOUND, "unknown action: use handoff, handback or resolve"),
    };
    let Ok(id) = id.parse::<SessionId>() else {
        return problem(StatusCode::BAD_REQUEST, "a session id is a UUID: `switchboard sessions` lists them");
    };
    match admin.apply(id, command).await {
        Ok(answer) => answer,
        Err(error) => unavailable(&error),
    }
}

impl Admin {
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        // Digests of a random token are compared, so timing tells nothing about the token itself.
        token_digest(token) == self.token
    }

    async fn rows(&self, limit: usize) -> PortResult<Vec<Row>> {
        let mut sessions = Vec::new();
        for org in self.orgs.iter() {
            sessions.extend(self.converse.sessions.recent(org, limit).await?);
        }
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_activity_at));
        sessions.truncate(limit);
        Ok(sessions.iter().map(row).collect())
    }

    async fn apply(&self, id: SessionId, command: Command) -> PortResult<Response> {
        for org in self.orgs.iter() {
            if self.converse.sessions.head(org, id).await?.is_some() {
                return self.apply_in(org, id, command).await;
            }
        }
        Ok(problem(StatusCode::NOT_FOUND, "no such session: `switchboard sessions` lists them"))
    }

    async fn apply_in(&self, org: &OrgId, id: SessionId, command: Command) -> PortResult<Response> {
        let at = self.converse.clock.now();
        let envelope = Envelope { org: org.clone(), target: Target::Session(id), key: None, command, at };
        let body = match self.converse.handle(&envelope).await? {
            Outcome::Changed(_) | Outcome::Duplicate => json!({ "done": true }),
            Outcome::Unchanged(_, because) => json!({ "done": false, "because": because.words() }),
            Outcome::Ignored(why) => json!({ "done": false, "because": why }),
        };
        Ok(Json(body).into_response())
    }
}

fn row(session: &Session) -> Row {
    Row {
        org: session.org.to_string(),
        session: session.id.to_string(),
        state: session.state.name().to_owned(),
        messages: session.last_seq,
        last_activity: session.last_activity_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
    }
}

fn closed() -> Response {
    problem(StatusCode::UNAUTHORIZED, "the token in the data folder's admin.json is needed")
}

fn unavailable(error: &PortError) -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

fn problem(status: StatusCode, words: &str) -> Response {
    (status, Json::<Value>(json!({ "error": words }))).into_response()
}
