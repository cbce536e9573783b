//! How the stand-in for Creatio answers a call: tokens, ordered faults, reading, creating, changing.

use std::future::pending;
use std::panic::resume_unwind;
use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::columns::INTEGRATION;
use super::odata::Query;
use super::site::{Refused, Row, Site};
use super::{Call, Creatio, Fault, Order};

impl Creatio {
    fn answer(&self, call: &Request, headers: &HeaderMap) -> Response {
        let given = headers.get("authorization").and_then(|value| value.to_str().ok());
        let token = given.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let mut inside = self.inside();
        if !inside.tokens.contains(token) {
            return (StatusCode::UNAUTHORIZED, [("WWW-Authenticate", "Bearer")]).into_response();
        }
        match call.carry_out(&mut inside.site) {
            Ok(Some((status, mut body))) => {
                body["@odata.context"] = json!(format!("{}/odata/$metadata#{}", self.url, call.set));
                (status, Json(body)).into_response()
            }
            Ok(None) => StatusCode::NO_CONTENT.into_response(),
            Err((status, message)) => {
                let inner = json!({"message": message, "type": "System.Exception", "stacktrace": "at Terrasoft.Core"});
                let body = json!({"error": {"code": "", "message": message, "innererror": inner}});
                (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
            }
        }
    }

    /// Takes the fault that is ordered for this call, and writes the call down.
    fn fault(&self, call: &Request) -> Option<Fault> {
        let mut inside = self.inside();
        inside.calls.push(Call {
            at: Instant::now(),
            method: call.method.to_string(),
            set: call.set.clone(),
        });
        let fits = |order: &Order| {
            order.times > 0
                && order.method.is_none_or(|method| method == call.method.as_str())
                && order.set.is_none_or(|set| set == call.set)
        };
        let order = inside.orders.iter_mut().find(|order| fits(order))?;
        order.times -= 1;
        Some(order.fault)
    }
}

pub const LOGIN_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Creatio</title></head><body><form>Log in</form></body></html>";

pub async fn token(State(creatio): State<Creatio>, Form(form): Form<Vec<(String, String)>>) -> Response {
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let error = |word: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": word}))).into_response();
    if (field("client_id"), field("client_secret")) != (&creatio.client.0, &creatio.client.1) {
        return error("invalid_client");
    }
    if field("grant_type") != "client_credentials" {
        return error("unsupported_grant_type");
    }
    let mut inside = creatio.inside();
    inside.tokens_given += 1;
    let token = format!("standin-bearer-{}-{}", std::process::id(), inside.tokens_given);
    inside.tokens.insert(token.clone());
    Json(json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer", "scope": "ApplicationAccess"}))
        .into_response()
}

pub async fn data(
    State(creatio): State<Creatio>,
    method: Method,
    Path(resource): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = match Request::read(method, &resource, query.as_deref().unwrap_or_default(), &body) {
        Ok(call) => call,
        Err((status, message)) => return (StatusCode::from_u16(status).unwrap(), message).into_response(),
    };
    match creatio.fault(&call) {
        None => creatio.answer(&call, &headers),
        Some(Fault::LoginPage) => Html(LOGIN_PAGE).into_response(),
        Some(Fault::Redirect) => {
            (StatusCode::FOUND, [("Location", "/Login/NuiLogin.aspx?ReturnUrl=%2f0%2fodata")]).into_response()
        }
        Some(Fault::Unauthorized) => StatusCode::UNAUTHORIZED.into_response(),
        Some(Fault::Forbidden) => {
            let message = "Current user does not have sufficient permissions";
            (StatusCode::FORBIDDEN, Json(json!({"error": {"code": "", "message": message}}))).into_response()
        }
        Some(Fault::Throttled(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", seconds.to_string())]).into_response()
        }
        Some(Fault::Broken) => broken(),
        Some(Fault::WrittenThenBroken) => {
            creatio.answer(&call, &headers);
            broken()
        }
        Some(Fault::WrittenThenHang) => {
            creatio.answer(&call, &headers);
            pending().await
        }
        Some(Fault::WrittenThenCut) => {
            creatio.answer(&call, &headers);
            // Ends the connection's task without a word: the peer sees its connection close.
            resume_unwind(Box::new("the stand-in cuts the connection"))
        }
    }
}

fn broken() -> Response {
    let body = json!({"Message": "An error has occurred.", "ExceptionMessage": "Object reference not set.",
        "ExceptionType": "System.NullReferenceException", "StackTrace": "at Terrasoft.Core"});
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

/// A call as it was understood.
struct Request {
    method: Method,
    set: String,
    id: Option<String>,
    query: Vec<(String, String)>,
    body: Row,
}

/// A status with a body, or an answer without one.
type Done = Option<(StatusCode, Value)>;

impl Request {
    fn read(method: Method, resource: &str, query: &str, body: &[u8]) -> Result<Self, Refused> {
        // Some sites refuse a plus sign for a blank.
        if query.contains('+') {
            return Err((400, "The query is not understood".to_owned()));
        }
        let (set, id) = match resource.split_once('(') {
            Some((set, key)) => (set, Some(key.trim_end_matches(')').to_owned())),
            None => (resource, None),
        };
        if id.as_ref().is_some_and(|id| Uuid::parse_str(id).is_err()) {
            return Err((400, "The key is no GUID".to_owned()));
        }
        let uri = format!("http://site/?{query}").parse().unwrap();
        let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).unwrap().0;
        let body = serde_json::from_slice(body).unwrap_or_default();
        Ok(Self { method, set: set.to_owned(), id, query, body })
    }

    fn carry_out(&self, site: &mut Site) -> Result<Done, Refused> {
        if !site.has(&self.set) {
            return Err((404, "No HTTP resource was found that matches the request URI".to_owned()));
        }
        let query = Query(&self.query);
        match (self.method.as_str(), &self.id) {
            ("GET", Some(id)) => {
                let row = site.find(&self.set, id).ok_or((404, "not found".to_owned()))?;
                Ok(Some((StatusCode::OK, query.shape(site, &self.set, row))))
            }
            ("GET", None) => {
                let rows = query.choose(site, &self.set).map_err(|message| (500, message))?;
                let shown: Vec<Value> = rows.iter().map(|row| query.shape(site, &self.set, row)).collect();
                let mut body = Map::new();
                if query.wants_count() {
                    body.insert("@odata.count".to_owned(), json!(shown.len()));
                }
                body.insert("value".to_owned(), Value::Array(shown));
                Ok(Some((StatusCode::OK, Value::Object(body))))
            }
            ("POST", None) => {
                let row = site.insert(&self.set, &self.body, INTEGRATION)?;
                Ok(Some((StatusCode::CREATED, query.shape(site, &self.set, &row))))
            }
            ("PATCH", Some(id)) => site.update(&self.set, id, &self.body).map(|()| None),
            _ => Err((405, "method not allowed".to_owned())),
        }
    }
}
