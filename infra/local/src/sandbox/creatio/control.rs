//! The sandbox's own addresses under `/__sandbox`, for the page, for tests and for people who try things. No real site
//! has them, and only this machine may use them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::CreatioSandbox;
use super::faults::{Order, Orders};
use super::refusal::Refusal;
use super::rep::{self, CasePage, Form};

type Site = State<Arc<CreatioSandbox>>;

/// How many cases are shown unless it is said.
const SHOWN: usize = 50;

/// `{"caseId":"…","text":"…"}`, and `"form":"email"` or `"internal"` for other ways of writing it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    case_id: Uuid,
    text: String,
    #[serde(default)]
    form: Form,
}

/// `{"caseId":"…"}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Close {
    case_id: Uuid,
}

/// `?limit=…`.
#[derive(Deserialize)]
pub struct Limit {
    limit: Option<usize>,
}

/// `POST /__sandbox/rep/reply`.
pub async fn reply(State(sandbox): Site, Json(order): Json<Reply>) -> Result<Json<Value>, Refusal> {
    let id = rep::reply(&sandbox, order.case_id, &order.text, order.form)?;
    Ok(Json(json!({ "activityId": id })))
}

/// `POST /__sandbox/rep/close`.
pub async fn close(State(sandbox): Site, Json(order): Json<Close>) -> Result<StatusCode, Refusal> {
    rep::close(&sandbox, order.case_id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /__sandbox/cases`.
pub async fn cases(State(sandbox): Site, Query(asked): Query<Limit>) -> Json<Vec<CasePage>> {
    Json(rep::cases(&sandbox.store(), asked.limit.unwrap_or(SHOWN)))
}

/// `POST /__sandbox/faults`.
pub async fn add_faults(State(sandbox): Site, Json(orders): Json<Value>) -> Response {
    match serde_json::from_value::<Orders>(orders) {
        Ok(Orders::One(order)) => sandbox.faults.add(order),
        Ok(Orders::Many(orders)) => orders.into_iter().for_each(|order| sandbox.faults.add(order)),
        Err(_) => {
            let why = "no such fault: send {\"fault\":\"throttle\"} or another kind, or a list of them";
            return (StatusCode::UNPROCESSABLE_ENTITY, why).into_response();
        }
    }
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /__sandbox/faults`: those that are still to come.
pub async fn faults(State(sandbox): Site) -> Json<Vec<Order>> {
    Json(sandbox.faults.waiting())
}

/// `DELETE /__sandbox/faults`.
pub async fn clear_faults(State(sandbox): Site) -> StatusCode {
    sandbox.faults.clear();
    StatusCode::NO_CONTENT
}

/// `POST /__sandbox/expire-tokens`.
pub async fn expire_tokens(State(sandbox): Site) -> StatusCode {
    sandbox.application.expire_all();
    StatusCode::NO_CONTENT
}
