//! What is sent where: which queue, in which order, how many at once, how long kept back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::SignedDuration;
use shared_aws::sqs::QueueUrls;
use shared_flow::ports::{Job, PortError, Queues};

use crate::fake::{Fake, Request, fact, org, poke, session};

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn turn(number: u32, wait: SignedDuration) -> Job {
    Job::Turn { org: org(), session: session("turn"), number, wait }
}

fn texts(request: &Request, name: &str) -> Vec<String> {
    request.entries().iter().map(|entry| entry[name].as_str().unwrap_or("none").to_owned()).collect()
}

#[tokio::test]
async fn each_job_goes_to_the_queue_of_whoever_works_on_it() {
    let fake = Fake::start().await;
    let crm = [
        Job::SyncCrm { org: org(), session: session("s") },
        Job::LookAtCase { org: org(), case: session("c").0 },
    ];
    let jobs =
        [fact("lane", None, "Hi"), poke(1), crm[0].clone(), crm[1].clone(), turn(1, SignedDuration::ZERO)];
    fake.queues().send(&jobs).await.unwrap();
    for (queue, count) in [("conversation.fifo", 1), ("deliveries", 1), ("crm-sync", 2), ("turns", 1)] {
        let requests = fake.requests_to(queue);
        assert_eq!(requests.len(), 1, "{queue}");
        assert_eq!(requests[0].entries().len(), count, "{queue}");
        // Only commands have an order, and only turns a delay.
        let groups = requests[0].entries().iter().all(|entry| entry.get("MessageGroupId").is_some());
        assert_eq!(groups, queue == "conversation.fifo", "{queue}");
        let delays = requests[0].entries().iter().all(|entry| entry.get("DelaySeconds").is_some());
        assert_eq!(delays, queue == "turns", "{queue}");
    }
}

#[tokio::test]
async fn the_same_fact_has_the_same_deduplication_id_and_no_other_has_it() {
    let fake = Fake::start().await;
    let jobs = [
        fact("a", Some("k1"), "Hi"),
        fact("b", Some("k1"), "Hi"),
        fact("c", Some("k2"), "Hi"),
        fact("d", None, "Hi"),
        fact("e", None, "Hi"),
    ];
    fake.queues().send(&jobs).await.unwrap();
    // The same fact, read again later: its key says so whatever else has changed.
    fake.queues().send(&[fact("a", Some("k1"), "Hi!"), fact("d", None, "Hi")]).await.unwrap();
    let requests = fake.requests();
    let ids = texts(&requests[0], "MessageDeduplicationId");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 5, "{ids:?}");
    assert!(ids.iter().all(|id| id.len() == 64));
    let again = texts(&requests[1], "MessageDeduplicationId");
    assert_eq!((&again[0], &again[1]), (&ids[0], &ids[3]));
    assert_eq!(texts(&requests[0], "MessageGroupId"), ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn facts_without_a_key_that_differ_are_two_facts() {
    let fake = Fake::start().await;
    fake.queues().send(&[fact("a", None, "one"), fact("a", None, "two")]).await.unwrap();
    let requests = fake.requests();
    let id = |n: usize| texts(&requests[n], "MessageDeduplicationId");
    assert_ne!(id(0), id(1));
}

#[tokio::test]
async fn no_request_has_two_commands_of_a_lane_and_none_overtakes_another() {
    let fake = Fake::start().await;
    let lanes = ["a", "b", "a", "c", "d", "c", "c"];
    let jobs: Vec<Job> =
        lanes.iter().enumerate().map(|(n, lane)| fact(lane, Some(&n.to_string()), "Hi")).collect();
    fake.queues().send(&jobs).await.unwrap();
    let sent: Vec<Vec<String>> = fake.requests().iter().map(|r| texts(r, "MessageGroupId")).collect();
    assert_eq!(sent, [vec!["a", "b"], vec!["a", "c", "d"], vec!["c"], vec!["c"]]);
}

#[tokio::test]
async fn requests_for_the_ordered_queue_follow_one_another() {
    let fake = Fake::start().await;
    let jobs: Vec<Job> = (0..45).map(|n| fact(&n.to_string(), None, "Hi")).collect();
    fake.queues().send(&jobs).await.unwrap();
    let sizes: Vec<usize> = fake.requests().iter().map(|request| request.entries().len()).collect();
    assert_eq!((sizes, fake.most_at_once()), (vec![10, 10, 10, 10, 5], 1));
    let groups: Vec<String> = fake.requests().iter().flat_map(|r| texts(r, "MessageGroupId")).collect();
    assert_eq!(groups, (0..45).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn eight_requests_for_other_queues_are_under_way_at_once() {
    // Nobody is answered before eight are there: one at a time would wait for ever.
    let gate = Arc::new(tokio::sync::Barrier::new(8));
    let fake = Fake::answering(move |request| {
        let gate = gate.clone();
        Box::pin(async move {
            gate.wait().await;
            request.taken()
        })
    })
    .await;
    let jobs: Vec<Job> = (0..160).map(poke).collect();
    tokio::time::timeout(PATIENCE, fake.queues().send(&jobs)).await.unwrap().unwrap();
    assert_eq!((fake.requests().len(), fake.most_at_once()), (16, 8));
}

#[tokio::test]
async fn a_request_carries_no_more_than_200_kilobytes() {
    let fake = Fake::start().await;
    let text = "x".repeat(60_000);
    let jobs: Vec<Job> = (0..7).map(|n| fact(&n.to_string(), None, &text)).collect();
    fake.queues().send(&jobs).await.unwrap();
    let size = |request: &Request| texts(request, "MessageBody").iter().map(String::len).sum::<usize>();
    let sizes: Vec<usize> = fake.requests().iter().map(size).collect();
    assert_eq!(sizes.len(), 3);
    assert!(sizes.iter().all(|size| *size <= 200_000), "{sizes:?}");
}

#[tokio::test]
async fn a_turn_is_kept_back_for_whole_seconds_rounded_up() {
    let fake = Fake::start().await;
    let waits = [-5_000, 0, 1, 1_000, 1_001, 899_999, 3_600_000].map(SignedDuration::from_millis);
    let jobs: Vec<Job> = waits.into_iter().map(|wait| turn(1, wait)).collect();
    fake.queues().send(&jobs).await.unwrap();
    let delays: Vec<Value> = fake.requests()[0].entries().iter().map(|e| e["DelaySeconds"].clone()).collect();
    assert_eq!(delays, [0, 0, 1, 1, 2, 900, 900]);
}

#[tokio::test]
async fn a_queue_without_an_address_is_named_and_nothing_is_sent() {
    let fake = Fake::start().await;
    let urls = QueueUrls { turns: None, ..fake.urls() };
    let sent = fake.queues_of(urls).send(&[poke(1), turn(1, SignedDuration::ZERO)]).await;
    let Err(PortError::Unavailable { why, .. }) = &sent else { panic!("{sent:?}") };
    assert!(why.contains("SWITCHBOARD_TURNS_QUEUE"), "{why}");
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn bodies_are_plain_ascii() {
    let fake = Fake::start().await;
    fake.queues().send(&[fact("a", None, "\u{1}\u{7f} naïve\u{ffff} 🚒\n")]).await.unwrap();
    let body = &texts(&fake.requests()[0], "MessageBody")[0];
    assert!(body.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{body}");
    assert!(body.contains(r"\u0001\u007f na\u00efve\uffff \ud83d\ude92\n"), "{body}");
}
