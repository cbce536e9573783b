//! A Creatio that fails: the customer is served all the same, and the copy in the CRM becomes complete, never double.

use std::time::Duration;

use super::creatio::{Fault, Order};
use super::model::Model;
use super::stage::Stage;
use super::wait::{until, within};
use super::whatsapp::Customer;

fn once(method: &'static str, set: &'static str, fault: Fault) -> Order {
    Order { method: Some(method), set: Some(set), fault, times: 1 }
}

/// A question and its answer are in the case, each once, in order.
async fn the_copy_is_complete(stage: &Stage, words: &str) {
    let echo = Model::echo(words);
    let filed = || stage.creatio.rows("Activity").iter().any(|row| row["DetailedResult"] == *echo);
    within(Duration::from_secs(100), "the answer is filed", || filed().then_some(())).await;
    let case = stage.creatio.until_case(1).await;
    let texts = stage.creatio.texts(&case);
    assert!(texts[0].starts_with(words) && texts[1] == echo && texts.len() == 2, "{texts:?}");
    assert_eq!(stage.creatio.rows("Activity").len(), 2);
    assert_eq!(
        (stage.creatio.rows("Contact").len(), stage.creatio.rows("ContactCommunication").len()),
        (1, 1)
    );
}

async fn survives(number: u32, orders: &[Order]) -> Stage {
    let stage = Stage::open().await;
    for order in orders {
        stage.creatio.fail(*order);
    }
    let words = "Which tyre fits my rim?";
    stage.says_and_is_answered(&Customer::number(number), words).await;
    the_copy_is_complete(&stage, words).await;
    stage
}

#[tokio::test]
async fn a_login_page_with_status_200_is_no_answer() {
    let stage = survives(131, &[once("POST", "Case", Fault::LoginPage)]).await;
    assert_eq!(stage.creatio.tokens_given(), 2, "a login page means a new token, once");
}

#[tokio::test]
async fn a_redirect_to_the_login_page_is_not_followed() {
    let stage = survives(132, &[once("POST", "Case", Fault::Redirect)]).await;
    assert_eq!(stage.creatio.tokens_given(), 2);
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() {
    let stage = survives(133, &[]).await;
    let first = stage.creatio.tokens_given();
    assert_eq!(first, 1, "one token is shared by all calls");
    stage.creatio.expire_tokens();
    stage.says_and_is_answered(&Customer::number(133), "And which tube?").await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, &Model::echo("And which tube?")).await;
    assert_eq!(stage.creatio.tokens_given(), first + 1);
}

#[tokio::test]
async fn a_site_that_refuses_every_token_is_not_stormed_and_the_customer_is_served() {
    let stage = Stage::open().await;
    stage.creatio.fail_always(Fault::Unauthorized);
    let customer = Customer::number(134);
    stage.says_and_is_answered(&customer, "Is your office closed?").await;
    until("the line finds that it is refused", || (stage.creatio.tokens_given() >= 2).then_some(())).await;
    for n in 0..3 {
        stage.says_and_is_answered(&customer, &format!("Question {n} to a closed office.")).await;
    }
    let tokens = stage.creatio.tokens_given();
    assert!(tokens <= 4, "{tokens} tokens were asked for");
}

#[tokio::test]
async fn missing_rights_stop_the_copy_and_not_the_customer_and_mend_by_themselves() {
    let stage = Stage::open().await;
    stage.creatio.fail_always(Fault::Forbidden);
    let words = "May the machine write there?";
    stage.says_and_is_answered(&Customer::number(135), words).await;
    until("it is refused", || stage.creatio.calls().pop()).await;
    assert!(stage.creatio.cases().is_empty());
    stage.creatio.mend();
    the_copy_is_complete(&stage, words).await;
}

#[tokio::test]
async fn a_site_that_asks_to_wait_is_left_alone_for_so_long() {
    let stage = survives(136, &[once("POST", "Case", Fault::Throttled(4))]).await;
    let posts: Vec<_> =
        stage.creatio.calls().into_iter().filter(|c| c.method == "POST" && c.set == "Case").collect();
    let pause = posts[1].at.duration_since(posts[0].at);
    assert!(pause >= Duration::from_secs(4), "again after {pause:?}");
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    let orders = [once("POST", "Contact", Fault::Broken), once("POST", "Activity", Fault::Broken)];
    survives(137, &orders).await;
}

#[tokio::test]
async fn a_row_that_was_written_before_the_error_is_not_written_again() {
    let sets = ["Contact", "ContactCommunication", "Case", "Activity"];
    survives(138, &sets.map(|set| once("POST", set, Fault::WrittenThenBroken))).await;
}

#[tokio::test]
async fn a_row_that_was_written_before_the_connection_was_cut_is_not_written_again() {
    let sets = ["Contact", "ContactCommunication", "Case", "Activity"];
    survives(139, &sets.map(|set| once("POST", set, Fault::WrittenThenCut))).await;
}

#[tokio::test]
async fn a_row_that_was_written_before_a_time_out_is_not_written_again() {
    let sets = ["Case", "Activity"];
    survives(140, &sets.map(|set| once("POST", set, Fault::WrittenThenHang))).await;
}

#[tokio::test]
async fn a_reading_that_fails_loses_no_reply() {
    let stage = Stage::open().await;
    let customer = Customer::number(141);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, super::model::FAREWELL).await;
    for fault in [Fault::Broken, Fault::LoginPage, Fault::Throttled(1)] {
        stage.creatio.fail(once("GET", "Activity", fault));
    }
    stage.rep_replies(&case, "Third time lucky.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Third time lucky.");
}

#[tokio::test]
async fn after_an_outage_the_whole_conversation_is_filed_in_order() {
    let stage = Stage::open().await;
    let customer = Customer::number(142);
    stage.creatio.fail_always(Fault::Broken);
    for n in 1..=3 {
        stage.says_and_is_answered(&customer, &format!("Question {n} of three.")).await;
    }
    stage.creatio.mend();
    let wanted: Vec<String> = (1..=3)
        .map(|n| format!("Question {n} of three."))
        .flat_map(|words| [words.clone(), Model::echo(&words)])
        .collect();
    let texts = within(Duration::from_secs(60), "everything is filed", || {
        let case = stage.creatio.cases().first()?["Id"].as_str()?.to_owned();
        Some(stage.creatio.texts(&case)).filter(|texts| texts.len() >= wanted.len())
    })
    .await;
    assert_eq!(texts.len(), wanted.len());
    assert!(texts.iter().zip(&wanted).all(|(text, words)| text.starts_with(words.as_str())), "{texts:?}");
}
