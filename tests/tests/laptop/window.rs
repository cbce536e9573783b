//! The reply window: outside of it nothing is sent, whoever said it; the rep sees that, and the reply goes out later.

use super::graph::Fault;
use super::stage::Stage;
use super::wait::{until, until_true};
use super::whatsapp::Customer;

const HOUR: i64 = 3600;

#[tokio::test]
async fn a_reply_outside_of_the_window_waits_until_the_customer_writes_again() {
    let stage = Stage::open().await;
    let customer = Customer::number(91);
    stage.said_ago(&customer, "I wrote this the day before.", 25 * HOUR).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, "reached us late").await;
    stage.rep_replies(&case, "Sorry for the long wait.").await;
    stage.creatio.until_filed(&case, "Not delivered yet").await;
    assert_eq!(stage.graph.count(), 0, "something was sent outside of the window");

    stage.says(&customer, "Are you still there?").await;
    let texts = until("the reply goes out", || {
        let texts = stage.graph.texts(&customer);
        texts.iter().any(|text| text == "Sorry for the long wait.").then_some(texts)
    })
    .await;
    stage.rep_replies(&case, "Now we can talk.").await;
    until_true("the next reply goes out", || {
        stage.graph.texts(&customer).contains(&"Now we can talk.".to_owned())
    })
    .await;
    let all = stage.graph.texts(&customer);
    assert_eq!(
        all.iter().filter(|text| *text == "Sorry for the long wait.").count(),
        1,
        "{all:?} after {texts:?}"
    );
    assert!(stage.model.asked().is_empty(), "the machine answered a message of yesterday");
}

#[tokio::test]
async fn a_message_that_comes_a_quarter_of_an_hour_late_goes_to_a_person() {
    let stage = Stage::open().await;
    let customer = Customer::number(92);
    stage.said_ago(&customer, "This was delayed on its way.", 900).await;
    let told = stage.graph.until_received(&customer, 1).await;
    assert!(told[0].text.contains("colleague"), "{}", told[0].text);
    assert!(stage.model.asked().is_empty());
}

#[tokio::test]
async fn when_whatsapp_says_the_window_is_closed_the_reply_waits_too() {
    let stage = Stage::open().await;
    let customer = Customer::number(93);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.graph.fail(&customer, &[Fault::Code(400, 131_047)]);
    stage.rep_replies(&case, "Can you read this?").await;
    stage.creatio.until_filed(&case, "131047").await;
    assert_eq!(stage.graph.texts(&customer).len(), 1);

    stage.says(&customer, "Hello, I am back.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Can you read this?");
}
