//! What an operator does from the command line: hand off, hand back, resolve.

use super::creatio::RESOLVED;
use super::model::{FAREWELL, Model};
use super::stage::Stage;
use super::wait::{until, until_true};
use super::whatsapp::Customer;

/// Runs a subcommand that must succeed.
fn act(stage: &Stage, verb: &str, session: &str) {
    let output = stage.line.run(&[verb, session]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{verb}: {said}");
}

#[tokio::test]
async fn resolving_here_gives_the_case_the_resolved_status_and_the_next_message_a_new_session() {
    let stage = Stage::open().await;
    let customer = Customer::number(161);
    stage.says_and_is_answered(&customer, "Thank you, that was all.").await;
    let case = stage.creatio.until_case(1).await;
    let session = stage.session_of(&case).await;
    act(&stage, "resolve", &session);
    until_true("the case is resolved", || stage.creatio.case(&case)["StatusId"] == RESOLVED).await;

    stage.says_and_is_answered(&customer, "Something else after all.").await;
    let fresh = stage.creatio.until_case(2).await;
    assert_ne!(stage.session_of(&fresh).await, session);
    assert_eq!(
        stage.model.asked()[1].user_lines(),
        ["Something else after all."],
        "the new session begins empty"
    );
}

#[tokio::test]
async fn handing_off_by_hand_silences_the_machine_until_it_is_handed_back() {
    let stage = Stage::open().await;
    let customer = Customer::number(162);
    stage.says_and_is_answered(&customer, "I am still talking to the machine.").await;
    let case = stage.creatio.until_case(1).await;
    let session = stage.session_of(&case).await;

    act(&stage, "handoff", &session);
    let received = stage.graph.until_received(&customer, 2).await;
    assert!(received[1].text.contains("colleague"), "{}", received[1].text);
    stage.creatio.until_filed(&case, "a person took over").await;
    stage.says(&customer, "Is a person reading this?").await;
    stage.creatio.until_filed(&case, "Is a person reading this?").await;
    assert_eq!(stage.model.asked().len(), 1);

    act(&stage, "handback", &session);
    // The customer still waits for an answer, so the machine gives it.
    let received = stage.graph.until_received(&customer, 3).await;
    assert_eq!(received[2].text, Model::echo("Is a person reading this?"));
    stage.creatio.until_filed(&case, "Handed back").await;
    stage.says_and_is_answered(&customer, "So it is the machine again.").await;
    assert_eq!(stage.creatio.cases().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_is_said_and_does_not_pass_for_success() {
    let stage = Stage::open().await;
    let customer = Customer::number(163);
    stage.is_handed_off(&customer).await;
    let case = stage.creatio.until_case(1).await;
    stage.creatio.until_filed(&case, FAREWELL).await;
    let session = stage.session_of(&case).await;
    for (verb, id) in [
        ("handoff", session.as_str()),
        ("resolve", "3f1d5e6a-93c2-4a6b-9d3e-5b7c1a2e4f60"),
        ("resolve", "not-a-session"),
    ] {
        let output = stage.line.run(&[verb, id]);
        assert!(!output.status.success() && !output.stderr.is_empty(), "{verb} {id}");
    }
    let listed = String::from_utf8(stage.line.run(&["sessions"]).stdout).unwrap();
    assert!(listed.contains(&session), "{listed}");
    for personal in [customer.phone.as_ref().unwrap(), &customer.name, FAREWELL] {
        assert!(!listed.contains(personal), "the list of sessions tells more than it must: {listed}");
    }
    act(&stage, "resolve", &session);
    until("the case is resolved", || (stage.creatio.case(&case)["StatusId"] == RESOLVED).then_some(())).await;
}
