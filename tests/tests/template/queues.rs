//! Queues: what they keep, in which order, for how long, and that what is given up is seen.

use serde_json::json;
use shared_aws::sqs::Queue;

use super::cfn::{self, Template};

/// A queue's name in the template, the name of its dead letters, and the function that works on it.
pub fn names(queue: Queue) -> (String, String, &'static str) {
    let (name, function) = match queue {
        Queue::Conversation => ("Conversation", "Conversation"),
        Queue::Deliveries => ("Deliveries", "Delivery"),
        Queue::CrmSync => ("CrmSync", "CrmSync"),
        Queue::Turns => ("Turns", "Agent"),
        Queue::Receipts => ("Receipts", "Receipts"),
    };
    (format!("{name}Queue"), format!("{name}DeadLetters"), function)
}

/// What makes a queue call its function.
pub fn source(template: &Template, queue: Queue) -> serde_json::Value {
    let (name, _, function) = names(queue);
    let events = template.function(function)["Events"].clone();
    let events = events.as_object().expect("events").values();
    let mut sources = events.filter(|event| event["Type"] == "SQS").map(|event| event["Properties"].clone());
    let source = sources.next().unwrap_or_else(|| panic!("{function} has no queue"));
    assert_eq!(source["Queue"], json!(format!("${{{name}.Arn}}")));
    assert!(sources.next().is_none(), "{function} has two queues");
    source
}

/// A whole number that must be there.
pub fn number(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[test]
fn the_queues_are_those_of_the_program_and_their_dead_letters() {
    let template = cfn::line();
    let mut wanted: Vec<String> = Vec::new();
    for queue in Queue::ALL {
        let (name, dead, _) = names(queue);
        let redrive = &template.properties(&name)["RedrivePolicy"];
        assert_eq!(redrive["deadLetterTargetArn"], json!(format!("${{{dead}.Arn}}")), "{name}");
        wanted.extend([name, dead]);
    }
    wanted.sort_unstable();
    assert_eq!(template.of_type("AWS::SQS::Queue").into_keys().collect::<Vec<_>>(), wanted);
}

#[test]
fn dead_letters_outlast_what_they_come_from() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let (name, dead, _) = names(queue);
        let kept = |queue: &str| number(&template.properties(queue)["MessageRetentionPeriod"]);
        assert!(kept(&dead) > kept(&name), "{name}");
        assert_eq!(kept(&dead), 14 * 86_400, "{dead}");
    }
}

#[test]
fn only_facts_are_in_order_and_nobody_waits_for_somebody_elses() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let (name, dead, _) = names(queue);
        let ordered = queue == Queue::Conversation;
        for queue in [&name, &dead] {
            assert_eq!(template.properties(queue)["FifoQueue"] == true, ordered, "{queue}");
        }
        let properties = template.properties(&name);
        let high_throughput = (&properties["DeduplicationScope"], &properties["FifoThroughputLimit"]);
        if ordered {
            assert_eq!(high_throughput, (&json!("messageGroup"), &json!("perMessageGroupId")));
            // The sender computes the ids: two equal texts are two messages.
            assert_ne!(properties["ContentBasedDeduplication"], true);
        } else {
            assert!(high_throughput.0.is_null() && high_throughput.1.is_null(), "{name}");
        }
    }
}

#[test]
fn one_failed_record_brings_back_no_other() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let source = source(&template, queue);
        assert_eq!(source["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{queue:?}");
    }
}

#[test]
fn where_somebody_outside_is_asked_records_come_one_by_one() {
    let template = cfn::line();
    for (queue, most, at_once) in [
        (Queue::Deliveries, 1, 20),
        (Queue::CrmSync, 1, 5),
        (Queue::Turns, 1, 20),
        (Queue::Conversation, 10, 20),
        (Queue::Receipts, 10, 10),
    ] {
        let source = source(&template, queue);
        assert_eq!(number(&source["BatchSize"]), most, "{queue:?}");
        // A flood must not take all runs that the account allows: intake needs some.
        assert_eq!(number(&source["ScalingConfig"]["MaximumConcurrency"]), at_once, "{queue:?}");
    }
}

#[test]
fn queues_are_encrypted_with_the_lines_key_and_take_only_encrypted_connections() {
    let template = cfn::line();
    let policies = template.of_type("AWS::SQS::QueuePolicy");
    let covered: Vec<&str> = policies.values().flat_map(|policy| cfn::texts(&policy["Queues"])).collect();
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(queue["KmsMasterKeyId"], "${Key.Arn}", "{name}");
        assert!(covered.contains(&format!("${{{name}}}").as_str()), "{name} has no policy");
    }
    for policy in policies.values() {
        let statement = &policy["PolicyDocument"]["Statement"][0];
        assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
        assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    }
}
