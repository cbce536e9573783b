//! What is made of a service that refuses, takes only some, or is away. No error repeats what anybody wrote.

use shared_flow::ports::{Job, PortError, PortResult, Queues};

use crate::fake::{Fake, Request, WORDS, error, fact, poke};

fn silent(outcome: &PortResult<()>) {
    let shown = format!("{outcome:?} {}", outcome.as_ref().unwrap_err());
    assert!(!shown.contains("card") && !shown.contains(WORDS), "{shown}");
}

fn passing(outcome: &PortResult<()>) -> &str {
    silent(outcome);
    let Err(PortError::Unavailable { why, .. }) = outcome else { panic!("{outcome:?}") };
    why
}

fn for_good(outcome: &PortResult<()>) -> &str {
    silent(outcome);
    let Err(PortError::Unreadable { why, .. }) = outcome else { panic!("{outcome:?}") };
    why
}

fn facts(count: usize) -> Vec<Job> {
    (0..count).map(|n| fact(&n.to_string(), None, WORDS)).collect()
}

/// Refuses the entry of the lane `15` and takes all others.
fn refuses_one(request: &Request, code: &str, fault: bool) -> crate::fake::Answer {
    let refused = request.entries().iter().find(|entry| entry["MessageGroupId"] == "15");
    match refused.and_then(|entry| entry["Id"].as_str()) {
        Some(id) => request.taken_but(&[(id, code, fault)]),
        None => request.taken(),
    }
}

async fn refusing_one(code: &'static str, fault: bool) -> (PortResult<()>, usize) {
    let script = move |request: Request| -> futures::future::BoxFuture<'static, _> {
        Box::pin(async move { refuses_one(&request, code, fault) })
    };
    let fake = Fake::answering(script).await;
    (fake.queues().send(&facts(40)).await, fake.requests().len())
}

#[tokio::test]
async fn a_refused_entry_is_a_failure_and_ends_the_sending_of_commands() {
    let (outcome, requests) = refusing_one("InternalFailure", false).await;
    assert!(passing(&outcome).contains("InternalFailure"));
    assert_eq!(requests, 2, "nothing may overtake what was refused");
}

#[tokio::test]
async fn an_entry_that_is_the_senders_fault_never_passes() {
    let (outcome, requests) = refusing_one("InvalidMessageContents", true).await;
    assert!(for_good(&outcome).contains("InvalidMessageContents"));
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn a_throttled_or_forbidden_key_passes_though_sqs_blames_the_sender() {
    for code in ["KmsThrottled", "KMS.AccessDeniedException", "RequestThrottled"] {
        let (outcome, _) = refusing_one(code, true).await;
        assert!(passing(&outcome).contains(code), "{code}");
    }
}

#[tokio::test]
async fn other_queues_are_served_though_one_batch_is_refused() {
    let fake = Fake::answering(|request| {
        Box::pin(async move {
            match request.queue() {
                "conversation.fifo" => error(503, "ServiceUnavailable"),
                _ if request.entries()[0]["Id"] == "0" && request.entries().len() == 10 => {
                    request.taken_but(&[("3", "InternalFailure", false)])
                }
                _ => request.taken(),
            }
        })
    })
    .await;
    let mut jobs = facts(11);
    jobs.extend((0..21).map(poke));
    let outcome = fake.queues().send(&jobs).await;
    passing(&outcome);
    let requests = (fake.requests_to("conversation.fifo").len(), fake.requests_to("deliveries").len());
    assert_eq!(requests, (1, 3));
}

#[tokio::test]
async fn of_two_failures_the_one_that_may_pass_is_told() {
    let fake = Fake::answering(|request| {
        Box::pin(async move {
            match request.queue() {
                "conversation.fifo" => error(400, "InvalidMessageContents"),
                _ => error(503, "ServiceUnavailable"),
            }
        })
    })
    .await;
    let outcome = fake.queues().send(&[fact("a", None, WORDS), poke(1)]).await;
    assert!(passing(&outcome).contains("ServiceUnavailable"));
    // Trying again then shows the other.
    assert!(
        for_good(&fake.queues().send(&[fact("a", None, WORDS)]).await).contains("InvalidMessageContents")
    );
}

#[tokio::test]
async fn throttling_and_missing_rights_pass() {
    for (status, code) in [
        (400, "RequestThrottled"),
        (403, "AccessDeniedException"),
        (400, "QueueDoesNotExist"),
        (500, "InternalFailure"),
    ] {
        let fake = Fake::answering(move |_| Box::pin(async move { error(status, code) })).await;
        assert!(passing(&fake.queues().send(&facts(1)).await).contains(code), "{code}");
    }
}

#[tokio::test]
async fn an_answer_that_forgets_an_entry_is_no_yes() {
    let fake = Fake::answering(|request| {
        Box::pin(async move {
            let (status, mut answer) = request.taken();
            answer["Successful"].as_array_mut().unwrap().pop();
            (status, answer)
        })
    })
    .await;
    assert!(passing(&fake.queues().send(&facts(2)).await).contains("every entry"));
}

#[tokio::test]
async fn a_service_that_is_not_there_passes() {
    let fake = Fake::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = fake.queues_at(&format!("http://{closed}")).send(&facts(1)).await;
    assert!(passing(&outcome).contains("not reached"));
}
