//! What the site was asked to do wrong: a queue of orders, each for the next requests that it matches.
//!
//! Several other sandboxes use their queue strictly in order; here an order may name the requests it is meant for,
//! because one step of an integration takes several of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::CreatioSandbox;
use super::refusal::{Refusal, login_page, page};

/// What is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 401 without words.
    Unauthorized,
    /// 403: the system user lacks rights.
    Forbidden,
    /// 200 with the login page.
    LoginHtml,
    /// 302 to the login page.
    LoginRedirect,
    /// 500 with the web server's page.
    #[serde(rename = "html_500")]
    Html500,
    /// 200 with a routing error.
    #[serde(rename = "routing_200")]
    Routing200,
    /// 429 with `Retry-After`.
    Throttle,
    /// 503 with a page, as while a site restarts.
    Unavailable,
    /// The connection breaks; nothing was done.
    HangUp,
    /// It is done, and answered with 500.
    #[serde(rename = "written_then_500")]
    WrittenThen500,
    /// It is done, and the connection breaks before the answer.
    WrittenThenHangUp,
    /// It is done, but the answer comes late.
    Delay,
    /// The next event's webhook is not sent.
    WebhookLost,
}

/// `{"fault":"throttle","times":2,"match":"/Case","method":"POST","retry_after":5}`; all but the first may be absent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is to go wrong.
    #[serde(alias = "kind")]
    pub fault: Fault,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// Only for addresses that contain this.
    #[serde(default, rename = "match")]
    pub matching: Option<String>,
    /// Only for this method.
    #[serde(default)]
    pub method: Option<String>,
    /// How late, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Seconds that are asked for with 429.
    #[serde(default = "once")]
    pub retry_after: u32,
}

fn once() -> u32 {
    1
}

/// One order or several.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Orders {
    /// Several.
    Many(Vec<Order>),
    /// One.
    One(Order),
}

/// The queue.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Order>>);

impl Faults {
    /// Adds to the end.
    pub fn add(&self, order: Order) {
        self.queue().push(order);
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.queue().clear();
    }

    /// What is still to come.
    pub fn waiting(&self) -> Vec<Order> {
        self.queue().clone()
    }

    /// The order for the next event's webhook, if there is one.
    pub fn lose_webhook(&self) -> bool {
        self.take(|order| order.fault == Fault::WebhookLost).is_some()
    }

    /// The order that this request uses up. A token is only spoiled on request: otherwise every fault would hit it first.
    fn for_request(&self, method: &str, address: &str) -> Option<Order> {
        let is_token = address.contains("connect/token");
        self.take(|order| {
            let named = order.matching.as_ref().is_none_or(|part| address.contains(part.as_str()));
            let method_fits = order.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
            let meant = !is_token || order.matching.is_some();
            order.fault != Fault::WebhookLost && named && method_fits && meant
        })
    }

    fn take(&self, fits: impl Fn(&Order) -> bool) -> Option<Order> {
        let mut queue = self.queue();
        let at = queue.iter().position(fits)?;
        let order = queue.get_mut(at)?;
        order.times = order.times.saturating_sub(1);
        let taken = order.clone();
        if taken.times == 0 {
            queue.remove(at);
        }
        Some(taken)
    }

    fn queue(&self) -> MutexGuard<'_, Vec<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands before every request of the integration.
pub async fn spoil(State(sandbox): State<Arc<CreatioSandbox>>, request: Request, next: Next) -> Response {
    let address = request.uri().to_string();
    let Some(order) = sandbox.faults.for_request(request.method().as_str(), &address) else {
        return next.run(request).await;
    };
    if order.delay_ms > 0 && order.fault != Fault::Delay {
        tokio::time::sleep(Duration::from_millis(order.delay_ms)).await;
    }
    match order.fault {
        Fault::WrittenThen500 => {
            drop(next.run(request).await);
            Refusal::thrown("Exception in an entity event handler after the record was saved").into_response()
        }
        Fault::WrittenThenHangUp => {
            drop(next.run(request).await);
            hang_up()
        }
        Fault::Delay => {
            let response = next.run(request).await;
            tokio::time::sleep(Duration::from_millis(order.delay_ms)).await;
            response
        }
        fault => instead(fault, order.retry_after),
    }
}

/// The answer in place of the right one.
fn instead(fault: Fault, retry_after: u32) -> Response {
    match fault {
        Fault::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
        Fault::Forbidden => {
            Refusal::new(403, "Current user does not have sufficient permissions").into_response()
        }
        Fault::LoginHtml => login_page(),
        Fault::LoginRedirect => {
            (StatusCode::FOUND, Redirect::to("/Login/NuiLogin.aspx?ReturnUrl=%2f0%2fodata")).into_response()
        }
        Fault::Html500 => page(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Routing200 => Json(json!({
            "Message": "No HTTP resource was found that matches the request URI.",
            "MessageDetail": "No type was found that matches the controller.",
        }))
        .into_response(),
        Fault::Throttle => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", retry_after.to_string())]).into_response()
        }
        Fault::Unavailable => page(StatusCode::SERVICE_UNAVAILABLE),
        Fault::HangUp
        | Fault::WrittenThen500
        | Fault::WrittenThenHangUp
        | Fault::Delay
        | Fault::WebhookLost => hang_up(),
    }
}

/// An answer whose body fails at its first byte, so that the connection is cut.
fn hang_up() -> Response {
    let cut = futures::stream::once(async { Err::<axum::body::Bytes, _>(std::io::Error::other("hang up")) });
    Response::new(Body::from_stream(cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(json: &str) -> Order {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_order_waits_for_the_request_it_is_meant_for() {
        let faults = Faults::default();
        faults.add(order(r#"{"kind":"written_then_500","match":"/Case","method":"post"}"#));
        faults.add(order(r#"{"fault":"throttle","times":2}"#));
        faults.add(order(r#"{"fault":"webhook_lost"}"#));
        let next = |method, address| faults.for_request(method, address).map(|order| order.fault);
        assert_eq!(next("GET", "/0/odata/Case"), Some(Fault::Throttle));
        assert_eq!(next("POST", "/connect/token"), None);
        assert_eq!(next("POST", "/0/odata/Case"), Some(Fault::WrittenThen500));
        assert_eq!(next("POST", "/0/odata/Case"), Some(Fault::Throttle));
        assert_eq!(next("POST", "/0/odata/Case"), None);
        assert!(faults.lose_webhook() && !faults.lose_webhook());
    }

    #[test]
    fn every_kind_is_known_by_its_name_and_no_other() {
        for kind in [
            "unauthorized",
            "forbidden",
            "login_html",
            "login_redirect",
            "html_500",
            "routing_200",
            "throttle",
            "unavailable",
            "hang_up",
            "written_then_500",
            "written_then_hang_up",
            "delay",
            "webhook_lost",
        ] {
            assert!(serde_json::from_value::<Order>(json!({ "fault": kind })).is_ok(), "{kind}");
        }
        assert!(serde_json::from_value::<Order>(json!({"fault": "throtle"})).is_err());
        assert!(serde_json::from_value::<Order>(json!({"fault": "delay", "delay": 5})).is_err());
    }
}
