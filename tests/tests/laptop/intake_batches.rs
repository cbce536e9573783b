//! What is let in: whole batches, big bodies, and odd items that must not take their neighbours with them.

use serde_json::{Value, json};

use super::model::Model;
use super::setup::{APP_SECRET, NUMBER};
use super::stage::Stage;
use super::wait::until_true;
use super::whatsapp::{Customer, contact, new_wamid, now, signature, status, text, webhook};

/// A webhook with one message of each customer.
fn batch(stage: &Stage, customers: &[Customer], words: &str) -> Value {
    let mut contents = json!({"contacts": [], "messages": []});
    for customer in customers {
        stage.message(customer, "", 0, words);
        contents["contacts"].as_array_mut().unwrap().push(contact(customer));
        let message = text(customer, &new_wamid(), now(), words);
        contents["messages"].as_array_mut().unwrap().push(message);
    }
    webhook(NUMBER, &contents)
}

fn parked(stage: &Stage) -> String {
    String::from_utf8(stage.line.run(&["parked"]).stdout).unwrap()
}

#[tokio::test]
async fn one_odd_message_does_not_take_its_neighbours_with_it() {
    let stage = Stage::open().await;
    let customers = [Customer::number(11), Customer::number(12), Customer::number(13), Customer::number(14)];
    let words = "One of several in a batch.";
    let mut body = batch(&stage, &customers, words);
    let messages = &mut body["entry"][0]["changes"][0]["value"]["messages"];
    messages[1] = json!({"id": {"odd": "wamid"}, "type": ["text"], "timestamp": {}, "text": 17});
    messages[3] = json!("not even an object");
    assert_eq!(stage.post_signed(&body).await, 200);
    for customer in [&customers[0], &customers[2]] {
        let answer = stage.graph.until_received(customer, 1).await;
        assert_eq!(answer[0].text, Model::echo(words));
    }
    assert_eq!(stage.model.asked().len(), 2);
    let listed = parked(&stage);
    assert!(!listed.contains("nothing is parked"), "{listed}");
}

#[tokio::test]
async fn a_message_with_half_a_character_does_not_take_its_neighbours_with_it() {
    let stage = Stage::open().await;
    let customers = [Customer::number(15), Customer::number(16), Customer::number(17)];
    let body = batch(&stage, &customers, "HALF a character between two whole ones.").to_string();
    // The second of the three: an escape that stands for half of a pair, which no strict parser reads.
    let at = body.match_indices("HALF").nth(1).unwrap().0;
    let body = format!("{}\\ud83d{}", &body[..at], &body[at + 4..]).into_bytes();
    let signature = signature(APP_SECRET, &body);
    assert_eq!(stage.post_whatsapp(body, Some(&signature)).await, 200);
    stage.graph.until_received(&customers[0], 1).await;
    stage.graph.until_received(&customers[2], 1).await;
    let listed = parked(&stage);
    assert!(!listed.contains("character"), "the list of what is parked repeats a customer's words: {listed}");
}

#[tokio::test]
async fn a_genuine_body_that_cannot_be_read_is_taken_and_kept_aside() {
    let stage = Stage::open().await;
    let body = br#"{"object":"whatsapp_business_account","entry":[{"changes":[{"#.to_vec();
    let signature = signature(APP_SECRET, &body);
    assert_eq!(stage.post_whatsapp(body, Some(&signature)).await, 200);
    let listed = parked(&stage);
    assert!(listed.contains("1 parked"), "{listed}");
}

#[tokio::test]
async fn a_batch_of_several_customers_and_entries_answers_each() {
    let stage = Stage::open().await;
    let customers: Vec<Customer> = (21..25).map(Customer::number).collect();
    let mut body = batch(&stage, &customers[..2], "First half of a batch.");
    let second = batch(&stage, &customers[2..], "Second half of a batch.");
    body["entry"].as_array_mut().unwrap().push(second["entry"][0].clone());
    assert_eq!(stage.post_signed(&body).await, 200);
    for customer in &customers {
        stage.graph.until_received(customer, 1).await;
    }
    assert_eq!(stage.graph.count(), 4);
}

#[tokio::test]
async fn four_megabytes_are_refused() {
    let stage = Stage::open().await;
    let customer = Customer::number(31);
    let mut body = stage.message(&customer, &new_wamid(), now(), "Words in a body that is too big.");
    body["padding"] = json!("x".repeat(4_000_000));
    assert_eq!(stage.post_signed(&body).await, 413);
    stage.says_and_is_answered(&customer, "Words in a small body.").await;
    assert_eq!(stage.model.asked()[0].user_lines(), ["Words in a small body."]);
}

#[tokio::test]
async fn three_megabytes_with_a_thousand_updates_are_taken() {
    let stage = Stage::open().await;
    let first = Customer::number(32);
    let sent = stage.says_and_is_answered(&first, "Words before the flood.").await;
    let customers: Vec<Customer> = (33..43).map(Customer::number).collect();
    let mut body = batch(&stage, &customers, "One of a thousand.");
    let mut update = status(&sent, "delivered");
    update["conversation"] = json!({"id": "c".repeat(2_700)});
    body["entry"][0]["changes"][0]["value"]["statuses"] = json!(vec![update; 990]);
    let length = body.to_string().len();
    body["padding"] = json!("x".repeat((3 << 20) - length - 13));
    assert_eq!(body.to_string().len(), 3 << 20);
    assert_eq!(stage.post_signed(&body).await, 200);
    for customer in &customers {
        stage.graph.until_received(customer, 1).await;
    }
    until_true("all ten have their case", || stage.creatio.cases().len() == 11).await;
}
