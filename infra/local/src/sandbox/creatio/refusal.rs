//! What the site answers when it does not do something, in the shapes that real sites use.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

/// An error, in OData's shape unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What went wrong.
    pub says: String,
    /// Whether the web server says so before OData has a chance: another shape.
    is_routing: bool,
}

impl Refusal {
    /// An error with this status.
    pub fn new(status: u16, says: impl Into<String>) -> Self {
        Self { status, says: says.into(), is_routing: false }
    }

    /// The request cannot be understood.
    pub fn bad(says: impl Into<String>) -> Self {
        Self::new(400, says)
    }

    /// The database or the platform threw.
    pub fn thrown(says: impl Into<String>) -> Self {
        Self::new(500, says)
    }

    /// There is no such record.
    pub fn missing() -> Self {
        Self::new(404, "Not Found")
    }

    /// The platform does not find a column, be it a lookup spelled flat.
    pub fn no_column(path: &str, entity: &str) -> Self {
        Self::thrown(format!("Column by path {path} not found in schema {entity}"))
    }

    /// The site does not have this object.
    pub fn no_such_set(name: &str) -> Self {
        let says = format!("No type was found that matches the controller named '{name}'.");
        Self { status: 404, says, is_routing: true }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = if self.is_routing {
            json!({"Message": "No HTTP resource was found that matches the request URI.", "MessageDetail": self.says})
        } else {
            json!({"error": {"code": "", "message": self.says}})
        };
        (status, Json(body)).into_response()
    }
}

/// The page for whom the site does not know.
pub fn login_page() -> Response {
    Html("<!DOCTYPE html><html><head><title>Log in</title></head><body><form id=\"loginForm\"></form></body></html>")
        .into_response()
}

/// A web server's own page.
pub fn page(status: StatusCode) -> Response {
    let text = status.canonical_reason().unwrap_or("Error");
    (status, Html(format!("<!DOCTYPE html><html><body><h2>{text}</h2></body></html>"))).into_response()
}
