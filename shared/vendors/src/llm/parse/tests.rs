//! Each kind of answer in `fixtures/`, and what it comes to.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn check(fixture: &str, expected: Expect) {
    let path = format!("{}/src/llm/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    let body = std::fs::read(&path).unwrap();
    expected.assert_eq(&told(parse(&body)));
}

/// The outcome in one line a fact, without what is absent.
fn told(outcome: Result<Answer, ModelError>) -> String {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return error.to_string(),
    };
    let mut lines = vec![format!("reply {:?}", answer.reply)];
    if let Some(Escalation { reason, detail, summary }) = answer.escalation {
        lines.push(format!("handoff {reason:?} {detail:?} {summary:?}"));
    }
    lines.extend(answer.language.map(|tag| format!("language {tag}")));
    lines.extend(answer.sentiment.map(|word| format!("sentiment {word}")));
    lines.join("\n")
}

#[test]
fn a_call_decides_whatever_the_server_makes_of_it() {
    let usual = || {
        expect![[r#"
            reply "Order 4417 left our shop this morning."
            language en
            sentiment neutral"#]]
    };
    check("answer.json", usual());
    check("forced_call_ends_with_stop.json", usual());
    check("arguments_as_object.json", usual());
    check("two_calls.json", usual());
}

#[test]
fn a_hand_off_is_taken_with_or_without_words() {
    check(
        "handoff.json",
        expect![[r#"
        reply "A colleague will take over here."
        handoff AskedForHuman "asked for a person" "The customer wants to speak to a person about order 4417."
        language en
        sentiment negative"#]],
    );
    check(
        "handoff_without_words.json",
        expect![[r#"
        reply ""
        handoff Sensitive "asked for a person" "The customer wants to speak to a person about order 4417."
        language en
        sentiment neutral"#]],
    );
    check(
        "handoff_alone.json",
        expect![[r#"
        reply ""
        handoff Policy "" "Refund above the limit.""#]],
    );
}

#[test]
fn an_unknown_reason_still_calls_a_person() {
    check(
        "handoff_with_unknown_code.json",
        expect![[r#"
        reply "Order 4417 left our shop this morning."
        handoff AskedForHuman "asked for a person" "The customer wants to speak to a person about order 4417."
        language en
        sentiment neutral"#]],
    );
}

#[test]
fn absent_and_null_are_the_same() {
    check("nulls.json", expect![[r#"reply "Yes, until six.""#]]);
}

#[test]
fn choices_and_links_are_written_out() {
    check(
        "buttons.json",
        expect![[r#"
        reply "Which bicycle is it?\n\n1. City bike\n2. Road bike"
        language en
        sentiment neutral"#]],
    );
    check(
        "link.json",
        expect![[r#"
        reply "Track it here:\n\nhttps://shop.example/track/4417"
        language en
        sentiment neutral"#]],
    );
    check(
        "link_unsafe.json",
        expect![[r#"
        reply "Track it here."
        language en
        sentiment neutral"#]],
    );
}

#[test]
fn hidden_characters_and_made_up_values_are_dropped() {
    check("hidden_characters.json", expect![[r#"reply "Yes, we can.""#]]);
}

#[test]
fn plain_words_are_a_reply() {
    check("plain.json", expect![[r#"reply "We are open until six.""#]]);
    check("plain_in_parts.json", expect![[r#"reply "We are open until six.""#]]);
    check("plain_after_thoughts.json", expect![[r#"reply "We are open until six.""#]]);
    check("call_written_out.json", expect![[r#"reply "Until six.""#]]);
}

#[test]
fn what_cannot_be_used_says_why_without_quoting_it() {
    check("neither.json", expect!["model answer unusable: neither a reply nor a hand-off"]);
    check("unknown_tool.json", expect!["model answer unusable: it called a tool other than finish_turn"]);
    check(
        "arguments_not_json.json",
        expect![
            "model answer unusable: the arguments of finish_turn are not the JSON that its schema asks for (line 1, column 31)"
        ],
    );
    check(
        "arguments_empty.json",
        expect![
            "model answer unusable: the arguments of finish_turn are not the JSON that its schema asks for (line 1, column 0)"
        ],
    );
    check(
        "arguments_of_wrong_type.json",
        expect![
            "model answer unusable: the arguments of finish_turn are not the JSON that its schema asks for (line 1, column 24)"
        ],
    );
    check("json_for_nobody.json", expect!["model answer unusable: neither a reply nor a hand-off"]);
    check("thoughts_only.json", expect!["model answer unusable: the answer is empty"]);
    check("empty.json", expect!["model answer unusable: the answer is empty"]);
    check("no_choices.json", expect!["model answer unusable: the answer is empty"]);
    check(
        "login_page.html",
        expect!["model answer unusable: the answer is no chat completion (line 1, column 1)"],
    );
}

#[test]
fn what_was_cut_off_is_never_used() {
    check("cut_off.json", expect!["model answer unusable: it was cut off; be shorter"]);
    check("cut_off_plain.json", expect!["model answer unusable: it was cut off; be shorter"]);
}

#[test]
fn a_refusal_is_no_answer() {
    check("refusal.json", expect!["model refused"]);
    check("content_filter.json", expect!["model refused"]);
}

#[test]
fn an_error_with_status_200_is_an_error() {
    check("error_in_200.json", expect!["model not available: the model's server answered 200 (502)"]);
}

fn with_reply(text: &str) -> Vec<u8> {
    let arguments = serde_json::json!({ "reply": { "text": text } }).to_string();
    let call = serde_json::json!({ "function": { "name": TOOL, "arguments": arguments } });
    let choice = serde_json::json!({ "message": { "tool_calls": [call] } });
    serde_json::json!({ "choices": [choice] }).to_string().into_bytes()
}

#[test]
fn a_reply_may_be_longer_than_one_message_but_not_endless() {
    assert_eq!(parse(&with_reply(&"x".repeat(5_000))).unwrap().reply.len(), 5_000);
    assert_eq!(parse(&with_reply(&"ä".repeat(20_000))).unwrap().reply.chars().count(), 20_000);
    let error = parse(&with_reply(&"x".repeat(20_001))).unwrap_err();
    assert!(matches!(error, ModelError::Malformed(_)), "{error}");
    let plain = serde_json::json!({"choices": [{"message": {"content": "x".repeat(20_001)}}]});
    assert!(matches!(parse(plain.to_string().as_bytes()), Err(ModelError::Malformed(_))));
}

#[test]
fn a_summary_and_a_list_have_an_end() {
    let options: Vec<_> =
        (0..50).map(|n| serde_json::json!({ "title": format!("{n} {}", "x".repeat(200)) })).collect();
    let turn = serde_json::json!({
        "reply": { "text": "Choose:", "format": "list", "options": options },
        "handoff": { "reason": "r".repeat(900), "summary": "s".repeat(9_000) },
    });
    let answer = super::check(serde_json::from_value(turn).unwrap()).unwrap();
    assert_eq!(answer.reply.lines().count(), 2 + OPTIONS);
    let escalation = answer.escalation.unwrap();
    assert_eq!(escalation.detail.chars().count(), DETAIL_CHARS);
    assert_eq!(escalation.summary.chars().count(), SUMMARY_CHARS);
}

proptest! {
    #[test]
    fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(parse(&body).is_err());
    }

    #[test]
    fn no_arguments_are_too_strange(text in "\\PC{0,200}") {
        let call = serde_json::json!({ "function": { "name": TOOL, "arguments": text } });
        let body = serde_json::json!({ "choices": [{ "message": { "tool_calls": [call] } }] });
        prop_assert!(parse(body.to_string().as_bytes()).is_err());
    }
}
