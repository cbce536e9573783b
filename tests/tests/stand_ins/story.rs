//! The whole way, both directions, as it must go wherever the line runs.

use serde_json::json;
use uuid::Uuid;

use super::creatio::{CHAT, CLOSED, GROUP, NEW, REP};
use super::model::{FAREWELL, Model, SUMMARY};
use super::neighbours::Neighbours;
use super::wait::{until, until_true};
use super::whatsapp::Customer;

/// `session uuid:place`, as our id of a message reads.
pub fn is_message_id(text: &str) -> bool {
    let Some((session, place)) = text.split_once(':') else { return false };
    Uuid::parse_str(session).is_ok() && place.parse::<u64>().is_ok()
}

/// A question, an answer, a hand-off, two replies, a closure, and a new beginning.
pub async fn whole_journey(line: &Neighbours) {
    let customer = Customer::number(42);
    line.says_and_is_answered(&customer, "My bicycle bell is broken.").await;
    let case = line.creatio.until_case(1).await;
    line.is_handed_off(&customer).await;
    the_case_is_as_it_should_be(line, &case, &customer).await;

    line.rep_replies(&case, "Good day, I will send you a new bell.").await;
    let received = line.graph.until_received(&customer, 3).await;
    assert_eq!(received[2].text, "Good day, I will send you a new bell.");
    assert!(is_message_id(&received[2].callback));

    // The same news again, twice, then further news: the old reply is not repeated.
    line.creatio_tells(&case).await;
    line.creatio_tells(&case).await;
    line.rep_replies(&case, "It leaves today.").await;
    let received = line.graph.until_received(&customer, 4).await;
    assert_eq!(received[3].text, "It leaves today.");

    // While a person has the session, the machine is silent and the rep sees what the customer writes.
    line.says(&customer, "Thank you so much for the bell!").await;
    line.creatio.until_filed(&case, "Thank you so much for the bell!").await;
    assert_eq!((line.model.asked().len(), line.creatio.cases().len()), (2, 1));

    line.creatio.rep_sets_status(&case, CLOSED);
    line.creatio_tells_of("case_closed", &case).await;
    begins_anew(line, &customer, &case).await;
}

async fn the_case_is_as_it_should_be(line: &Neighbours, case: &str, customer: &Customer) {
    line.creatio.until_filed(case, FAREWELL).await;
    until_true("the summary stands in the case", || line.creatio.case(case)["Symptoms"] == SUMMARY).await;
    let row = line.creatio.case(case);
    assert!(row["Subject"].as_str().unwrap().contains("My bicycle bell is broken."), "{row:?}");
    assert_eq!((&row["OwnerId"], &row["GroupId"]), (&json!(REP), &json!(GROUP)));
    assert_eq!(row["OriginId"], CHAT, "the origin that says chat");

    let contacts = line.creatio.rows("Contact");
    assert_eq!(contacts.len(), 1, "one contact is made");
    assert_eq!(row["ContactId"], contacts[0]["Id"]);
    assert_eq!(contacts[0]["Name"], json!(customer.name));
    assert!(contacts[0]["MobilePhone"].as_str().unwrap().ends_with("12025550042"));
    let numbers = line.creatio.rows("ContactCommunication");
    assert_eq!((numbers.len(), &numbers[0]["ContactId"]), (1, &contacts[0]["Id"]));
    assert_eq!(numbers[0]["SearchNumber"], "24005552021");

    let texts = line.creatio.texts(case);
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
    for activity in line.creatio.activities(case) {
        let title = activity["Title"].as_str().unwrap();
        assert!(!title.is_empty() && title.chars().count() <= 250 && !title.contains('\n'), "{title}");
    }
}

/// After the closure of their case the customer's next message begins a new session with a case of its own.
pub async fn begins_anew(line: &Neighbours, customer: &Customer, closed: &str) {
    // Until the closure is read, a message still belongs to the old session; so each try is its own message, and the
    // first one that the assistant answers came after the closure.
    let before = line.graph.received(customer).len();
    let mut tries = 0;
    let mut answered = false;
    while !answered {
        tries += 1;
        assert!(tries < 50, "the closure of the case is not noticed");
        let words = format!("Hello again, I have another question, number {tries}.");
        line.says(customer, &words).await;
        answered = until("it is answered, or filed in the old case", || {
            if line.graph.received(customer).len() > before {
                return Some(true);
            }
            line.creatio.texts(closed).iter().any(|text| text.contains(&words)).then_some(false)
        })
        .await;
    }
    let fresh = line.creatio.until_case(2).await;
    assert_ne!(fresh, closed);
    line.creatio.until_filed(&fresh, "Hello again").await;
    assert_eq!(line.creatio.rows("Contact").len(), 1, "the customer is known by now");
    assert_ne!(line.creatio.case(closed)["StatusId"], NEW, "the rep's status stands");
    assert_ne!(line.session_of(closed).await, line.session_of(&fresh).await);
}
