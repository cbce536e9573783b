//! The shapes of a send: what is posted to `/messages`, and what is read from its answer.

use serde::Serialize;
use shared::CustomerAddress;
use shared_flow::ports::Outgoing;

use super::loose::Fields;

/// A text as it is posted.
#[derive(Serialize)]
pub struct SendText<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    /// The number with `+`: without it Meta may take the digits for a national number.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The user id. In `to` it would be accepted with status 200 and silently lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    text: Text<'a>,
    /// Comes back in every status of the message; at most 512 characters.
    biz_opaque_callback_data: String,
}

#[derive(Serialize)]
struct Text<'a> {
    body: &'a str,
    preview_url: bool,
}

impl<'a> SendText<'a> {
    /// The text to the number where it is known, else to the user id; never to both, since then the number would win
    /// unseen. `None` when neither is known.
    #[must_use]
    pub fn new(outgoing: &Outgoing<'a>) -> Option<Self> {
        let CustomerAddress::Whatsapp { user_id, phone } = outgoing.to;
        let to = phone.as_deref().map(|digits| format!("+{}", digits.trim_start_matches('+')));
        let recipient = user_id.as_deref().filter(|_| to.is_none());
        (to.is_some() || recipient.is_some()).then(|| Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to,
            recipient,
            kind: "text",
            text: Text { body: outgoing.text, preview_url: true },
            biz_opaque_callback_data: outgoing.id.to_string(),
        })
    }
}

/// What an answer to a send says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SendAnswer {
    /// The id of the message, when it was taken.
    pub message: Option<String>,
    /// The code of the error object, when there is one with a code.
    pub code: Option<i64>,
    /// What Meta's support asks for.
    pub trace: Option<String>,
}

impl SendAnswer {
    /// Reads a body; of a body that is something else, nothing.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let Some(answer) = Fields::read(&text) else { return Self::default() };
        let error = answer.object("error");
        Self {
            message: answer.objects("messages").find_map(|message| message.id("id")),
            code: error.as_ref().and_then(|error| error.integer("code")),
            trace: error.and_then(|error| error.id("fbtrace_id")).filter(|trace| is_trace(trace)),
        }
    }
}

/// Whether it can be a trace id. It is logged, so words and numbers with signs between them are not believed.
fn is_trace(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=64).contains(&text.len()) && text.bytes().all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_far_as_it_goes() {
        let taken = SendAnswer::read(br#"{"messages":[{"id":"wamid.1"}],"contacts":null}"#);
        assert_eq!(taken.message.as_deref(), Some("wamid.1"));
        let refused =
            SendAnswer::read(br#"{"error":{"code":"131047","fbtrace_id":"A1","error_data":"plain"}}"#);
        assert_eq!((refused.code, refused.trace.as_deref()), (Some(131_047), Some("A1")));
        for odd in [
            &b"<html>"[..],
            b"",
            b"[]",
            br#"{"messages":[]}"#,
            br#"{"messages":{}}"#,
            b"\xff{}",
            br#"{"error":"no"}"#,
        ] {
            assert_eq!(SendAnswer::read(odd), SendAnswer::default());
        }
    }

    #[test]
    fn only_what_looks_like_a_trace_is_passed_on_for_the_log() {
        let long = "A".repeat(65);
        for (told, kept) in
            [("AbC_1-d", true), ("CANARY words", false), ("+15550100077", false), (&long, false)]
        {
            let body = format!(r#"{{"error":{{"code":100,"fbtrace_id":"{told}"}}}}"#);
            let answer = SendAnswer::read(body.as_bytes());
            assert_eq!((answer.code, answer.trace.is_some()), (Some(100), kept), "{told}");
        }
    }
}
