//! What an operator does with a queue: look, read, send again, remove.

use serde_json::{Value, json};
use shared::SignedDuration;
use shared_aws::sqs::Depth;
use shared_flow::ports::Queues;

use crate::fake::{Fake, Request, WORDS, fact};

const URL: &str = "http://127.0.0.1/1/dead.fifo";

fn id(request: &Request) -> Value {
    request.entries()[0]["MessageDeduplicationId"].clone()
}

#[tokio::test]
async fn what_is_sent_again_is_no_repeat() {
    let fake = Fake::start().await;
    let job = fact("a", Some("k"), "Hi");
    fake.queues().send(std::slice::from_ref(&job)).await.unwrap();
    fake.letters().resend(URL, &job).await.unwrap();
    fake.letters().resend(URL, &job).await.unwrap();
    let requests = fake.requests();
    assert_eq!(requests.len(), 3);
    assert!(id(&requests[0]) != id(&requests[1]) && id(&requests[1]) != id(&requests[2]));
    let rest = |request: &Request| {
        let entry = &request.entries()[0];
        (entry["MessageBody"].clone(), entry["MessageGroupId"].clone())
    };
    assert_eq!(rest(&requests[0]), rest(&requests[1]));
}

/// Hands out twelve letters, then nothing.
fn letters(request: &Request, before: usize) -> Value {
    let count = (request.body["MaxNumberOfMessages"].as_u64().unwrap() as usize).min(12 - before.min(12));
    let letter = |n: usize| {
        json!({
            "MessageId": n.to_string(), "ReceiptHandle": format!("r{n}"), "Body": WORDS,
            "Attributes": {"SentTimestamp": "1763629200000", "ApproximateReceiveCount": "4"},
        })
    };
    json!({"Messages": (before..before + count).map(letter).collect::<Vec<_>>()})
}

#[tokio::test]
async fn letters_are_received_page_by_page_until_there_are_enough_or_none() {
    let given = std::sync::Arc::new(std::sync::Mutex::new(0));
    let fake = Fake::answering(move |request| {
        let mut given = given.lock().unwrap();
        let page = letters(&request, *given);
        *given += page["Messages"].as_array().unwrap().len();
        Box::pin(async move { (200, page) })
    })
    .await;
    let first = fake.letters().receive(URL, 11, SignedDuration::from_mins(5)).await.unwrap();
    assert_eq!(first.len(), 11);
    assert_eq!((first[10].receipt.as_str(), first[0].receives), ("r10", 4));
    assert_eq!(first[0].sent_at.unwrap().as_second(), 1_763_629_200);
    assert!(!format!("{first:?}").contains("card"));
    assert_eq!(fake.letters().receive(URL, 11, SignedDuration::from_mins(5)).await.unwrap().len(), 1);
    let asked: Vec<Value> = fake.requests().iter().map(|r| r.body["MaxNumberOfMessages"].clone()).collect();
    assert_eq!(asked, [10, 1, 10, 10]);
    assert!(fake.requests().iter().all(|request| request.body["VisibilityTimeout"] == 300));
}

#[tokio::test]
async fn the_depth_is_read_and_a_letter_is_removed() {
    let fake = Fake::answering(|request| {
        let answer = match request.action.as_str() {
            "GetQueueAttributes" => json!({"Attributes": {
                "ApproximateNumberOfMessages": "3",
                "ApproximateNumberOfMessagesNotVisible": "2",
                "ApproximateNumberOfMessagesDelayed": "1",
            }}),
            _ => json!({}),
        };
        Box::pin(async move { (200, answer) })
    })
    .await;
    let depth = fake.letters().depth(URL).await.unwrap();
    assert_eq!(depth, Depth { waiting: 3, in_flight: 2, delayed: 1 });
    fake.letters().remove(URL, "r1").await.unwrap();
    let last = fake.requests().pop().unwrap();
    assert_eq!((last.action.as_str(), &last.body["ReceiptHandle"]), ("DeleteMessage", &json!("r1")));
}
