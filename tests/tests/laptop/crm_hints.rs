//! Creatio's webhook: who may call it, what it takes, and what happens when a call is lost or lies.

use std::time::{Duration, Instant};

use serde_json::json;

use super::creatio::Fault;
use super::model::FAREWELL;
use super::program::client;
use super::setup::WEBHOOK_TOKEN;
use super::stage::Stage;
use super::wait::{until_true, within};
use super::whatsapp::Customer;

const NOBODYS_CASE: &str = "3f1d5e6a-93c2-4a6b-9d3e-5b7c1a2e4f60";

/// A session that a person has, and its case.
async fn handed_off(stage: &Stage, customer: &Customer) -> String {
    stage.is_handed_off(customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    case
}

#[tokio::test]
async fn a_wrong_token_is_refused_like_none_at_all() {
    let stage = Stage::open().await;
    let body = json!({"event_type": "new_activity", "caseId": NOBODYS_CASE}).to_string();
    let bare = format!("{}/webhooks/creatio", stage.line.url);
    let none = client()
        .post(bare)
        .header("content-type", "application/json")
        .body(body.clone())
        .send()
        .await
        .unwrap();
    let none = (none.status().as_u16(), none.text().await.unwrap());
    assert_eq!(none.0, 401);
    for wrong in [
        "x".to_owned(),
        WEBHOOK_TOKEN.to_uppercase(),
        format!("{WEBHOOK_TOKEN}%20"),
        WEBHOOK_TOKEN[1..].to_owned(),
    ] {
        let answer = stage.post_creatio(&wrong, body.clone()).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), none, "{wrong}");
    }
    // Not even a body that cannot be read tells that the token was wrong.
    assert_eq!(stage.post_creatio("x", "rubbish").await.status(), 401);
}

#[tokio::test]
async fn a_body_without_a_case_is_refused() {
    let stage = Stage::open().await;
    for body in [
        json!([{"event_type": "new_activity", "caseId": NOBODYS_CASE}]).to_string(),
        json!({"event_type": "new_activity", "caseId": "not-a-guid"}).to_string(),
        json!({"event_type": "new_activity", "caseId": "00000000-0000-0000-0000-000000000000"}).to_string(),
        json!({"event_type": "new_activity", "caseId": ""}).to_string(),
        json!({"event_type": "new_activity"}).to_string(),
        "caseId=3f1d5e6a".to_owned(),
        String::new(),
    ] {
        let answer = stage.post_creatio(WEBHOOK_TOKEN, body.clone()).await;
        assert_eq!(answer.status(), 400, "{body}");
    }
}

#[tokio::test]
async fn a_case_that_is_not_ours_is_taken_and_ignored() {
    let stage = Stage::open().await;
    let customer = Customer::number(151);
    let case = handed_off(&stage, &customer).await;
    let reads = stage.creatio.count("GET", "Activity");
    for event in ["new_activity", "case_closed"] {
        stage.creatio_tells_of(event, NOBODYS_CASE).await;
    }
    stage.rep_replies(&case, "Only our own cases count.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Only our own cases count.");
    assert!(stage.creatio.count("GET", "Activity") <= reads + 2, "a foreign case was read");
}

#[tokio::test]
async fn every_spelling_and_every_empty_mapping_is_tolerated() {
    let stage = Stage::open().await;
    let customer = Customer::number(152);
    let case = handed_off(&stage, &customer).await;
    let zero = "00000000-0000-0000-0000-000000000000";
    let bodies = [
        json!({"event_type": "new_activity", "case_id": case, "activityId": zero, "author": null}),
        json!({"event_type": "new_activity", "CaseId": case.to_uppercase(), "activityId": "", "content": "<p>not the words</p>"}),
        json!({"event_type": "", "caseId": case, "message": {"odd": []}}),
    ];
    for (n, body) in bodies.iter().enumerate() {
        let words = format!("Reply number {n} of the rep.");
        stage.keep_out_of_logs(&words);
        stage.creatio.rep_writes(&case, &words);
        assert_eq!(stage.post_creatio(WEBHOOK_TOKEN, body.to_string()).await.status(), 200, "{body}");
        let received = stage.graph.until_received(&customer, n + 2).await;
        assert_eq!(received[n + 1].text, words, "what stands in the case is said, not what the hint says");
    }
}

#[tokio::test]
async fn an_activity_full_of_empty_guids_is_a_reply_all_the_same() {
    let stage = Stage::open().await;
    let customer = Customer::number(153);
    let case = handed_off(&stage, &customer).await;
    let zero = "00000000-0000-0000-0000-000000000000";
    let columns = json!({"DetailedResult": "Nobody in particular wrote this.", "AuthorId": zero, "OwnerId": zero,
        "ContactId": zero, "MessageTypeId": zero, "PriorityId": zero});
    stage.creatio.rep_adds(&case, &columns);
    stage.creatio_tells(&case).await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Nobody in particular wrote this.");
}

#[tokio::test]
async fn several_replies_told_of_at_once_arrive_once_each_and_in_order() {
    let stage = Stage::open().await;
    let customer = Customer::number(154);
    let case = handed_off(&stage, &customer).await;
    let words: Vec<String> = (1..=4).map(|n| format!("Sentence {n} of a long reply.")).collect();
    for line in &words {
        stage.rep_replies(&case, line).await;
    }
    stage.graph.until_received(&customer, 5).await;
    assert_eq!(stage.graph.texts(&customer)[1..], words);
}

#[tokio::test]
async fn a_reply_before_any_hand_off_takes_the_session_over() {
    let stage = Stage::open().await;
    let customer = Customer::number(155);
    stage.says_and_is_answered(&customer, "Is this a machine?").await;
    let case = stage.creatio.until_case(1).await;
    stage.rep_replies(&case, "No, I am a person.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "No, I am a person.");
    stage.says(&customer, "That is a relief.").await;
    stage.creatio.until_filed(&case, "That is a relief.").await;
    stage.rep_replies(&case, "Glad to help.").await;
    stage.graph.until_received(&customer, 3).await;
    assert_eq!(stage.model.asked().len(), 1, "the machine answered after a person");
}

#[tokio::test]
async fn the_hint_is_answered_at_once_even_when_creatio_is_silent() {
    let stage = Stage::open().await;
    let customer = Customer::number(156);
    let case = handed_off(&stage, &customer).await;
    stage.creatio.fail_always(Fault::WrittenThenHang);
    let began = Instant::now();
    for _ in 0..5 {
        stage.creatio_tells(&case).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "five hints took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_reply_whose_hint_was_lost_is_found_within_about_a_minute() {
    let stage = Stage::open().await;
    let customer = Customer::number(157);
    let case = handed_off(&stage, &customer).await;
    let words = "Nobody told you of this one.";
    stage.keep_out_of_logs(words);
    stage.creatio.rep_writes(&case, words);
    within(Duration::from_secs(75), "the sweep finds the reply", || {
        stage.graph.texts(&customer).contains(&words.to_owned()).then_some(())
    })
    .await;
    stage.creatio_tells(&case).await;
    stage.rep_replies(&case, "And of this one they did.").await;
    until_true("both are there", || stage.graph.texts(&customer).len() >= 3).await;
    assert_eq!(stage.graph.texts(&customer)[1..], [words, "And of this one they did."]);
}
