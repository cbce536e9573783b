//! What a site's business process posts to wake us. Only which case to look at is taken from it: the words that
//! reach a customer are read back from the case.
//!
//! The body is made by an administrator's process, so spellings vary and mappings may be empty; what matters is the
//! case.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The most bytes a body may have.
pub const BODY_LIMIT: usize = 64 * 1024;

/// What a webhook tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The case to look at. Unproven: it may be anybody's until it is found among our own.
    pub case: Uuid,
    /// What is said to have happened there.
    pub kind: HintKind,
}

/// What is said to have happened. The case is read either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintKind {
    /// Somebody added an activity.
    NewActivity,
    /// It reached a final or resolved status.
    Closed,
    /// Something else, or nothing was said.
    Other,
}

/// Why a body is no hint, in words for the administrator who built the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadHint {
    /// Over [`BODY_LIMIT`].
    #[error("the body is longer than 64 kB: send only event_type and caseId")]
    TooLong,
    /// Not JSON at all.
    #[error("the body is not JSON: set the request's content type to JSON")]
    NotJson,
    /// A list, a text, a number.
    #[error("the body is not a JSON object: send {{\"event_type\":\"new_activity\",\"caseId\":\"…\"}}")]
    NotAnObject,
    /// No case in it, or an empty mapping (`""`, null, zero GUID).
    #[error(
        "the body names no case: map the activity's case to caseId, and start only for activities of a case"
    )]
    NoCase,
    /// Something else than a GUID.
    #[error("caseId is not a GUID: map the case's Id, not its number or name")]
    BadCase,
}

/// Spellings of the case's key, compared without case, `_` and `-`.
const CASE_KEYS: [&str; 3] = ["caseid", "caseguid", "case"];
/// Spellings of the event's key.
const EVENT_KEYS: [&str; 4] = ["eventtype", "event", "eventname", "type"];

/// Reads a body. Unknown events and further fields are fine.
pub fn parse(body: &[u8]) -> Result<Hint, BadHint> {
    if body.len() > BODY_LIMIT {
        return Err(BadHint::TooLong);
    }
    // .NET writers may begin with a byte order mark.
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let Value::Object(fields) = serde_json::from_slice(body).map_err(|_| BadHint::NotJson)? else {
        return Err(BadHint::NotAnObject);
    };
    let case = text_of(&fields, &CASE_KEYS).ok_or(BadHint::NoCase)?;
    let case = Uuid::parse_str(&case).map_err(|_| BadHint::BadCase)?;
    if case.is_nil() {
        return Err(BadHint::NoCase);
    }
    let kind = text_of(&fields, &EVENT_KEYS).map_or(HintKind::Other, |event| kind_of(&event));
    Ok(Hint { case, kind })
}

/// The first text that is not empty under any of these keys. An id that was mapped as a whole record
/// (`{"value": …}` or `{"Id": …}`) is looked into.
fn text_of(fields: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    let of_key = |key: &&str| {
        let same = fields.iter().filter(|(name, _)| plain(name) == **key);
        same.map(|(_, value)| value).find_map(|value| match value {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Object(record) => text_of(record, &["id", "value"]),
            // A number is no mapping mistake that could be meant as empty: it is shown as what it is.
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    keys.iter().find_map(of_key)
}

fn kind_of(event: &str) -> HintKind {
    match plain(event).as_str() {
        "newactivity" | "activityadded" | "activitycreated" | "newmessage" => HintKind::NewActivity,
        "caseclosed" | "caseresolved" | "caseclosure" | "statuschanged" | "casestatuschanged" => {
            HintKind::Closed
        }
        _ => HintKind::Other,
    }
}

fn plain(key: &str) -> String {
    let letters = key.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.'));
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The digest under which a webhook token is known, so that the token itself is stored nowhere it could leak.
#[must_use]
pub fn token_digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "8f0a1d5e-93c2-4a6b-9d3e-5b7c1a2e4f60";

    fn read(body: &str) -> Result<(Uuid, HintKind), BadHint> {
        parse(body.replace("ID", ID).as_bytes()).map(|hint| (hint.case, hint.kind))
    }

    #[test]
    fn every_spelling_of_a_hint_is_understood() {
        use HintKind::{Closed, NewActivity, Other};
        for (body, kind) in [
            (r#"{"event_type":"new_activity","caseId":"ID"}"#, NewActivity),
            (r#"{"eventType":"NewActivity","case_id":"ID"}"#, NewActivity),
            (r#"{"EventType":"activity-added","CaseId":"{ID}"}"#, NewActivity),
            (r#"{"event_type":"case_closed","caseId":"ID","status":"Closed"}"#, Closed),
            (r#"{"event_type":"case_resolved","caseId":"ID"}"#, Closed),
            (r#"{"event_type":"status_changed","caseId":" ID "}"#, Closed),
            (r#"{"event_type":"somebody_sneezed","caseId":"ID"}"#, Other),
            (r#"{"event_type":"","caseId":"ID"}"#, Other),
            (r#"{"event_type":7,"caseId":"ID"}"#, Other),
            (r#"{"caseId":"ID"}"#, Other),
            (r#"{"caseId":"","case_id":"ID","content":"<p>Hi</p>","activityId":null}"#, Other),
            (r#"{"case":{"value":"ID","displayValue":"SR00000001"}}"#, Other),
        ] {
            assert_eq!(read(body), Ok((ID.parse().unwrap(), kind)), "{body}");
        }
        assert!(parse(format!("\u{feff}{{\"caseId\":\"{ID}\"}}").as_bytes()).is_ok());
        assert_eq!(
            read(&format!(r#"{{"caseId":"{}"}}"#, ID.to_uppercase())),
            Ok((ID.parse().unwrap(), Other))
        );
    }

    #[test]
    fn a_body_without_a_case_says_what_is_wrong() {
        for (body, why) in [
            (r#"{"event_type":"new_activity"}"#, BadHint::NoCase),
            (r#"{"caseId":""}"#, BadHint::NoCase),
            (r#"{"caseId":null}"#, BadHint::NoCase),
            (r#"{"caseId":"00000000-0000-0000-0000-000000000000"}"#, BadHint::NoCase),
            (r#"{"caseId":"abc"}"#, BadHint::BadCase),
            (r#"{"caseId":"SR00000101"}"#, BadHint::BadCase),
            (r#"{"caseId":17}"#, BadHint::BadCase),
            (r#"[{"caseId":"ID"}]"#, BadHint::NotAnObject),
            (r#""ID""#, BadHint::NotAnObject),
            ("caseId=ID", BadHint::NotJson),
            ("", BadHint::NotJson),
            (r#"{"caseId":"ID""#, BadHint::NotJson),
        ] {
            assert_eq!(read(body), Err(why), "{body}");
        }
        let long = format!(r#"{{"caseId":"{ID}","content":"{}"}}"#, "x".repeat(BODY_LIMIT));
        assert_eq!(parse(long.as_bytes()), Err(BadHint::TooLong));
        assert_eq!(parse("[".repeat(60_000).as_bytes()), Err(BadHint::NotJson));
    }

    #[test]
    fn a_token_is_known_by_its_digest() {
        let digest = token_digest("abc");
        assert_eq!(digest.get(..4), Some([0xba, 0x78, 0x16, 0xbf].as_slice()));
        assert_ne!(token_digest("abc"), token_digest("abd"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body);
        }
    }
}
