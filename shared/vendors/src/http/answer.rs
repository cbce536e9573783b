//! What came back of a call: status, headers and a body of bounded size, with the few readings every vendor needs.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{ANSWER_LIMIT, CallError, classify};

/// The longest wait a host may ask for; more is cut to this.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// An answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

// Body and headers may hold tokens and personal data.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The body is not what was expected. The words say where, never what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not the JSON that was expected (line {line}, column {column})")]
pub struct NotJson {
    line: usize,
    column: usize,
}

impl Answer {
    /// Whether the status says success (200–299).
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the content type says JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let declared =
            self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    }

    /// The body as JSON, whatever the content type says.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NotJson> {
        serde_json::from_slice(&self.body)
            .map_err(|error| NotJson { line: error.line(), column: error.column() })
    }

    /// How long the host wants us to wait: seconds or an HTTP date, at least nothing, at most 15 minutes.
    #[must_use]
    pub fn retry_after(&self) -> Option<SignedDuration> {
        let asked = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit are simply long.
            SignedDuration::from_secs(asked.parse().unwrap_or(i64::MAX))
        } else {
            // Measured by the host's own clock, so that ours need not agree with it.
            let now = self.headers.get(DATE).and_then(|date| read_date(date.to_str().ok()?));
            read_date(asked)?.duration_since(now.unwrap_or_else(Timestamp::now))
        };
        Some(wait.clamp(SignedDuration::ZERO, LONGEST_WAIT))
    }
}

/// An HTTP date in the form that RFC 9110 asks for, which is one of RFC 2822's.
fn read_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

/// Reads a response to its end, or to the limit: a cut answer is no answer.
pub(super) async fn read(mut response: Response) -> Result<Answer, CallError> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len().saturating_add(chunk.len()) > ANSWER_LIMIT {
            return Err(CallError::Unclear(format!("the answer is longer than {ANSWER_LIMIT} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &str)]) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Answer { status: 429, headers: map, body: Bytes::from_static(b"{\"a\":\"secret\"}") }
    }

    fn wait(asked: &str) -> Option<i64> {
        let date = "Mon, 16 Nov 2026 09:00:00 GMT";
        answer(&[("retry-after", asked), ("date", date)]).retry_after().map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_seconds_or_a_date_and_never_longer_than_a_quarter_of_an_hour() {
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("86400"), Some(900));
        assert_eq!(wait("99999999999999999999999"), Some(900));
        assert_eq!(wait("Mon, 16 Nov 2026 09:00:30 GMT"), Some(30));
        assert_eq!(wait("Mon, 16 Nov 2026 08:00:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-5"), None);
        assert_eq!(answer(&[]).retry_after(), None);
    }

    #[test]
    fn json_is_known_by_its_type() {
        assert!(answer(&[("content-type", "application/json; charset=utf-8")]).is_json());
        assert!(answer(&[("content-type", "application/problem+JSON")]).is_json());
        assert!(!answer(&[("content-type", "text/html")]).is_json());
        assert!(!answer(&[]).is_json());
    }

    #[test]
    fn neither_debug_output_nor_errors_tell_what_the_body_says() {
        let answer = answer(&[("set-cookie", "token=1")]);
        let error = answer.json::<std::collections::BTreeMap<String, u8>>().unwrap_err();
        for text in [format!("{answer:?}"), error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("secret") && !text.contains("token"), "{text}");
        }
    }
}
