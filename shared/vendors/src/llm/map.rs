//! What a provider's refusal means: try again, say it differently, or call an operator.

use jiff::SignedDuration;
use serde_json::Value;
use shared_flow::ports::{ModelError, PortError};

use crate::http::{Answer, CallError};

/// The most characters of a provider's code that are repeated.
const CODE_CHARS: usize = 60;

/// What an answer with a status other than 200 means.
#[must_use]
pub fn refused(answer: &Answer) -> ModelError {
    let codes = codes(&serde_json::from_slice(&answer.body).unwrap_or(Value::Null));
    let why = why(answer.status, &codes);
    match answer.status {
        429 if no_money(&codes) => ModelError::Misconfigured(format!("{why}: its budget is spent")),
        408 | 409 | 425 | 429 | 500.. => ModelError::Unavailable { why, after: wait(answer) },
        400 => bad_request(why, &codes),
        401..=403 => ModelError::Misconfigured(format!("{why}: check the API key and its rights")),
        404 => ModelError::Misconfigured(format!("{why}: check the base address and the model's name")),
        300..400 => ModelError::Misconfigured(format!("{why}: the base address has moved")),
        _ => ModelError::Misconfigured(why),
    }
}

fn bad_request(why: String, codes: &[String]) -> ModelError {
    let has = |wanted: &[&str]| codes.iter().any(|code| wanted.contains(&code.as_str()));
    if has(&["content_filter", "content_policy_violation", "responsibleaipolicyviolation"]) {
        return ModelError::Refused;
    }
    // Groq: the model produced a bad call.
    if has(&["tool_use_failed", "json_validate_failed"]) {
        return ModelError::Malformed("the call of finish_turn does not fit its schema".to_owned());
    }
    // The thread is cut to a fixed length before it comes here: only shorter instructions or a larger model help.
    if has(&["context_length_exceeded"]) {
        return ModelError::Misconfigured(format!("{why}: instructions and thread do not fit this model"));
    }
    ModelError::Misconfigured(format!("{why}: the model does not take our request"))
}

/// What an error inside an answer with status 200 means. Gateways do that when the model behind them fails.
#[must_use]
pub fn reported(error: &Value) -> ModelError {
    let codes = codes(&serde_json::json!({ "error": error }));
    if no_money(&codes) {
        return ModelError::Misconfigured("its budget is spent".to_owned());
    }
    ModelError::Unavailable { why: why(200, &codes), after: None }
}

/// What a call without an answer means. A model call has no effect outside, so an unclear end is a harmless one.
#[must_use]
pub fn failed(error: &CallError) -> ModelError {
    ModelError::Unavailable { why: error.to_string(), after: None }
}

/// What missing settings mean.
#[must_use]
pub fn unsettled(error: PortError) -> ModelError {
    match error {
        PortError::Unavailable { .. } => ModelError::Unavailable { why: error.to_string(), after: None },
        PortError::Unreadable { .. } => ModelError::Misconfigured(error.to_string()),
    }
}

/// A rate limit passes; an empty account does not.
fn no_money(codes: &[String]) -> bool {
    codes.iter().any(|code| {
        ["quota", "balance", "billing", "spend_limit", "payment"].iter().any(|word| code.contains(word))
    })
}

/// `retry-after-ms` is finer than `retry-after`, and some servers send only that.
fn wait(answer: &Answer) -> Option<SignedDuration> {
    let header = answer.headers.get("retry-after-ms").and_then(|value| value.to_str().ok());
    let fine = header.and_then(|text| text.trim().parse::<u32>().ok());
    fine.map(|ms| SignedDuration::from_millis(ms.into())).or_else(|| answer.retry_after())
}

/// The machine-readable parts of an error, lower-cased: `code` and `type`, nested in `error` or not, with Azure's
/// inner code. Messages are left out, because they quote the conversation or parts of the key.
fn codes(body: &Value) -> Vec<String> {
    let error = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let inner = error.get("innererror").and_then(|inner| inner.get("code"));
    [error.get("code"), error.get("type"), inner].into_iter().flatten().filter_map(code).collect()
}

fn code(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= CODE_CHARS && text.chars().all(plain)).then_some(text)
}

/// The codes that may be repeated, of OpenAI and of those that speak like it. Others decide what an error means but
/// are not shown: a server may put parts of the key or of the conversation there.
const KNOWN_CODES: [&str; 40] = [
    "api_error",
    "authentication_error",
    "bad_request",
    "billing_error",
    "billing_hard_limit_reached",
    "conflict_error",
    "content_filter",
    "content_policy_violation",
    "context_length_exceeded",
    "contract_spend_limit_reached",
    "credit_balance_exhausted",
    "deploymentnotfound",
    "enforced_spend_limit_reached",
    "engine_overloaded",
    "insufficient_balance",
    "insufficient_quota",
    "internal_error",
    "internal_server_error",
    "invalid_api_key",
    "invalid_request_error",
    "invalid_value",
    "json_validate_failed",
    "model_not_found",
    "not_found_error",
    "overloaded_error",
    "permission_denied",
    "permission_error",
    "ramp_limit_exceeded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "request_too_large",
    "responsibleaipolicyviolation",
    "server_error",
    "service_unavailable",
    "timeout_error",
    "tokens",
    "tool_use_failed",
    "unsupported_country_region_territory",
    "unsupported_parameter",
    "unsupported_value",
];

fn why(status: u16, codes: &[String]) -> String {
    // Some servers give the status again as the code.
    let is_status = |code: &str| code.parse().is_ok_and(|code: u16| (100..600).contains(&code));
    let known = codes.iter().find(|code| KNOWN_CODES.contains(&code.as_str()) || is_status(code));
    match known {
        Some(code) => format!("the model's server answered {status} ({code})"),
        None if codes.is_empty() => format!("the model's server answered {status}"),
        None => format!("the model's server answered {status} (an unknown code)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str, headers: &[(&'static str, &str)]) -> ModelError {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_str(value).unwrap())
        });
        let body = bytes::Bytes::copy_from_slice(body.as_bytes());
        refused(&Answer { status, headers: headers.collect(), body })
    }

    fn kind(error: &ModelError) -> &'static str {
        match error {
            ModelError::Unavailable { .. } => "later",
            ModelError::Malformed(_) => "malformed",
            ModelError::Refused => "refused",
            ModelError::Misconfigured(_) => "operator",
        }
    }

    #[test]
    fn every_status_and_code_has_its_meaning() {
        let openai = |code: &str| format!(r#"{{"error":{{"message":"…","type":"x","code":"{code}"}}}}"#);
        let table = [
            (429, openai("rate_limit_exceeded"), "later"),
            (429, openai("insufficient_quota"), "operator"),
            (429, openai("credit_balance_exhausted"), "operator"),
            (429, openai("enforced_spend_limit_reached"), "operator"),
            (429, r#"{"error":{"type":"insufficient_quota","code":null}}"#.to_owned(), "operator"),
            (401, openai("invalid_api_key"), "operator"),
            (403, openai("permission_denied"), "operator"),
            (404, openai("model_not_found"), "operator"),
            (404, r#"{"error":"model 'any' not found"}"#.to_owned(), "operator"),
            (400, openai("context_length_exceeded"), "operator"),
            (400, openai("unsupported_parameter"), "operator"),
            (400, openai("content_filter"), "refused"),
            (400, openai("tool_use_failed"), "malformed"),
            (400, openai("json_validate_failed"), "malformed"),
            (413, String::new(), "operator"),
            (422, r#"{"object":"error","message":"…","code":422}"#.to_owned(), "operator"),
            (307, String::new(), "operator"),
            (408, String::new(), "later"),
            (409, String::new(), "later"),
            (500, "<html>".to_owned(), "later"),
            (503, r#"{"error":"loading"}"#.to_owned(), "later"),
            (529, openai("overloaded_error"), "later"),
        ];
        for (status, body, expected) in table {
            assert_eq!(kind(&answer(status, &body, &[])), expected, "{status} {body}");
        }
        let flat = r#"{"object":"error","message":"…","type":"content_filter","code":null}"#;
        assert_eq!(answer(400, flat, &[]), ModelError::Refused);
    }

    #[test]
    fn a_wait_is_taken_from_the_finer_header() {
        let wait = |headers: &[(&'static str, &str)]| match answer(429, "", headers) {
            ModelError::Unavailable { after, .. } => after.map(|wait| wait.as_millis()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&[("retry-after", "2")]), Some(2000));
        assert_eq!(wait(&[("retry-after", "2"), ("retry-after-ms", "1500")]), Some(1500));
        assert_eq!(wait(&[("retry-after-ms", "soon")]), None);
    }

    #[test]
    fn an_error_in_a_200_is_an_error() {
        assert_eq!(kind(&reported(&serde_json::json!({"code": 502}))), "later");
        assert_eq!(kind(&reported(&serde_json::json!("upstream"))), "later");
        assert_eq!(kind(&reported(&serde_json::json!({"code": "insufficient_quota"}))), "operator");
    }

    #[test]
    fn the_providers_message_is_never_repeated() {
        let body = r#"{"error":{"message":"Incorrect API key provided: sk-abc","code":"bad key sk-abc"}}"#;
        let said = answer(401, body, &[]).to_string();
        assert!(said.contains("401") && !said.contains("sk-abc"), "{said}");
    }

    #[test]
    fn an_unknown_code_decides_but_is_not_repeated() {
        let body =
            r#"{"error":{"code":"canary_quota","type":"sk-canary","innererror":{"code":"15550100077"}}}"#;
        let error = answer(429, body, &[]);
        assert_eq!(kind(&error), "operator");
        let said = error.to_string().to_ascii_lowercase();
        assert!(said.contains("an unknown code"), "{said}");
        assert!(!said.contains("canary") && !said.contains("1555"), "{said}");
        let known = answer(400, r#"{"error":{"code":"sk-canary","type":"invalid_request_error"}}"#, &[]);
        assert!(known.to_string().contains("400 (invalid_request_error)"), "{known}");
        assert!(reported(&serde_json::json!({"code": 502})).to_string().contains("(502)"));
    }
}
