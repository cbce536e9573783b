//! The functions behind the door: each is asked whether it could work, with its own rights, and whether its queue feeds it.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::EventSourceMappingConfiguration as Mapping;
use serde_json::json;
use shared::OrgId;
use shared_aws::sqs::Queue;
use shared_lambda::check::Report as Answer;

use super::report::{Hop, Outcome};
use crate::deployed::stack::Stack;
use crate::deployed::trouble::failed;

/// The functions that answer a question: the template's name, the folder's, and the queue that feeds it. The other two
/// are asked over the web.
const ASKED: [(&str, &str, Option<Queue>); 6] = [
    ("Conversation", "conversation", Some(Queue::Conversation)),
    ("Agent", "agent", Some(Queue::Turns)),
    ("Delivery", "delivery", Some(Queue::Deliveries)),
    ("Receipts", "receipts", Some(Queue::Receipts)),
    ("CrmSync", "crm-sync", Some(Queue::CrmSync)),
    ("AutoResolve", "auto-resolve", None),
];

/// What to do about a function that cannot work.
const ROLE: &str =
    "deploy the stack again, so that its role and environment are the template's; its logs tell more";

/// Asks every function, and looks at what feeds it.
pub async fn ask(client: &Client, stack: &Stack, orgs: &[OrgId]) -> Vec<Hop> {
    let mut hops = Vec::new();
    for (function, folder, queue) in ASKED {
        let hop = |outcome| Hop { name: format!("function {function}"), outcome };
        match stack.output(&format!("{function}Name")) {
            Ok(name) => {
                if let Some(queue) = queue {
                    let outcome = fed(client, name, stack.queue(queue).unwrap_or_default()).await;
                    hops.push(Hop { name: format!("feed of {function}"), outcome });
                }
                let logs = format!("/switchboard/{}/{folder}", stack.name);
                hops.push(hop(answer(client, name, &logs, orgs).await));
            }
            Err(trouble) => hops.push(hop(Outcome::failed(trouble.to_string(), "deploy the stack again"))),
        }
    }
    hops
}

async fn answer(client: &Client, name: &str, logs: &str, orgs: &[OrgId]) -> Outcome {
    let question = json!({ "switchboard": "check", "orgs": orgs }).to_string();
    match client.invoke().function_name(name).payload(Blob::new(question)).send().await {
        Ok(told) => {
            let payload = told.payload().map(Blob::as_ref).unwrap_or_default();
            judge(told.function_error().is_some(), payload, logs)
        }
        Err(error) => {
            Outcome::failed(failed("asking it", &error).to_string(), "check the rights and the function")
        }
    }
}

/// What the answer says. The words of a function that failed are not repeated.
fn judge(crashed: bool, payload: &[u8], logs: &str) -> Outcome {
    if crashed {
        let todo = format!("look at the log group {logs}: why it cannot start or was killed stands there");
        return Outcome::failed("it failed before it could answer", todo);
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(payload) else {
        let why = "it answered something else than a check's result";
        return Outcome::failed(why, "deploy the stack and this program from the same version");
    };
    let bad = answer.checks.iter().filter(|check| !check.ok);
    let bad: Vec<String> = bad
        .map(|check| format!("{}: {}", check.name, check.why.as_deref().unwrap_or("no reason given")))
        .collect();
    match (answer.ok, bad.is_empty()) {
        (true, true) => Outcome::Ok,
        (_, false) => Outcome::failed(bad.join("; "), ROLE),
        (false, true) => Outcome::failed("it says that it could not work", ROLE),
    }
}

async fn fed(client: &Client, name: &str, url: &str) -> Outcome {
    match client.list_event_source_mappings().function_name(name).send().await {
        Ok(listed) => feeding(listed.event_source_mappings(), url),
        Err(error) => {
            let why = failed("looking at what feeds it", &error).to_string();
            Outcome::failed(why, "check the rights of these credentials")
        }
    }
}

/// Whether one of these mappings takes records from this queue. The queue's name is the last part of both names.
fn feeding(mappings: &[Mapping], url: &str) -> Outcome {
    let queue = url.rsplit('/').next().unwrap_or_default();
    let of_queue = |mapping: &&Mapping| {
        mapping.event_source_arn().is_some_and(|arn| arn.rsplit(':').next() == Some(queue))
    };
    let Some(mapping) = mappings.iter().find(of_queue) else {
        return Outcome::failed("nothing takes records from its queue", "deploy the stack again");
    };
    match (mapping.state().unwrap_or("unknown"), mapping.last_processing_result()) {
        ("Enabled", Some(result)) if result.starts_with("PROBLEM") => Outcome::failed(
            "the platform could not call it at its last try",
            "look at the function's concurrency and errors in the console",
        ),
        ("Enabled", _) => Outcome::Ok,
        (state @ ("Creating" | "Enabling" | "Updating"), _) => {
            Outcome::Note(format!("it is {state}: look again in a minute"))
        }
        (state, _) => Outcome::failed(
            format!("it is {state}: what is queued waits"),
            "enable it in the console (Lambda, the function, Configuration, Triggers), or deploy again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://sqs.eu-central-1.amazonaws.com/111122223333/sb-turns";

    fn mapping(state: &str, queue: &str) -> Mapping {
        let arn = format!("arn:aws:sqs:eu-central-1:111122223333:{queue}");
        Mapping::builder().event_source_arn(arn).state(state).build()
    }

    #[test]
    fn a_queue_feeds_its_function_only_while_that_is_enabled() {
        assert_eq!(feeding(&[mapping("Enabled", "other"), mapping("Enabled", "sb-turns")], URL), Outcome::Ok);
        for broken in [vec![], vec![mapping("Enabled", "other")], vec![mapping("Disabled", "sb-turns")]] {
            assert!(matches!(feeding(&broken, URL), Outcome::Failed { .. }), "{broken:?}");
        }
        assert!(matches!(feeding(&[mapping("Creating", "sb-turns")], URL), Outcome::Note(_)));
        let trouble =
            Mapping::builder().event_source_arn(mapping("", "sb-turns").event_source_arn().unwrap());
        let trouble = trouble.state("Enabled").last_processing_result("PROBLEM: concurrency").build();
        assert!(matches!(feeding(&[trouble], URL), Outcome::Failed { .. }));
    }

    #[test]
    fn a_functions_answer_is_believed_and_a_crash_is_not_repeated() {
        let good = br#"{"function":"agent","ok":true,"checks":[{"name":"the settings table","ok":true,"why":null}]}"#;
        assert_eq!(judge(false, good, "f"), Outcome::Ok);
        let bad = br#"{"function":"agent","ok":false,"checks":[{"name":"the model secret of acme","ok":false,"why":"away"}]}"#;
        let Outcome::Failed { why, .. } = judge(false, bad, "f") else { panic!("believed") };
        assert_eq!(why, "the model secret of acme: away");
        let crash = format!("{:?}", judge(true, br#"{"errorMessage":"canary"}"#, "/switchboard/sb/agent"));
        assert!(crash.contains("/switchboard/sb/agent") && !crash.contains("canary"), "{crash}");
        assert!(matches!(judge(false, b"null", "f"), Outcome::Failed { .. }));
    }
}
