//! What an operator does with a deployed line, and what becomes of what cannot be handled: it is put aside, keeps nobody
//! waiting, is shown, and comes back once the cause is mended.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use shared_flow::ports::PortResult;

use super::creatio::Fault;
use super::model::Model;
use super::scene::Scene;
use super::setup::{APP_SECRET, NUMBER};
use super::wait::{SOON, within_asking};
use super::whatsapp::{Customer, signature};

/// Words in what cannot be read; nobody may repeat them but who keeps the original.
const POISON: &str = "canary words that no function understands";

#[tokio::test]
async fn what_is_put_aside_is_shown_and_comes_back_once_its_cause_is_mended() {
    let scene = Scene::open().await;
    the_conversation_queue_is_in_a_hurry(&scene).await;
    the_commands_tell_how_the_line_is(&scene).await;
    poison_is_put_aside_and_keeps_nobody_waiting(&scene).await;
    what_no_run_survives_becomes_a_dead_letter(&scene).await;
    what_was_put_aside_comes_back(&scene).await;
    scene.close().await;
}

/// A record that no run comes back from is hidden for minutes and tried for days; nobody waits for that here.
async fn the_conversation_queue_is_in_a_hurry(scene: &Scene) {
    let (sqs, url) = (scene.sqs(), scene.stack.output("ConversationQueueUrl"));
    let policy = QueueAttributeName::RedrivePolicy;
    let known =
        sqs.get_queue_attributes().queue_url(url).attribute_names(policy.clone()).send().await.unwrap();
    let mut redrive: Value = serde_json::from_str(&known.attributes.unwrap()[&policy]).unwrap();
    redrive["maxReceiveCount"] = 5.into();
    let set = sqs.set_queue_attributes().queue_url(url).attributes(policy, redrive.to_string());
    set.attributes(QueueAttributeName::VisibilityTimeout, "1").send().await.unwrap();
}

/// `doctor`, with everything that can be tried.
fn doctor<'a>(scene: &'a Scene, config: &'a str) -> Vec<&'a str> {
    vec!["--config", config, "--vendors", "--api-url", &scene.url]
}

async fn the_commands_tell_how_the_line_is(scene: &Scene) {
    let config = scene.config();
    assert!(scene.applies().await.contains("nothing to change"), "what was applied is there");

    let shown = scene.succeeds("outputs", &["--config", &config]).await;
    for part in ["/webhooks/whatsapp", "/webhooks/creatio/", NUMBER, scene.stack.output("LineTableName")] {
        assert!(shown.contains(part), "{part} is missing in {shown}");
    }

    let healthy = scene.succeeds("doctor", &doctor(scene, &config)).await;
    assert!(healthy.ends_with("Every hop works.\n"), "{healthy}");
    assert!(healthy.matches("ok ").count() > 20, "{healthy}");
    scene.creatio.fail_always(Fault::Forbidden);
    let ill = scene.fails("doctor", &doctor(scene, &config)).await;
    assert!(ill.contains("The first hop that fails is Creatio of acme"), "{ill}");
    scene.creatio.mend();
}

async fn poison_is_put_aside_and_keeps_nobody_waiting(scene: &Scene) {
    scene.keep_out_of_logs(POISON);
    let sqs = scene.sqs();
    let deliveries = sqs.send_message().queue_url(scene.stack.output("DeliveriesQueueUrl"));
    deliveries.message_body(POISON).send().await.unwrap();
    let conversation = sqs.send_message().queue_url(scene.stack.output("ConversationQueueUrl"));
    let conversation = conversation.message_group_id("somebody").message_deduplication_id("poison");
    conversation.message_body(format!("{{\"job\": \"{POISON}\"}}")).send().await.unwrap();
    // Genuine, but nothing that we know.
    let body = format!("{{\"object\": \"{POISON}\"").into_bytes();
    let genuine = signature(APP_SECRET, &body);
    assert_eq!(scene.post_whatsapp(body, Some(&genuine)).await, 200, "nothing would be better the next time");

    scene.says_and_is_answered(&Customer::number(61), "Does anybody keep me waiting?").await;
    let parked = async || parked(scene).await.ok().filter(|parked| *parked >= 3);
    assert_eq!(within_asking(SOON, "the poison is parked", parked).await, 3);
    let listed = scene.succeeds("redrive", &["list"]).await;
    assert!(listed.contains("3 of 3 parked"), "{listed}");
    for from in ["deliveries", "conversation", "webhooks/whatsapp"] {
        assert!(listed.contains(from), "{from} is missing in {listed}");
    }
    let note = scene.succeeds("doctor", &doctor(scene, &scene.config())).await;
    assert!(note.contains("3 parked"), "{note}");
    assert!(scene.emulator.logs().await.contains("\"Parked\":1"), "the alarm has something to count");
}

async fn parked(scene: &Scene) -> PortResult<usize> {
    Ok(scene.bodies().list_parked().await?.len())
}

async fn what_no_run_survives_becomes_a_dead_letter(scene: &Scene) {
    scene.stack.set("Conversation", &[("SWITCHBOARD_LINE_TABLE", "")]).await;
    let ill = scene.fails("doctor", &doctor(scene, &scene.config())).await;
    assert!(ill.contains("The first hop that fails is") && ill.contains("onversation"), "{ill}");

    scene.says(&Customer::number(62), "Is my message lost?").await;
    // What else was to be decided in these seconds becomes a dead letter too.
    let dead = async || {
        let waiting = depth(scene, "ConversationQueueUrl").await;
        (waiting == 0 && depth(scene, "ConversationDeadLettersUrl").await > 0).then_some(())
    };
    within_asking(Duration::from_secs(60), "the message is a dead letter", dead).await;
}

/// How many messages a queue has, whether or not somebody is at them.
async fn depth(scene: &Scene, output: &str) -> u32 {
    let sqs = scene.sqs();
    let asked = sqs.get_queue_attributes().queue_url(scene.stack.output(output));
    let known = asked.attribute_names(QueueAttributeName::All).send().await.unwrap().attributes;
    let counts = known.unwrap_or_default().into_iter();
    let counts = counts.filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
    counts.map(|(_, count)| count.parse::<u32>().unwrap()).sum()
}

async fn what_was_put_aside_comes_back(scene: &Scene) {
    let table = scene.stack.output("LineTableName").to_owned();
    scene.stack.set("Conversation", &[("SWITCHBOARD_LINE_TABLE", &table)]).await;
    let ill = scene.fails("doctor", &doctor(scene, &scene.config())).await;
    assert!(ill.contains("The first hop that fails is dead letters of conversation"), "{ill}");
    let listed = scene.succeeds("redrive", &["list", "--queue", "conversation"]).await;
    assert!(listed.contains("customer_wrote") && listed.contains("dead letter"), "{listed}");

    let replayed = scene.succeeds("redrive", &["run", "--queue", "conversation"]).await;
    assert!(replayed.contains("replayed") && !replayed.contains("replayed 0,"), "{replayed}");
    let customer = Customer::number(62);
    let received = scene.graph.until_received(&customer, 1).await;
    assert_eq!(received[0].text, Model::echo("Is my message lost?"));
    let discarded = scene.succeeds("redrive", &["discard", "--all"]).await;
    assert!(discarded.contains("discarded 3"), "{discarded}");
    let healthy = scene.succeeds("doctor", &doctor(scene, &scene.config())).await;
    assert!(healthy.ends_with("Every hop works.\n") && !healthy.contains("parked:"), "{healthy}");
    assert_eq!(scene.graph.received(&customer).len(), 1, "it counts once");
}
