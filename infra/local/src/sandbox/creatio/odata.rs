//! The OData v4 service under `/0/odata`.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, Query as Pairs, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::CreatioSandbox;
use super::process::{self, Event};
use super::query::Query;
use super::records;
use super::refusal::Refusal;
use super::schema::{ENTITIES, Entity, entity, ids};
use super::store::Row;

type Site = State<Arc<CreatioSandbox>>;
type Options = Pairs<Vec<(String, String)>>;

/// Stands before everything under `/0/odata`.
pub async fn gate(State(sandbox): Site, request: Request, next: Next) -> Response {
    if sandbox.application.lets_in(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")]).into_response()
    }
}

/// The list of objects.
pub async fn sets() -> Json<Value> {
    let sets =
        ENTITIES.iter().map(|entity| json!({"name": entity.name, "kind": "EntitySet", "url": entity.name}));
    Json(json!({"@odata.context": "$metadata", "value": sets.collect::<Value>()}))
}

/// What an address names: an object, or one of its records.
enum Target {
    Set(&'static Entity),
    Record(&'static Entity, Uuid),
}

/// Reads `Case` and `Case(8a1c…)`.
fn target(text: &str) -> Result<Target, Refusal> {
    let (name, key) = match text.split_once('(') {
        Some((name, rest)) => (name, Some(rest.strip_suffix(')').unwrap_or(rest))),
        None => (text, None),
    };
    let of = entity(name).ok_or_else(|| Refusal::no_such_set(name))?;
    let Some(key) = key else { return Ok(Target::Set(of)) };
    // A key in quotes is a text, and no object has one.
    let id = Uuid::parse_str(key);
    let wrong = |_| Refusal::bad(format!("The key value '{key}' from request is not valid Edm.Guid."));
    Ok(Target::Record(of, id.map_err(wrong)?))
}

fn set(text: &str) -> Result<&'static Entity, Refusal> {
    match target(text)? {
        Target::Set(of) => Ok(of),
        Target::Record(..) => Err(Refusal::new(405, "Method Not Allowed")),
    }
}

fn one_record(text: &str) -> Result<(&'static Entity, Uuid), Refusal> {
    match target(text)? {
        Target::Record(of, id) => Ok((of, id)),
        Target::Set(_) => Err(Refusal::new(405, "Method Not Allowed")),
    }
}

/// `GET`.
pub async fn read(
    State(sandbox): Site,
    Path(name): Path<String>,
    OriginalUri(address): OriginalUri,
    headers: HeaderMap,
    Pairs(pairs): Options,
) -> Result<Json<Value>, Refusal> {
    let context = context(&address, &headers);
    let body = match target(&name)? {
        Target::Set(of) => list(&sandbox, of, &pairs, &context)?,
        Target::Record(of, id) => one(&sandbox, of, id, &pairs, &context)?,
    };
    Ok(Json(Value::Object(body)))
}

fn list(
    sandbox: &CreatioSandbox,
    of: &'static Entity,
    pairs: &[(String, String)],
    context: &str,
) -> Result<Map<String, Value>, Refusal> {
    let query = Query::read(pairs, of)?;
    let (rows, count) = query.rows(of, &sandbox.store());
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), json!(format!("{context}#{}", of.name)));
    if let Some(count) = count {
        body.insert("@odata.count".to_owned(), json!(count));
    }
    body.insert("value".to_owned(), Value::Array(rows));
    Ok(body)
}

fn one(
    sandbox: &CreatioSandbox,
    of: &'static Entity,
    id: Uuid,
    pairs: &[(String, String)],
    context: &str,
) -> Result<Map<String, Value>, Refusal> {
    let query = Query::read(pairs, of)?;
    let store = sandbox.store();
    let row = store.get(of.name, id).ok_or_else(Refusal::missing)?;
    Ok(with_context(query.show(row, of, &store), of, context))
}

fn with_context(mut row: Map<String, Value>, of: &Entity, context: &str) -> Map<String, Value> {
    row.insert("@odata.context".to_owned(), json!(format!("{context}#{}/$entity", of.name)));
    row
}

/// `POST`: makes a record and shows it.
pub async fn create(
    State(sandbox): Site,
    Path(name): Path<String>,
    OriginalUri(address): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let of = set(&name)?;
    let (row, event) = sandbox.create(of, &columns(&body)?, ids::INTEGRATION)?;
    process::run(&sandbox, event);
    let shown = Query::default().show(&row, of, &sandbox.store());
    let shown = with_context(shown, of, &context(&address, &headers));
    Ok((StatusCode::CREATED, Json(Value::Object(shown))))
}

/// `PATCH`: changes columns of a record and shows nothing.
pub async fn change(
    State(sandbox): Site,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let (of, id) = one_record(&name)?;
    let event = sandbox.change(of, id, &columns(&body)?, ids::INTEGRATION)?;
    process::run(&sandbox, event);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE`.
pub async fn delete(State(sandbox): Site, Path(name): Path<String>) -> Result<StatusCode, Refusal> {
    let (of, id) = one_record(&name)?;
    records::delete(&mut sandbox.store(), of, id)?;
    Ok(StatusCode::NO_CONTENT)
}

fn columns(body: &[u8]) -> Result<Row, Refusal> {
    serde_json::from_slice(body).map_err(|_| Refusal::bad("The request body is not a JSON object."))
}

/// The absolute address that `@odata.context` begins with, wherever this router is mounted.
fn context(address: &axum::http::Uri, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let root = address.path().split_once("/0/odata").map_or("", |(root, _)| root);
    format!("http://{host}{root}/0/odata/$metadata")
}

impl CreatioSandbox {
    /// Makes a record as a contact. The event, if it is one, is to be run by the caller.
    pub(super) fn create(
        &self,
        of: &'static Entity,
        columns: &Row,
        actor: Uuid,
    ) -> Result<(Row, Option<Event>), Refusal> {
        let row = records::create(&mut self.store(), of, columns, actor)?;
        let event = if of.name == "Activity" { process::on_activity(&row) } else { None };
        Ok((row, event))
    }

    /// Changes a record as a contact; the same.
    pub(super) fn change(
        &self,
        of: &'static Entity,
        id: Uuid,
        columns: &Row,
        actor: Uuid,
    ) -> Result<Option<Event>, Refusal> {
        let mut store = self.store();
        let (before, after) = records::change(&mut store, of, id, columns, actor)?;
        Ok(if of.name == "Case" { process::on_case(&store, &before, &after) } else { None })
    }
}
