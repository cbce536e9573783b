//! Bodies that are large, broken or mixed. What single items mean is in the fixtures.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::super::inspect::tests::signature;
use super::super::verify::{AppSecret, verify};
use super::*;

fn parsed(body: impl Into<Bytes>) -> Parsed {
    let body = body.into();
    let signed = signature("s", &body);
    let secrets = [AppSecret { secret: "s".into(), numbers: vec!["1".to_owned()] }];
    parse(&verify(body, Some(&signed), &secrets).unwrap())
}

/// A body with these items as its messages.
fn with_messages(items: &str) -> String {
    format!(
        r#"{{"object":"whatsapp_business_account","entry":[{{"changes":[{{"field":"messages","value":{{"metadata":{{"phone_number_id":"1"}},"messages":[{items}]}}}}]}}]}}"#
    )
}

#[test]
fn a_thousand_updates_in_one_body_all_arrive_in_order() {
    let mut items = String::new();
    let filler = "x".repeat(2_500);
    for n in 0..1_000 {
        let comma = if n == 0 { "" } else { "," };
        let text = format!(r#"{{"body":"{n} {filler}"}}"#);
        write!(items, r#"{comma}{{"id":"wamid.{n}","from":"15550100077","timestamp":"1794900000","type":"text","text":{text}}}"#)
            .unwrap();
    }
    let body = with_messages(&items);
    assert!(body.len() > 2_500_000 && body.len() < 3_000_000, "{}", body.len());
    let parsed = parsed(body);
    assert_eq!((parsed.messages.len(), parsed.unreadable.len()), (1_000, 0));
    for (n, message) in parsed.messages.iter().enumerate() {
        assert_eq!(message.id, format!("wamid.{n}"));
        assert!(
            message.process && message.content.words().is_some_and(|text| text.starts_with(&n.to_string()))
        );
    }
}

#[test]
fn a_genuine_body_that_is_not_json_is_handed_back_whole() {
    for body in [&b"not json"[..], b"", b"[1]", b"{\"entry\":[", b"\"text\"", b"null", b"{\"a\":1} trailing"]
    {
        let parsed = parsed(Bytes::from_static(body));
        assert_eq!(parsed.unreadable, [Bytes::from_static(body)]);
        assert_eq!(parsed.ignore_reason, Some("unreadable"));
        assert!(parsed.messages.is_empty());
    }
}

#[test]
fn an_unreadable_item_is_handed_back_byte_for_byte_and_its_neighbours_live() {
    let odd = r#"{ "type" : "text",  "text":{"body":"no id \ud83d"} }"#;
    let good = r#"{"id":"wamid.1","from":"15550100077","type":"text","text":{"body":"good"}}"#;
    let parsed = parsed(with_messages(&format!("{good},{odd},{good}")));
    assert_eq!(parsed.messages.len(), 2);
    assert_eq!(parsed.unreadable, [Bytes::from(odd)]);
    assert_eq!(parsed.ignore_reason, None);
}

#[test]
fn bytes_that_are_no_text_cost_one_word() {
    let mut body =
        with_messages(r#"{"id":"wamid.1","from":"15550100077","type":"text","text":{"body":"a?b"}}"#)
            .into_bytes();
    let at = body.windows(3).position(|three| three == b"a?b").unwrap();
    body[at + 1] = 0xff;
    let parsed = parsed(body);
    assert_eq!(parsed.messages[0].content.words(), Some("a\u{FFFD}b"));
}

/// The only message that is sent `from` there, with these fields beside it, and a profile of that id.
fn sent_from(from: &str, more: &str) -> InboundMessage {
    let item = format!(r#"{{"id":"wamid.1","from":"{from}","type":"text","text":{{"body":"a"}}{more}}}"#);
    parsed(with_messages(&item)).messages.remove(0)
}

#[test]
fn a_number_is_digits_and_nothing_else() {
    for (from, phone) in [
        ("15550100077", Some("15550100077")),
        ("+15550100077", Some("15550100077")),
        ("12345", Some("12345")),
        ("1234", None),
        ("1234567890123456", None),
        ("++15550100077", None),
        ("1555x0100077", None),
        ("1 555 010 0077", None),
        ("US.49170x1234567", None),
    ] {
        assert_eq!(sent_from(from, "").phone().as_deref(), phone, "{from}");
    }
}

#[test]
fn a_sender_without_a_number_is_known_by_a_user_id_or_not_at_all() {
    let own = sent_from("US.49170x1234567", "");
    assert_eq!((own.user_id.as_deref(), own.why), (Some("US.49170x1234567"), None));
    let told = sent_from("US.49170x1234567", r#","from_user_id":"US.9""#);
    assert_eq!((told.user_id.as_deref(), told.why), (Some("US.9"), None));
    for nobody in ["1555x0100077", "us.491701234567", "US.", "1234"] {
        let message = sent_from(nobody, "");
        assert_eq!((message.user_id, message.why), (None, Some("no_sender")), "{nobody}");
    }
}

#[test]
fn a_list_that_is_none_is_handed_back() {
    let parsed = parsed(r#"{"entry":{"changes":[]}}"#);
    assert_eq!(parsed.unreadable, [Bytes::from_static(br#"{"changes":[]}"#)]);
}

#[test]
fn debug_output_shows_nobody() {
    let parsed = parsed(with_messages(
        r#"{"id":"wamid.SECRET","from":"15550100077","type":"text","text":{"body":"SECRET"}},{"text":"SECRET"}"#,
    ));
    let shown = format!("{parsed:?} {:?}", parsed.messages);
    assert!(!shown.contains("SECRET") && !shown.contains("15550100077"), "{shown}");
}

/// The fixtures' bodies, as material to break.
fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/whatsapp/fixtures");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let bodies = files.filter(|path| !path.to_string_lossy().ends_with(".expect.json"));
    let mut bodies: Vec<_> = bodies.map(|path| std::fs::read(path).unwrap()).collect();
    bodies.sort();
    bodies
}

proptest! {
    /// Whatever was signed is either understood, handed back, or ignored for a reason that is said.
    #[test]
    fn nothing_signed_vanishes_without_a_word(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut body = which.get(&fixtures()).clone();
        let at = at.index(body.len());
        if cut { body.truncate(at) } else { body[at] = byte }
        let parsed = parsed(body);
        let Parsed { messages, statuses, account_events, echoes, unreadable, .. } = &parsed;
        let something = messages.len() + statuses.len() + account_events.len() + echoes.len() + unreadable.len();
        prop_assert!(something > 0 || parsed.ignore_reason.is_some());
        for message in messages {
            let told = customer_message(message, jiff::Timestamp::UNIX_EPOCH);
            prop_assert_eq!(told.is_some(), message.process);
        }
    }
}
