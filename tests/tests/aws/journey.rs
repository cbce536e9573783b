//! The line on AWS from outside, through API Gateway only: in and out, both directions, and what time does.

use std::time::Duration;

use shared::delivery::DeliveryState;
use shared::{OrgId, SessionId};
use shared_flow::ports::Sessions;

use super::creatio::RESOLVED;
use super::graph::Sent;
use super::model::Model;
use super::program::client;
use super::scene::Scene;
use super::setup::{APP_SECRET, VERIFY_TOKEN};
use super::story::whole_journey;
use super::wait::{SOON, within, within_asking};
use super::whatsapp::{Customer, new_wamid, now, signature};

#[tokio::test]
async fn the_deployed_line_goes_the_whole_way() {
    let scene = Scene::open().await;
    who_is_not_meta_is_refused(&scene).await;
    whole_journey(&scene).await;
    statuses_raise_what_is_known_of_a_message(&scene).await;
    a_quiet_session_is_resolved_by_the_schedule(&scene).await;
    scene.close().await;
}

async fn who_is_not_meta_is_refused(scene: &Scene) {
    assert_eq!(handshake(scene, VERIFY_TOKEN).await, (200, "1158201444".to_owned()));
    for wrong in ["", "verify-token", &VERIFY_TOKEN.to_uppercase()] {
        let (status, body) = handshake(scene, wrong).await;
        assert!(status == 403 && !body.contains("1158201444"), "{wrong:?}: {status}");
    }
    let customer = Customer::number(1);
    let forged = scene.message(&customer, &new_wamid(), now(), "Forged words, never to be read.");
    let body = serde_json::to_vec(&forged).unwrap();
    let mut altered = body.clone();
    *altered.last_mut().unwrap() = b' ';
    let wrong = [
        (body.clone(), None),
        (body.clone(), Some(signature("no-such-secret", &body))),
        (altered, Some(signature(APP_SECRET, &body))),
    ];
    for (body, signature) in wrong {
        assert_eq!(scene.post_whatsapp(body, signature.as_deref()).await, 401, "{signature:?}");
    }
}

async fn handshake(scene: &Scene, token: &str) -> (u16, String) {
    let query = [("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1158201444")];
    let url = format!("{}/webhooks/whatsapp", scene.url);
    let answer = client().get(url).query(&query).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn statuses_raise_what_is_known_of_a_message(scene: &Scene) {
    let customer = Customer::number(51);
    let before = scene.creatio.cases().len();
    let sent = scene.says_and_is_answered(&customer, "Did you get my letter?").await;
    for word in ["delivered", "sent", "read", "failed"] {
        scene.reports(&sent, word).await;
    }
    let case = scene.creatio.until_case(before + 1).await;
    let session = scene.session_of(&case).await;
    let state = async || state_of(scene, &session, &sent).await.filter(|state| *state == DeliveryState::Read);
    within_asking(SOON, "the message counts as read", state).await;
    assert!(!scene.creatio.texts(&case).iter().any(|text| text.contains("Not delivered")));
}

/// What the line knows of a message that it sent.
async fn state_of(scene: &Scene, session: &str, sent: &Sent) -> Option<DeliveryState> {
    let (org, session) = (OrgId::new("acme").unwrap(), SessionId(session.parse().unwrap()));
    let messages = scene.table().messages(&org, session, 1, 100).await.unwrap();
    let mut deliveries = messages.into_iter().filter_map(|message| message.delivery);
    deliveries.find(|delivery| delivery.vendor_id.as_deref() == Some(&sent.wamid)).map(|found| found.state)
}

async fn a_quiet_session_is_resolved_by_the_schedule(scene: &Scene) {
    let quiet = Customer::number(52);
    let before = scene.creatio.cases().len();
    scene.says_and_is_answered(&quiet, "I shall not write again soon.").await;
    let case = scene.creatio.until_case(before + 1).await;
    scene.creatio.until_filed(&case, &Model::echo("I shall not write again soon.")).await;
    assert_ne!(scene.creatio.case(&case)["StatusId"], RESOLVED);
    let half_a_day = (13 * 60 * 60).to_string();
    scene.stack.set_everywhere(&[("SWITCHBOARD_CLOCK_AHEAD_SECONDS", &half_a_day)]).await;
    // The schedule comes once a minute.
    let resolved = || (scene.creatio.case(&case)["StatusId"] == RESOLVED).then_some(());
    within(Duration::from_secs(150), "the quiet session is resolved", resolved).await;
}
