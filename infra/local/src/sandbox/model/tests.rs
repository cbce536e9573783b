//! The scripted model's server from outside: its shapes, its key, its faults.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

use super::*;

fn sandbox() -> Router {
    router(ModelSandbox::new(SecretString::from("sandbox-key")))
}

async fn call(
    router: &Router,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1_000_000).await.unwrap();
    (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
}

const QUESTION: &str = r#"{"model":"any","messages":[{"role":"user","content":"Where is order 4417?"}]}"#;

async fn ask(router: &Router) -> (StatusCode, HeaderMap, String) {
    call(router, "POST", "/v1/chat/completions", "sandbox-key", QUESTION).await
}

async fn order(router: &Router, fault: &str) {
    let (status, _, body) = call(router, "POST", "/__sandbox/faults", "", fault).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
}

/// The arguments of the call in an answer.
fn arguments(body: &str) -> Value {
    let body: Value = serde_json::from_str(body).unwrap();
    let call = &body["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "finish_turn");
    serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn it_answers_with_one_call_and_remembers_what_it_was_asked() {
    let router = sandbox();
    let (status, _, body) = ask(&router).await;
    assert_eq!(status, StatusCode::OK);
    assert!(arguments(&body)["reply"]["text"].as_str().unwrap().contains("4417"));
    let (_, _, seen) = call(&router, "GET", "/__sandbox/requests", "", "").await;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["count"], 1);
    assert_eq!(seen["last"]["messages"][0]["role"], "user");
}

#[tokio::test]
async fn a_wrong_key_and_an_empty_request_are_refused_as_the_real_one_does() {
    let router = sandbox();
    let (status, _, body) = call(&router, "POST", "/v1/chat/completions", "other", QUESTION).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("invalid_api_key"));
    let (status, _, body) = call(&router, "POST", "/v1/chat/completions", "sandbox-key", "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("invalid_request_error"));
}

#[tokio::test]
async fn each_fault_happens_once_and_then_it_is_well_again() {
    let router = sandbox();
    let faults = [
        (r#"{"fault":"rate_limited"}"#, 429, "rate_limit_exceeded"),
        (r#"{"fault":"overloaded"}"#, 503, "overloaded"),
        (r#"{"fault":"silence","ms":1}"#, 200, "finish_turn"),
        (r#"{"fault":"rubbish"}"#, 200, "choices"),
        (r#"{"fault":"unknown_tool"}"#, 200, "refund_order"),
        (r#"{"fault":"plain_text"}"#, 200, "\"content\":\"Order 4417"),
        (r#"{"fault":"long_text"}"#, 200, "all work and no play all work"),
        (r#"{"fault":"cut_off"}"#, 200, "\"finish_reason\":\"length\""),
        (r#"{"fault":"refusal"}"#, 200, "\"refusal\":\"I cannot"),
        (r#"{"fault":"unauthorized"}"#, 401, "invalid_api_key"),
    ];
    for (fault, status, sign) in faults {
        order(&router, fault).await;
        let (got, headers, body) = ask(&router).await;
        assert_eq!(got.as_u16(), status, "{fault}");
        assert!(body.contains(sign), "{fault}: {body}");
        assert_eq!(headers.contains_key("retry-after"), status == 429);
        arguments(&ask(&router).await.2);
    }
}

#[tokio::test]
async fn a_fault_may_be_ordered_several_times_and_taken_back() {
    let router = sandbox();
    order(&router, r#"{"fault":"overloaded","times":3}"#).await;
    assert_eq!(ask(&router).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&router).await.0, StatusCode::SERVICE_UNAVAILABLE);
    call(&router, "DELETE", "/__sandbox/faults", "", "").await;
    assert_eq!(ask(&router).await.0, StatusCode::OK);
}
