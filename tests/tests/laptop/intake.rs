//! Who is let in: Meta's handshake, and webhooks whose signature proves that they come from Meta.

use serde_json::json;

use super::model::Model;
use super::program::client;
use super::setup::{APP_SECRET, NUMBER, OTHER_APP_SECRET, OTHER_NUMBER, VERIFY_TOKEN};
use super::stage::Stage;
use super::whatsapp::{Customer, contact, new_wamid, now, signature, text, webhook};

async fn handshake(stage: &Stage, token: &str) -> (u16, String) {
    let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
    let url = format!("{}/webhooks/whatsapp", stage.line.url);
    let answer = client().get(url).query(&query).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn the_handshake_gives_the_challenge_back_only_for_the_right_token() {
    let stage = Stage::open().await;
    assert_eq!(handshake(&stage, VERIFY_TOKEN).await, (200, "1158201444".to_owned()));
    for wrong in ["", "verify-token", &VERIFY_TOKEN.to_uppercase()] {
        let (status, body) = handshake(&stage, wrong).await;
        assert!(status == 403 && !body.contains("1158201444"), "{wrong:?}: {status}");
    }
}

#[tokio::test]
async fn a_ready_line_says_where_it_is() {
    let stage = Stage::open().await;
    let stdout = stage.line.stdout();
    assert!(stdout.contains(&stage.line.url), "{stdout}");
}

#[tokio::test]
async fn what_is_not_signed_by_meta_is_refused_and_nothing_of_it_is_kept() {
    let stage = Stage::open().await;
    let customer = Customer::number(1);
    let forged = new_wamid();
    let body =
        serde_json::to_vec(&stage.message(&customer, &forged, now(), "Forged words, never to be read."))
            .unwrap();
    let right = signature(APP_SECRET, &body);
    let mut altered = body.clone();
    *altered.last_mut().unwrap() = b' ';
    let wrong = [
        (body.clone(), None),
        (body.clone(), Some(signature("no-such-secret", &body))),
        (body.clone(), Some(signature(OTHER_APP_SECRET, &body))),
        (body.clone(), Some(signature("", &body))),
        (body.clone(), Some(String::new())),
        (body.clone(), Some("sha256=".to_owned())),
        (body.clone(), Some(right.replace("sha256=", "sha1="))),
        (body.clone(), Some(right[..40].to_owned())),
        (altered, Some(right)),
    ];
    for (body, signature) in wrong {
        assert_eq!(stage.post_whatsapp(body, signature.as_deref()).await, 401, "{signature:?}");
    }
    let genuine = stage.says(&customer, "Genuine words, please answer.").await;
    stage.graph.until_received(&customer, 1).await;
    let asked = stage.model.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].user_lines(), ["Genuine words, please answer."]);
    assert!(!stage.line.stores(forged.as_bytes()));
    assert!(stage.line.stores(genuine.as_bytes()), "the search above looks where messages are kept");
}

#[tokio::test]
async fn each_number_is_believed_only_with_its_own_apps_secret() {
    let stage = Stage::with(|setup| setup.other_number = true).await;
    let customer = Customer::number(2);
    let speak = |number: &str, words: &str| {
        stage.keep_out_of_logs(words);
        let contents = json!({"contacts": [contact(&customer)], "messages": [text(&customer, &new_wamid(), now(), words)]});
        serde_json::to_vec(&webhook(number, &contents)).unwrap()
    };
    // Genuine by its signature, but the app that signed it has nothing to do with the number inside.
    for (number, secret) in [(NUMBER, OTHER_APP_SECRET), (OTHER_NUMBER, APP_SECRET)] {
        let body = speak(number, "Words for a number of another app.");
        let signature = signature(secret, &body);
        stage.post_whatsapp(body, Some(&signature)).await;
    }
    let body = speak(OTHER_NUMBER, "Words for the second number.");
    let signature = signature(OTHER_APP_SECRET, &body);
    assert_eq!(stage.post_whatsapp(body, Some(&signature)).await, 200);
    let answer = stage.graph.until_received(&customer, 1).await.remove(0);
    assert_eq!(answer.line, OTHER_NUMBER);
    stage.says_and_is_answered(&customer, "Words for the first number.").await;
    assert_eq!(stage.graph.received(&customer)[1].line, NUMBER);
    assert_eq!(stage.model.asked().len(), 2);
}

#[tokio::test]
async fn a_message_for_an_unknown_number_is_taken_and_leads_to_nothing() {
    let stage = Stage::open().await;
    let customer = Customer::number(3);
    let words = "Words for somebody else's number.";
    stage.keep_out_of_logs(words);
    let contents =
        json!({"contacts": [contact(&customer)], "messages": [text(&customer, &new_wamid(), now(), words)]});
    assert_eq!(stage.post_signed(&webhook("880200000099999", &contents)).await, 200);
    stage.says_and_is_answered(&customer, "Words for the right number.").await;
    let asked = stage.model.asked();
    assert_eq!((asked.len(), asked[0].user_lines().len()), (1, 1));
    assert_eq!(stage.creatio.cases().len(), 1);
}

#[tokio::test]
async fn webhooks_that_carry_no_message_are_taken() {
    let stage = Stage::open().await;
    for body in [
        json!({"object": "whatsapp_business_account", "entry": []}),
        json!({"object": "page", "entry": [{"id": "1", "messaging": []}]}),
        json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
            {"field": "account_update", "value": {"event": "DISABLED_UPDATE"}}, {"field": "messages", "value": null}]}]}),
        json!({}),
    ] {
        assert_eq!(stage.post_signed(&body).await, 200, "{body}");
    }
    let customer = Customer::number(4);
    stage.says_and_is_answered(&customer, "Still there after all that?").await;
    assert_eq!(Model::echo("Still there after all that?"), stage.graph.texts(&customer)[0]);
}
