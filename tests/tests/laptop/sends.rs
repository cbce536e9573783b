//! What becomes of a send: duplicates, refusals, statuses in any order, and outcomes that nobody knows.

use std::time::Duration;

use futures::future::join_all;
use tokio::net::TcpListener;

use super::graph::{Fault, Graph};
use super::model::Model;
use super::program::free_port;
use super::setup::ACCESS_TOKEN;
use super::stage::Stage;
use super::wait::{until, within};
use super::whatsapp::{Customer, new_wamid, now};

#[tokio::test]
async fn one_webhook_brought_several_times_at_once_is_one_message() {
    let stage = Stage::open().await;
    let customer = Customer::number(101);
    let body = stage.message(&customer, &new_wamid(), now(), "Brought to you three times.");
    let answers = join_all((0..3).map(|_| stage.post_signed(&body))).await;
    assert!(answers.iter().all(|status| *status == 200));
    stage.graph.until_received(&customer, 1).await;
    assert_eq!(stage.post_signed(&body).await, 200);

    stage.says_and_is_answered(&customer, "And this only once.").await;
    let lines = stage.model.asked().pop().unwrap().user_lines();
    assert_eq!(lines, ["Brought to you three times.", "And this only once."]);
    assert_eq!(stage.model.asked().len(), 2);
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, &Model::echo("And this only once.")).await;
    assert_eq!(stage.creatio.activities(&case).len(), 4);
}

#[tokio::test]
async fn statuses_out_of_order_change_nothing_for_the_worse() {
    let stage = Stage::open().await;
    let customer = Customer::number(102);
    let sent = stage.says_and_is_answered(&customer, "Did you get my letter?").await;
    for word in ["read", "failed", "sent", "delivered", "failed", "played", "invented_in_the_future"] {
        stage.reports(&sent, word).await;
    }
    // Whatever a late "failed" did would stand before the answer to the next message.
    stage.says_and_is_answered(&customer, "I hope you did.").await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, &Model::echo("I hope you did.")).await;
    let texts = stage.creatio.texts(&case);
    assert!(!texts.iter().any(|text| text.contains("Not delivered")), "{texts:?}");
    assert_eq!(stage.graph.attempts(&customer).len(), 2);
}

#[tokio::test]
async fn an_answer_that_whatsapp_could_not_deliver_goes_to_a_person() {
    let stage = Stage::open().await;
    let customer = Customer::number(103);
    let sent = stage.says_and_is_answered(&customer, "Can you hear me?").await;
    stage.reports(&sent, "sent").await;
    stage.reports(&sent, "failed").await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, "131026").await;
    stage.creatio.until_filed(&case, "could not be delivered").await;
    assert_eq!(stage.graph.attempts(&customer).len(), 1, "it was sent again");
}

#[tokio::test]
async fn a_refusal_for_good_is_not_tried_again_and_a_person_knows() {
    let stage = Stage::open().await;
    let customer = Customer::number(104);
    stage.graph.fail(&customer, &[Fault::Code(400, 131_026)]);
    stage.says(&customer, "Please answer me on this number.").await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, "Not delivered (code 131026)").await;
    assert_eq!(stage.graph.attempts(&customer).len(), 1);
}

#[tokio::test]
async fn too_many_messages_at_once_are_sent_a_little_later() {
    let stage = Stage::open().await;
    let (busy, pair) = (Customer::number(105), Customer::number(106));
    stage.graph.fail(&busy, &[Fault::Code(429, 130_429), Fault::Code(400, 130_429)]);
    stage.graph.fail(&pair, &[Fault::Code(400, 131_056)]);
    stage.says(&busy, "Everybody writes at the same time.").await;
    stage.says(&pair, "I write faster than I may.").await;
    stage.graph.until_received(&busy, 1).await;
    stage.graph.until_received(&pair, 1).await;
    let attempts = stage.graph.attempts(&pair);
    let pause = attempts[1].at.duration_since(attempts[0].at);
    assert!(pause >= Duration::from_secs(6), "the next message to one customer after {pause:?}");
    assert_eq!((attempts.len(), stage.graph.attempts(&busy).len()), (2, 3));
}

#[tokio::test]
async fn what_could_not_leave_is_sent_when_whatsapp_is_reachable_again() {
    let port = free_port();
    let stage = Stage::with(|setup| setup.graph_url = Some(format!("http://127.0.0.1:{port}"))).await;
    let customer = Customer::number(107);
    stage.says(&customer, "Is the line down?").await;
    until("the send is tried", || stage.line.said().contains("never sent").then_some(())).await;
    let late = Graph::on(TcpListener::bind(("127.0.0.1", port)).await.unwrap(), ACCESS_TOKEN);
    let received = late.until_received(&customer, 1).await;
    assert_eq!(received[0].text, Model::echo("Is the line down?"));
    assert_eq!(late.attempts(&customer).len(), 1);
}

#[tokio::test]
async fn a_status_that_overtakes_the_answer_to_the_send_settles_it() {
    let stage = Stage::open().await;
    let customer = Customer::number(108);
    stage.graph.fail(&customer, &[Fault::Slow(Duration::from_secs(2))]);
    stage.says(&customer, "Who is faster?").await;
    let sent = stage.graph.until_attempted(&customer, 1).await.remove(0);
    stage.reports(&sent, "sent").await;
    stage.reports(&sent, "delivered").await;
    stage.says(&customer, "The messenger is!").await;
    stage.graph.until_received(&customer, 2).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, &Model::echo("The messenger is!")).await;
    assert_eq!(stage.graph.attempts(&customer).len(), 2);
}

/// Six customers, six ways not to know. They share one line because each takes more than a minute.
#[tokio::test]
async fn an_unknown_outcome_is_settled_by_a_status_or_by_one_repeat_that_is_counted() {
    let stage = Stage::open().await;
    let [settled, cut, broken, before, silent, token] = [109, 110, 111, 112, 113, 114].map(Customer::number);
    stage.graph.fail(&settled, &[Fault::CutAfter]);
    stage.graph.fail(&cut, &[Fault::CutAfter]);
    stage.graph.fail(&broken, &[Fault::BrokenAfter]);
    stage.graph.fail(&before, &[Fault::BrokenBefore]);
    stage.graph.fail(&silent, &[Fault::HangBefore]);
    stage.graph.fail(&token, &[Fault::Code(401, 190)]);
    for customer in [&settled, &cut, &broken, &before, &silent, &token] {
        stage.says(customer, "Will this reach me once?").await;
    }
    let sent = stage.graph.until_attempted(&settled, 1).await.remove(0);
    stage.reports(&sent, "sent").await;

    for customer in [&cut, &broken, &before, &silent] {
        let most = Duration::from_secs(130);
        let what = "an unknown send is repeated";
        let attempts =
            within(most, what, || Some(stage.graph.attempts(customer)).filter(|a| a.len() > 1)).await;
        let pause = attempts[1].at.duration_since(attempts[0].at);
        assert!(pause >= Duration::from_secs(60), "repeated after {pause:?}, before a status could come");
        assert_eq!(attempts[0].callback, attempts[1].callback, "the repeat is the same message");
        assert_eq!(attempts[0].text, attempts[1].text);
    }
    // A refused credential is no unknown outcome: it is tried again when an operator may have mended it.
    stage.graph.until_received(&token, 1).await;

    // The lane is free again, and no third copy comes before what follows.
    let attempts = [(&settled, 1), (&cut, 2), (&broken, 2), (&before, 2), (&silent, 2), (&token, 2)];
    for (customer, attempts) in attempts {
        stage.says(customer, "And what comes after it?").await;
        let all = stage.graph.until_attempted(customer, attempts + 1).await;
        assert_eq!(all.len(), attempts + 1);
        assert_eq!(all[attempts].text, Model::echo("And what comes after it?"));
    }
    let noted = || {
        stage
            .creatio
            .rows("Activity")
            .iter()
            .filter(|a| a["DetailedResult"].as_str().unwrap().contains("twice"))
            .count()
    };
    until("the copies in the CRM say that a message may have come twice", || (noted() == 4).then_some(()))
        .await;
}
