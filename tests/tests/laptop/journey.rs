//! The whole way, both directions: question, answer, hand-off, case, a rep's reply, closure, and a new beginning.

use serde_json::{Value, json};

use super::creatio::{self, EMAIL, Flavour, OUTGOING, Order, RESOLVED};
use super::graph::Fault;
use super::model::{FAREWELL, Model, SUMMARY, Says};
use super::setup::NUMBER;
use super::stage::Stage;
use super::story::{begins_anew, is_message_id, whole_journey};
use super::whatsapp::Customer;

#[tokio::test]
async fn an_answer_goes_to_the_customers_number_with_our_id_of_it() {
    let stage = Stage::open().await;
    let customer = Customer::number(41);
    let sent = stage.says_and_is_answered(&customer, "When do you open tomorrow?").await;
    assert_eq!((sent.by, sent.to.as_str(), sent.line.as_str()), ("to", "+12025550041", NUMBER));
    assert!(is_message_id(&sent.callback), "{}", sent.callback);
    let asked = &stage.model.asked()[0];
    assert!(asked.body["messages"][0]["content"].as_str().unwrap().contains("Acme, a bicycle shop"));
    assert_eq!(
        (&asked.body["model"], asked.user_lines().as_slice()),
        (&json!("any"), ["When do you open tomorrow?".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_conversation_goes_from_the_assistant_to_a_rep_and_begins_anew_after_the_case_is_closed() {
    let stage = Stage::open().await;
    whole_journey(&stage).await;
}

#[tokio::test]
async fn the_same_journey_works_with_a_site_on_dot_net() {
    let stage = Stage::with(|setup| setup.flavour = Flavour::Net).await;
    whole_journey(&stage).await;
}

#[tokio::test]
async fn with_cases_only_at_a_hand_off_the_case_has_the_whole_conversation() {
    let stage = Stage::with(|setup| setup.case_only_on_handoff = true).await;
    let customer = Customer::number(43);
    stage.says_and_is_answered(&customer, "Do you sell bells?").await;
    stage.says_and_is_answered(&customer, "And do you sell horns?").await;
    assert!(stage.creatio.cases().is_empty() && stage.creatio.rows("Contact").is_empty());
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    assert_eq!(stage.creatio.case(&case)["Symptoms"], SUMMARY);
    let texts = stage.creatio.texts(&case).join("\n");
    for words in ["Do you sell bells?", &Model::echo("And do you sell horns?"), "View session"] {
        assert!(texts.contains(words), "{words:?} is missing in {texts}");
    }
}

#[tokio::test]
async fn a_contact_that_a_colleague_typed_in_is_found_by_its_number() {
    let stage = Stage::open().await;
    let known = stage.creatio.knows("Kestrel Longstreet", "(202) 555-0044");
    stage.creatio.knows("Somebody Abroad", "+44 202 555 0044");
    stage.says_and_is_answered(&Customer::number(44), "Do you remember me?").await;
    let case = stage.creatio.until_case(1).await;
    assert_eq!(stage.creatio.case(&case)["ContactId"], json!(known));
    assert_eq!(stage.creatio.rows("Contact").len(), 2, "nobody is added");
}

#[tokio::test]
async fn a_reply_by_mail_reaches_the_customer_as_plain_text_and_internal_notes_do_not() {
    let stage = Stage::open().await;
    let customer = Customer::number(45);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    let html = "<p>Dear customer,<br/>it is <b>repaired</b>.</p>";
    let mail = json!({"TypeId": EMAIL, "MessageTypeId": OUTGOING, "Body": html, "IsHtmlBody": true});
    let incoming = json!({"TypeId": EMAIL, "MessageTypeId": "7f9d1f86-f36b-1410-068c-20cf30b39373", "Body": "From the customer's own mailbox."});
    for columns in
        [&incoming, &json!({"IsNotPublished": true, "DetailedResult": "An internal remark."}), &mail]
    {
        stage.keep_out_of_logs(columns["Body"].as_str().or(columns["DetailedResult"].as_str()).unwrap());
        stage.creatio.rep_adds(&case, columns);
    }
    stage.creatio_tells(&case).await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Dear customer,\nit is repaired.");
}

#[tokio::test]
async fn our_own_activities_come_back_as_webhooks_and_are_not_said_again() {
    let stage = Stage::open().await;
    let customer = Customer::number(46);
    stage.says_and_is_answered(&customer, "Is there an echo in here?").await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, &Model::echo("Is there an echo in here?")).await;
    // A process without a filter tells of every activity, ours included.
    for _ in 0..3 {
        stage.creatio_tells(&case).await;
    }
    stage.rep_replies(&case, "No echo, but a person.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "No echo, but a person.");
    let activities: Vec<Value> =
        stage.creatio.activities(&case).iter().map(|row| row["Id"].clone()).collect();
    stage.says(&customer, "I heard you.").await;
    stage.creatio.until_filed(&case, "I heard you.").await;
    assert!(stage.creatio.activities(&case).len() <= activities.len() + 2, "nothing is filed twice");
}

#[tokio::test]
async fn a_resolved_status_in_creatio_ends_the_session_too() {
    let stage = Stage::open().await;
    let customer = Customer::number(47);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    stage.creatio.rep_sets_status(&case, RESOLVED);
    stage.creatio_tells_of("status_changed", &case).await;
    begins_anew(&stage, &customer, &case).await;
}

#[tokio::test]
async fn the_logs_tell_nothing_personal_even_at_their_most_talkative() {
    let ours = "info,shared=trace,shared_flow=trace,shared_vendors=trace,shared_aws=trace,shared_lambda=trace,\
                switchboard=trace,whatsapp_ingress=trace,conversation=trace,agent=trace,delivery=trace,receipts=trace,\
                crm_sync=trace,creatio_webhook=trace,auto_resolve=trace";
    let stage = Stage::with(|setup| setup.log = Some(ours)).await;
    whole_journey(&stage).await;
    let customer = Customer::number(48);
    stage.graph.fail(&customer, &[Fault::Code(400, 131_026)]);
    stage.model.next(Says::Rubbish);
    stage.model.next(Says::Reply("An answer at the second attempt.".to_owned()));
    stage.keep_out_of_logs("An answer at the second attempt.");
    stage.creatio.fail(Order { method: None, set: None, fault: creatio::Fault::Broken, times: 1 });
    stage.says(&customer, "These words lead through every kind of trouble.").await;
    let case = stage.creatio.until_case(3).await;
    stage.creatio.until_filed(&case, "131026").await;
    stage.assert_nothing_leaked();
    assert!(stage.line.said().len() > 1_000, "there is something to search");
}
