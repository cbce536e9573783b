//! What reaches the core: words for everything, receipts by class, and nothing of what nobody said.

use std::path::Path;

use bytes::Bytes;
use shared::Kind;

use super::super::inspect::tests::signature;
use super::super::parse::{Parsed, parse};
use super::super::verify::{AppSecret, verify};
use super::*;

fn fixture(name: &str) -> Parsed {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/whatsapp/fixtures").join(name);
    let body = Bytes::from(std::fs::read(path).unwrap());
    let numbers = vec!["500100200300401".to_owned(), "500100200300402".to_owned()];
    let signed = signature("s", &body);
    parse(&verify(body, Some(&signed), &[AppSecret { secret: "s".into(), numbers }]).unwrap())
}

fn received() -> Timestamp {
    Timestamp::from_second(1_794_900_900).unwrap()
}

fn told(name: &str) -> Vec<(Kind, String)> {
    let parsed = fixture(name);
    let told = parsed.messages.iter().filter_map(|message| customer_message(message, received()));
    told.map(|(_, message)| (message.kind, message.text)).collect()
}

fn words(name: &str) -> Vec<String> {
    told(name).into_iter().map(|(_, text)| text).collect()
}

#[test]
fn a_text_carries_everything_the_core_asks_for() {
    let parsed = fixture("texts.json");
    let (line, message) = customer_message(&parsed.messages[0], received()).unwrap();
    assert_eq!(line, LineKey::whatsapp("500100200300401"));
    assert_eq!(event_key(&parsed.messages[0]), "wa:500100200300401:wamid.OWN-1");
    assert_eq!((message.source.as_str(), message.kind), ("wamid.OWN-1", Kind::Text));
    assert_eq!(message.text, "Is the shop open today?");
    assert_eq!(message.at.as_second(), 1_794_900_000);
    assert_eq!(message.name.as_deref(), Some("Customer A"));
    assert_eq!(message.customer.phone(), Some("15550100077"));
    assert_eq!(message.customer.user_id(), Some("US.90000000000000000077"));
}

#[test]
fn without_a_time_the_receipt_counts() {
    let parsed = fixture("odd-neighbours.json");
    let deep = parsed.messages.iter().find(|message| message.id == "wamid.OWN-4").unwrap();
    assert_eq!(customer_message(deep, received()).unwrap().1.at, received());
}

#[test]
fn what_is_not_text_is_told_in_words() {
    let media = [
        "[image] Broken here",
        "[image]",
        "[video]",
        "[audio file]",
        "[voice message]",
        "[document] bill.pdf Page 2",
        "[sticker]",
        "[something WhatsApp cannot pass on: document]",
    ];
    assert_eq!(words("media.json"), media);
    let things = [
        "[location] Depot, 1 Yard https://maps.google.com/?q=48.1,-11.5",
        "[location] https://maps.google.com/?q=48.25,11",
        "[contact] Contact B, +1 555-010-0099",
        "[contact] +15550100077",
        "[contact] +1",
        "[order] 2 × A at 9.5 EUR; 1 × B by Friday",
        "[reaction 👍]",
        "[reaction removed]",
        "[reaction removed]",
        "[edited an earlier message] new words",
        "[edited an earlier message] new caption",
        "[deleted an earlier message]",
        "[a kind of message that is not known here]",
        "[a kind of message that is not known here]",
    ];
    assert_eq!(words("things.json"), things);
    let choices = [
        "Yes, please",
        "Refund",
        "Reopen",
        "[form] stars: 4; why: late",
        "[form]",
        "[a kind of message that is not known here]",
        "[a kind of message that is not known here]",
    ];
    assert_eq!(words("choices.json"), choices);
    assert_eq!(words("texts.json")[6], "[empty message]");
}

#[test]
fn what_nobody_said_to_us_is_not_told() {
    for name in ["system.json", "group.json", "unknown-number.json", "echo.json", "other-product.json"] {
        assert_eq!(told(name), [], "{name}");
    }
    assert_eq!(words("two-numbers.json"), ["one", "two"]);
}

#[test]
fn unknown_kinds_are_told_but_ask_for_nothing() {
    let told = told("unknown-kinds.json");
    assert_eq!(told.len(), 9);
    assert!(told.iter().all(|(kind, _)| *kind == Kind::Unsupported && !kind.asks_for_an_answer()));
}

#[test]
fn a_shared_card_never_becomes_the_senders_address() {
    let parsed = fixture("people.json");
    let by_user_id = customer_message(&parsed.messages[0], received()).unwrap().1;
    assert_eq!(
        (by_user_id.customer.phone(), by_user_id.customer.user_id()),
        (None, Some("US.90000000000000000077"))
    );
}

#[test]
fn an_over_long_text_is_cut_to_what_can_be_stored() {
    let mut message = fixture("texts.json").messages.remove(0);
    message.content = Content::Text("x".repeat(LONGEST + 10));
    let kept = customer_message(&message, received()).unwrap().1.text;
    assert_eq!(kept.chars().count(), LONGEST);
}

#[test]
fn a_name_is_cleaned_and_cut_to_what_can_be_stored() {
    let mut message = fixture("texts.json").messages.remove(0);
    for (told, kept) in [
        ("Jo\u{202E}\u{200B}\u{7}".to_owned(), Some("Jo".to_owned())),
        ("\u{200B} ".repeat(9), None),
        ("x".repeat(500_000), Some(format!("{}…", "x".repeat(199)))),
    ] {
        message.name = Some(told);
        assert_eq!(customer_message(&message, received()).unwrap().1.name, kept);
    }
}

#[test]
fn statuses_become_receipts_by_class() {
    let org = OrgId::new("acme").unwrap();
    let parsed = fixture("statuses.json");
    let notes: Vec<_> = parsed.statuses.iter().map(|status| status_note(status, &org, received())).collect();
    let receipts: Vec<_> = notes.iter().map(|note| note.as_ref().map(|note| note.receipt)).collect();
    let (ok, for_now, never) = (Some, Some(Receipt::FailedForNow), Some(Receipt::Failed));
    let wanted = [
        ok(Receipt::Sent),
        ok(Receipt::Delivered),
        ok(Receipt::Read),
        ok(Receipt::Read),
        never,
        for_now,
        never,
        never,
        never,
        never,
        never,
        None,
        ok(Receipt::Delivered),
    ];
    assert_eq!(receipts, wanted);
    let first = notes[0].as_ref().unwrap();
    assert_eq!((first.vendor_id.as_str(), first.callback.as_deref()), ("wamid.OUR-1", Some("0b4e:7")));
    assert_eq!((&first.org, first.at, &first.trouble), (&org, received(), &None));
    let window = notes[4].as_ref().unwrap().trouble.as_ref().unwrap();
    assert_eq!(window.code, Some(131_047));
    assert!(window.text.contains("24 hours"));
    let foreign = fixture("two-numbers.json");
    assert_eq!(status_note(&foreign.statuses[0], &org, received()), None);
}
