//! A model that is away or useless: the session goes to a person with that reason, and the customer is told, once.

use super::model::{Model, Says};
use super::program::free_port;
use super::stage::Stage;
use super::wait::{SOON, within};
use super::whatsapp::Customer;

/// A question that the model cannot answer ends with a person: the customer is told, the case says why, and the
/// machine stays silent afterwards.
async fn goes_to_a_person(stage: &Stage, customer: &Customer, why: &str) {
    stage.says(customer, "Which bell suits a tandem?").await;
    let told = within(SOON * 3, "the customer is told", || stage.graph.texts(customer).pop()).await;
    assert!(told.contains("colleague"), "{told}");
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, why).await;
    let symptoms = stage.creatio.case(&case)["Symptoms"].clone();
    assert!(
        symptoms.as_str().unwrap().contains("Which bell suits a tandem?"),
        "the summary is made without the model"
    );

    let asked = stage.model.asked().len();
    stage.says(customer, "Hello, anybody?").await;
    stage.creatio.until_filed(&case, "Hello, anybody?").await;
    stage.rep_replies(&case, "The loud one suits a tandem.").await;
    let received = stage.graph.until_received(customer, 2).await;
    assert_eq!(received[1].text, "The loud one suits a tandem.");
    assert_eq!(stage.model.asked().len(), asked, "the machine spoke after the hand-off");
}

#[tokio::test]
async fn a_model_that_nobody_reaches() {
    let nowhere = format!("http://127.0.0.1:{}/v1", free_port());
    let stage = Stage::with(|setup| setup.model_url = Some(nowhere)).await;
    goes_to_a_person(&stage, &Customer::number(71), "could not be reached").await;
}

#[tokio::test]
async fn a_model_that_asks_to_come_back_later() {
    let stage = Stage::open().await;
    stage.model.always(Says::Error(429, "rate_limit_exceeded"));
    goes_to_a_person(&stage, &Customer::number(72), "could not be reached").await;
    assert!(stage.model.asked().len() <= 2, "more than two calls in one turn");
}

#[tokio::test]
async fn a_model_that_is_busy_for_a_moment_answers_after_all() {
    let stage = Stage::open().await;
    stage.model.next(Says::Error(429, "rate_limit_exceeded"));
    stage.says_and_is_answered(&Customer::number(73), "Which bell suits a child?").await;
    assert_eq!(stage.model.asked().len(), 2);
}

#[tokio::test]
async fn a_model_without_money_is_not_asked_twice() {
    let stage = Stage::open().await;
    stage.model.always(Says::Error(429, "insufficient_quota"));
    goes_to_a_person(&stage, &Customer::number(74), "could not be reached").await;
    assert_eq!(stage.model.asked().len(), 1);
}

#[tokio::test]
async fn a_model_that_talks_rubbish() {
    let stage = Stage::open().await;
    stage.model.always(Says::Rubbish);
    goes_to_a_person(&stage, &Customer::number(75), "no usable answer").await;
    assert_eq!(stage.model.asked().len(), 2, "it gets a second chance, and no third");
}

#[tokio::test]
async fn a_model_that_talks_rubbish_once_is_asked_again() {
    let stage = Stage::open().await;
    stage.model.next(Says::Rubbish);
    stage.model.next(Says::Reply("The small one suits a racer.".to_owned()));
    let customer = Customer::number(76);
    stage.says(&customer, "Which bell suits a racer?").await;
    stage.graph.until_received(&customer, 1).await;
    assert_eq!(stage.graph.texts(&customer), ["The small one suits a racer."]);
    assert_eq!(stage.model.asked().len(), 2);
}

#[tokio::test]
async fn a_model_that_calls_a_tool_nobody_offered() {
    let stage = Stage::open().await;
    stage.model.always(Says::UnknownTool);
    goes_to_a_person(&stage, &Customer::number(77), "no usable answer").await;
}

#[tokio::test]
async fn a_model_whose_server_shows_a_page() {
    let stage = Stage::open().await;
    stage.model.always(Says::Page);
    goes_to_a_person(&stage, &Customer::number(78), "no usable answer").await;
}

#[tokio::test]
async fn a_model_that_says_nothing_at_all() {
    let stage = Stage::open().await;
    stage.model.always(Says::Reply("  ".to_owned()));
    goes_to_a_person(&stage, &Customer::number(79), "no usable answer").await;
}

#[tokio::test]
async fn a_model_that_never_stops_talking() {
    let stage = Stage::open().await;
    stage.model.always(Says::Reply("Bells and more bells. ".repeat(5_000)));
    goes_to_a_person(&stage, &Customer::number(80), "no usable answer").await;
}

#[tokio::test]
async fn a_model_that_never_answers() {
    let stage = Stage::open().await;
    stage.model.always(Says::Silence);
    goes_to_a_person(&stage, &Customer::number(81), "could not be reached").await;
    assert_eq!(stage.graph.texts(&Customer::number(81)).len(), 2);
}

#[tokio::test]
async fn a_hand_off_in_another_language_is_announced_in_it() {
    let stage = Stage::open().await;
    stage.model.always(Says::Error(500, "server_error"));
    let customer = Customer::number(82);
    let words = "Guten Tag, meine Bestellung ist leider immer noch nicht angekommen. Was ist da los?";
    stage.says(&customer, words).await;
    let told = stage.graph.until_received(&customer, 1).await.remove(0);
    assert!(told.text.contains("Nachricht"), "{}", told.text);
    assert_ne!(told.text, Model::echo(words));
}
