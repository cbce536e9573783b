//! The whole way, both directions: question, answer, hand-off, case, a rep's reply, closure, and a new beginning.

use serde_json::{Value, json};
use uuid::Uuid;

use super::creatio::{self, CHAT, CLOSED, EMAIL, Flavour, GROUP, NEW, OUTGOING, Order, REP, RESOLVED};
use super::graph::Fault;
use super::model::{FAREWELL, Model, SUMMARY, Says};
use super::setup::NUMBER;
use super::stage::Stage;
use super::wait::{until, until_true};
use super::whatsapp::Customer;

/// `session uuid:place`, as our id of a message reads.
fn is_message_id(text: &str) -> bool {
    let Some((session, place)) = text.split_once(':') else { return false };
    Uuid::parse_str(session).is_ok() && place.parse::<u64>().is_ok()
}

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

async fn whole_journey(stage: &Stage) {
    let customer = Customer::number(42);
    stage.says_and_is_answered(&customer, "My bicycle bell is broken.").await;
    let case = stage.creatio.until_case(1).await;
    stage.is_handed_off(&customer).await;
    the_case_is_as_it_should_be(stage, &case, &customer).await;

    stage.rep_replies(&case, "Good day, I will send you a new bell.").await;
    let received = stage.graph.until_received(&customer, 3).await;
    assert_eq!(received[2].text, "Good day, I will send you a new bell.");
    assert!(is_message_id(&received[2].callback));

    // The same news again, twice, then further news: the old reply is not repeated.
    stage.creatio_tells(&case).await;
    stage.creatio_tells(&case).await;
    stage.rep_replies(&case, "It leaves today.").await;
    let received = stage.graph.until_received(&customer, 4).await;
    assert_eq!(received[3].text, "It leaves today.");

    // While a person has the session, the machine is silent and the rep sees what the customer writes.
    stage.says(&customer, "Thank you so much for the bell!").await;
    stage.creatio.until_filed(&case, "Thank you so much for the bell!").await;
    assert_eq!((stage.model.asked().len(), stage.creatio.cases().len()), (2, 1));

    stage.creatio.rep_sets_status(&case, CLOSED);
    stage.creatio_tells_of("case_closed", &case).await;
    begins_anew(stage, &customer, &case).await;
}

async fn the_case_is_as_it_should_be(stage: &Stage, case: &str, customer: &Customer) {
    stage.creatio.until_filed(case, FAREWELL).await;
    until_true("the summary stands in the case", || stage.creatio.case(case)["Symptoms"] == SUMMARY).await;
    let row = stage.creatio.case(case);
    assert!(row["Subject"].as_str().unwrap().contains("My bicycle bell is broken."), "{row:?}");
    assert_eq!((&row["OwnerId"], &row["GroupId"]), (&json!(REP), &json!(GROUP)));
    assert_eq!(row["OriginId"], CHAT, "the origin that says chat");

    let contacts = stage.creatio.rows("Contact");
    assert_eq!(contacts.len(), 1, "one contact is made");
    assert_eq!(row["ContactId"], contacts[0]["Id"]);
    assert_eq!(contacts[0]["Name"], json!(customer.name));
    assert!(contacts[0]["MobilePhone"].as_str().unwrap().ends_with("12025550042"));
    let numbers = stage.creatio.rows("ContactCommunication");
    assert_eq!((numbers.len(), &numbers[0]["ContactId"]), (1, &contacts[0]["Id"]));
    assert_eq!(numbers[0]["SearchNumber"], "24005552021");

    let texts = stage.creatio.texts(case);
    let order = [
        "My bicycle bell is broken.",
        &Model::echo("My bicycle bell is broken."),
        "May I speak to a human",
        "asked for a person",
        FAREWELL,
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|words| {
            texts
                .iter()
                .position(|text| text.contains(words))
                .unwrap_or_else(|| panic!("{words:?} is missing in {texts:?}"))
        })
        .collect();
    assert!(places.is_sorted(), "{places:?} {texts:?}");
    assert!(
        texts[0].contains("+12025550042")
            && texts[0].contains("View session: http://127.0.0.1:8080/sessions/"),
        "{}",
        texts[0]
    );
    assert!(texts[1..].iter().all(|text| !text.contains("View session")), "only the first has the link");
    for activity in stage.creatio.activities(case) {
        let title = activity["Title"].as_str().unwrap();
        assert!(!title.is_empty() && title.chars().count() <= 250 && !title.contains('\n'), "{title}");
    }
}

async fn begins_anew(stage: &Stage, customer: &Customer, closed: &str) {
    // Until the closure is read, a message still belongs to the old session; so each try is its own message, and the
    // first one that the assistant answers came after the closure.
    let before = stage.graph.received(customer).len();
    let mut tries = 0;
    let mut answered = false;
    while !answered {
        tries += 1;
        assert!(tries < 50, "the closure of the case is not noticed");
        let words = format!("Hello again, I have another question, number {tries}.");
        stage.says(customer, &words).await;
        answered = until("it is answered, or filed in the old case", || {
            if stage.graph.received(customer).len() > before {
                return Some(true);
            }
            stage.creatio.texts(closed).iter().any(|text| text.contains(&words)).then_some(false)
        })
        .await;
    }
    let fresh = stage.creatio.until_case(2).await;
    assert_ne!(fresh, closed);
    stage.creatio.until_filed(&fresh, "Hello again").await;
    assert_eq!(stage.creatio.rows("Contact").len(), 1, "the customer is known by now");
    assert_ne!(stage.creatio.case(closed)["StatusId"], NEW, "the rep's status stands");
    assert_ne!(stage.session_of(closed).await, stage.session_of(&fresh).await);
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
