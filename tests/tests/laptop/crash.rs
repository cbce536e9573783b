//! The process is killed without warning and started again on the same folder: nothing is lost, nothing is doubled.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::Value;
use tokio::time::interval;

use super::graph::Fault;
use super::model::{FAREWELL, Model};
use super::program::client;
use super::setup::{APP_SECRET, NUMBER};
use super::stage::Stage;
use super::wait::within;
use super::whatsapp::{Customer, new_wamid, now, signature, status, webhook};

/// What a killed worker had in its hands is free again within a minute; this is a little more.
const LEASE: Duration = Duration::from_secs(80);

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let mut stage = Stage::open().await;
    let customer = Customer::number(121);
    let wamid = new_wamid();
    let body = stage.message(&customer, &wamid, now(), "Will you remember this?");
    assert_eq!(stage.post_signed(&body).await, 200);
    stage.graph.until_received(&customer, 1).await;
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;

    stage.line.kill();
    stage.line.begin().await;

    assert_eq!(stage.post_signed(&body).await, 200, "the same webhook again");
    stage.says(&customer, "Do you still know me?").await;
    let filed = || stage.creatio.texts(&case).iter().any(|text| text == "Do you still know me?");
    within(LEASE, "the message is filed", || filed().then_some(())).await;
    stage.rep_replies(&case, "Of course we do.").await;
    let received = stage.graph.until_received(&customer, 3).await;
    assert_eq!(received[2].text, "Of course we do.");
    assert_eq!((stage.model.asked().len(), stage.creatio.cases().len()), (2, 1));
    assert_eq!(
        stage.creatio.texts(&case).iter().filter(|t| t.contains("Will you remember this?")).count(),
        2,
        "the message and its echo"
    );
}

#[tokio::test]
async fn what_was_acknowledged_before_a_crash_is_answered_after_it() {
    let mut stage = Stage::with(|setup| setup.debounce_seconds = 1.0).await;
    let customer = Customer::number(122);
    stage.says(&customer, "You have a second to answer this.").await;
    stage.line.kill();
    assert_eq!(stage.graph.count(), 0);
    stage.line.begin().await;
    stage.graph.until_received(&customer, 1).await;
    assert_eq!(stage.graph.texts(&customer), [Model::echo("You have a second to answer this.")]);
}

#[tokio::test]
async fn a_hint_from_creatio_before_a_crash_is_followed_after_it() {
    let mut stage = Stage::open().await;
    let customer = Customer::number(123);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    stage.rep_replies(&case, "Between two lives.").await;
    stage.line.kill();
    stage.line.begin().await;
    let texts =
        within(LEASE, "the reply arrives", || Some(stage.graph.texts(&customer)).filter(|t| t.len() > 1))
            .await;
    assert_eq!(texts[1..], ["Between two lives."]);
}

#[tokio::test]
async fn killed_while_a_send_is_under_way_it_repeats_it_at_most_once() {
    let mut stage = Stage::open().await;
    let (unknown, settled) = (Customer::number(124), Customer::number(125));
    for customer in [&unknown, &settled] {
        stage.graph.fail(customer, &[Fault::HangAfter]);
        stage.says(customer, "Are you sending this right now?").await;
        stage.graph.until_attempted(customer, 1).await;
    }
    stage.line.kill();
    let sent = stage.graph.attempts(&settled).remove(0);
    stage.line.begin().await;
    stage.reports(&sent, "delivered").await;

    let what = "the send that was cut off is repeated";
    let attempts = within(Duration::from_secs(150), what, || {
        Some(stage.graph.attempts(&unknown)).filter(|attempts| attempts.len() > 1)
    })
    .await;
    assert_eq!(attempts[0].callback, attempts[1].callback);
    for (customer, count) in [(&unknown, 3), (&settled, 2)] {
        stage.says(customer, "And after the crash?").await;
        let all = stage.graph.until_attempted(customer, count).await;
        assert_eq!(all.len(), count);
        assert_eq!(all[count - 1].text, Model::echo("And after the crash?"));
    }
}

/// How long fifty customers at once may take on a busy machine, in an unoptimised build.
const RUSH: Duration = Duration::from_secs(180);

/// Posts a body again and again until it is taken, as Meta does.
async fn insist(url: &str, body: &Value) {
    let body = serde_json::to_vec(body).unwrap();
    let signature = signature(APP_SECRET, &body);
    let (client, began) = (client(), Instant::now());
    let mut ticks = interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        let request =
            client.post(format!("{url}/webhooks/whatsapp")).header("x-hub-signature-256", &signature);
        if request.body(body.clone()).send().await.is_ok_and(|answer| answer.status() == 200) {
            return;
        }
        assert!(began.elapsed() < RUSH, "the webhook is never taken");
    }
}

fn line(customer: usize, n: usize) -> String {
    format!("Line {n} of three from customer {customer} of fifty.")
}

#[tokio::test]
async fn killed_during_a_rush_it_answers_everybody_and_nobody_twice() {
    let mut stage = Stage::with(|setup| setup.debounce_seconds = 1.0).await;
    let customers: Vec<Customer> = (0..50).map(|n| Customer::number(1000 + n)).collect();
    let url = stage.line.url.clone();
    let mut writers = Vec::new();
    for (number, customer) in customers.iter().enumerate() {
        let bodies: Vec<Value> =
            (1..=3).map(|n| stage.message(customer, &new_wamid(), now(), &line(number, n))).collect();
        let url = url.clone();
        writers.push(tokio::spawn(async move {
            for body in &bodies {
                insist(&url, body).await;
            }
        }));
    }
    within(RUSH, "the first answers are out", || (stage.graph.count() >= 10).then_some(())).await;
    stage.line.kill();
    // What was on the wire when the process died arrives all the same, on a busy machine a little later.
    let (mut taken, mut quiet) = (0, 0);
    within(RUSH, "WhatsApp has taken what was under way", || {
        let now = stage.graph.count();
        quiet = if now == taken { quiet + 1 } else { 0 };
        taken = now;
        (quiet > 50).then_some(())
    })
    .await;
    let sent_before: Vec<_> = customers.iter().flat_map(|customer| stage.graph.attempts(customer)).collect();
    stage.line.begin().await;
    // WhatsApp reports on everything that it has, also on what the line never learned to have sent.
    for sent in &sent_before {
        insist(&url, &webhook(NUMBER, &serde_json::json!({"statuses": [status(sent, "sent")]}))).await;
    }
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    everybody_is_answered_once(&stage, &customers).await;
    everything_is_filed_once(&stage, &customers).await;
}

async fn everybody_is_answered_once(stage: &Stage, customers: &[Customer]) {
    for (number, customer) in customers.iter().enumerate() {
        let last = Model::echo(&line(number, 3));
        // A send that was written down and never made looks like one whose outcome is unknown; that takes longest.
        within(RUSH, "the last line is answered", || {
            stage.graph.texts(customer).contains(&last).then_some(())
        })
        .await;
        let attempts = stage.graph.attempts(customer);
        let callbacks: HashSet<&str> = attempts.iter().map(|sent| sent.callback.as_str()).collect();
        assert_eq!(callbacks.len(), attempts.len(), "a message was sent twice: {attempts:#?}");
        let texts: HashSet<&str> = attempts.iter().map(|sent| sent.text.as_str()).collect();
        assert_eq!(texts.len(), attempts.len(), "something was said twice: {attempts:#?}");
        assert!((1..=3).contains(&attempts.len()));
    }
}

async fn everything_is_filed_once(stage: &Stage, customers: &[Customer]) {
    let filed = |words: &str| {
        let activities = stage.creatio.rows("Activity");
        activities.iter().filter(|row| row["DetailedResult"].as_str().unwrap().starts_with(words)).count()
    };
    for number in 0..customers.len() {
        for n in 1..=3 {
            let words = line(number, n);
            within(LEASE, "each line is filed", || (filed(&words) > 0).then_some(())).await;
            assert_eq!(filed(&words), 1, "a line is filed twice");
        }
    }
    assert_eq!(
        (stage.creatio.cases().len(), stage.creatio.rows("Contact").len()),
        (customers.len(), customers.len())
    );
}
