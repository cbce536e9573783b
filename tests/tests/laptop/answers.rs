//! The assistant's answers: one for a burst, to whatever address the customer has, in as many parts as it takes.

use super::model::{Model, Says};
use super::stage::Stage;
use super::wait::until;
use super::whatsapp::Customer;

#[tokio::test]
async fn a_burst_of_three_gets_one_answer() {
    let stage = Stage::with(|setup| setup.debounce_seconds = 1.0).await;
    let customer = Customer::number(51);
    let words = ["Hello, it is me.", "It is about my order.", "It has not come yet."];
    for line in words {
        stage.says(&customer, line).await;
    }
    stage.graph.until_received(&customer, 1).await;
    assert_eq!(stage.graph.texts(&customer), [Model::echo(words[2])]);
    assert_eq!(stage.model.asked()[0].user_lines(), words, "each line is a message of its own");

    stage.says_and_is_answered(&customer, "And one more thing.").await;
    assert_eq!(stage.model.asked().len(), 2);
    assert_eq!(stage.model.asked()[1].user_lines().len(), 4, "the thread is known");
}

#[tokio::test]
async fn a_customer_without_a_phone_number_is_answered_by_user_id() {
    let stage = Stage::open().await;
    let customer = Customer::without_phone(52);
    let sent = stage.says_and_is_answered(&customer, "I write under a username.").await;
    assert_eq!((sent.by, &sent.to), ("recipient", customer.user_id.as_ref().unwrap()));
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, customer.user_id.as_ref().unwrap()).await;
    stage.rep_replies(&case, "Usernames are welcome here.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!((received[1].by, received[1].text.as_str()), ("recipient", "Usernames are welcome here."));
}

#[tokio::test]
async fn a_customer_without_a_user_id_is_answered_by_number() {
    let stage = Stage::open().await;
    let customer = Customer { user_id: None, ..Customer::number(53) };
    let sent = stage.says_and_is_answered(&customer, "My phone tells nothing but its number.").await;
    assert_eq!((sent.by, sent.to.as_str()), ("to", "+12025550053"));
    // The same person, now with a user id: the conversation goes on.
    let known = Customer { user_id: Customer::number(53).user_id, ..customer };
    stage.says_and_is_answered(&known, "And now it tells more.").await;
    assert_eq!(stage.model.asked()[1].user_lines().len(), 2);
    assert_eq!(stage.creatio.cases().len(), 1);
}

#[tokio::test]
async fn with_the_assistant_switched_off_messages_wait_for_a_person_and_the_customer_knows() {
    let stage = Stage::with(|setup| setup.ai_enabled = false).await;
    let customer = Customer::number(54);
    stage.says(&customer, "Is anybody there tonight?").await;
    let received = stage.graph.until_received(&customer, 1).await;
    assert!(received[0].text.contains("colleague"), "{}", received[0].text);
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, "switched off").await;

    stage.says(&customer, "I can wait until tomorrow.").await;
    stage.creatio.until_filed(&case, "I can wait until tomorrow.").await;
    stage.rep_replies(&case, "Here I am, good morning.").await;
    let received = stage.graph.until_received(&customer, 2).await;
    assert_eq!(received[1].text, "Here I am, good morning.");
    assert!(stage.model.asked().is_empty(), "the model was asked");
}

#[tokio::test]
async fn plain_words_without_a_call_are_an_answer() {
    let stage = Stage::open().await;
    let customer = Customer::number(55);
    stage.model.next(Says::Plain("We open at nine o'clock.".to_owned()));
    stage.says(&customer, "When do you open?").await;
    stage.graph.until_received(&customer, 1).await;
    assert_eq!(stage.graph.texts(&customer), ["We open at nine o'clock."]);
    assert_eq!(stage.model.asked().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_for_one_message_comes_in_parts_and_in_order() {
    let stage = Stage::open().await;
    let customer = Customer::number(56);
    let paragraphs: Vec<String> = (1..=30).map(|n| format!("Paragraph {n}: {}", "öß ".repeat(100))).collect();
    let answer = paragraphs.join("\n\n");
    stage.keep_out_of_logs(&answer);
    stage.model.next(Says::Reply(answer.clone()));
    stage.says(&customer, "Tell me everything about bells.").await;
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let whole = squeeze(&answer);
    let parts = until("the whole answer has arrived", || {
        let parts = stage.graph.texts(&customer);
        (squeeze(&parts.concat()).len() >= whole.len()).then_some(parts)
    })
    .await;
    assert_eq!(squeeze(&parts.concat()), whole);
    assert!((3..=4).contains(&parts.len()), "{} parts", parts.len());
    assert!(parts.iter().all(|part| part.encode_utf16().count() <= 4096));
    assert!(parts.iter().all(|part| part.starts_with("Paragraph")), "parts begin where paragraphs do");
}

#[tokio::test]
async fn several_customers_are_kept_apart() {
    let stage = Stage::open().await;
    let customers: Vec<Customer> = (57..61).map(Customer::number).collect();
    for (n, customer) in customers.iter().enumerate() {
        stage.says(customer, &format!("I am customer number {n} of four.")).await;
    }
    for (n, customer) in customers.iter().enumerate() {
        stage.graph.until_received(customer, 1).await;
        assert_eq!(stage.graph.texts(customer), [Model::echo(&format!("I am customer number {n} of four."))]);
    }
    let asked = stage.model.asked();
    assert!(asked.iter().all(|asked| asked.user_lines().len() == 1), "nobody sees another's words");
}
