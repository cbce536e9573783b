//! The time budgets: every call ends before its function does, every function before its record is seen again, and no
//! customer waits for long behind a record that kills its function.

use shared::delivery::SEND_LIMIT;
use shared_aws::sqs::Queue;
use shared_flow::{sync_crm, take_turn};
use shared_lambda::attend::LONGEST_WAIT;
use shared_lambda::records::Rules;

use super::cfn::{self, Template};
use super::queues::{names, number, source};
use super::source::{constant, numbers};

/// What recording an outcome may take, in seconds.
const TO_WRITE_DOWN: u64 = 5;
/// The longest a customer may wait behind a record that kills its function, in seconds.
const TO_WAIT_MOST: u64 = 12 * 60;
/// When the gateway gives up on a function, in seconds.
const GATEWAY: u64 = 30;

fn time_out(template: &Template, function: &str) -> u64 {
    number(&template.function(function)["Timeout"])
}

fn seconds(duration: shared::SignedDuration) -> u64 {
    duration.as_secs().unsigned_abs()
}

/// A constant of the program that only its own file can see.
fn own(path: &str, name: &str) -> u64 {
    numbers(&constant(path, name)).last().copied().unwrap_or_else(|| panic!("{path}: {name} is no number"))
}

#[test]
fn every_call_can_end_and_be_written_down_in_time() {
    let template = cfn::line();
    for (function, call) in [
        ("Delivery", seconds(SEND_LIMIT)),
        ("CrmSync", seconds(sync_crm::CALL_LIMIT)),
        ("Agent", seconds(take_turn::CALL_LIMIT)),
    ] {
        assert!(call + TO_WRITE_DOWN < time_out(&template, function), "{function}: a call takes {call} s");
    }
    // A turn is two calls and the pause between them.
    let calls = own("shared/flow/src/take_turn.rs", "CALLS");
    let pause = own("shared/flow/src/take_turn.rs", "PAUSE_MOST");
    let turn = calls * seconds(take_turn::CALL_LIMIT) + pause;
    assert!(turn + TO_WRITE_DOWN < time_out(&template, "Agent"), "a turn takes {turn} s");
    let operation = shared_vendors::creatio::client::OPERATION_LIMIT.as_secs();
    assert!(operation <= seconds(sync_crm::CALL_LIMIT), "one thing asked of Creatio takes {operation} s");
}

#[test]
fn every_call_of_a_store_can_end_in_time() {
    let template = cfn::line();
    for limit in ["QUICK", "PATIENT"] {
        let whole = own("shared/lambda/src/started.rs", limit);
        for function in template.functions() {
            let time_out = time_out(&template, function);
            assert!(
                whole + TO_WRITE_DOWN < time_out,
                "{function} has {time_out} s: {limit} may take {whole} s"
            );
        }
    }
}

#[test]
fn a_record_is_hidden_for_as_long_as_the_program_thinks() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let (name, _, function) = names(queue);
        let hidden = number(&template.properties(&name)["VisibilityTimeout"]);
        assert_eq!(hidden, seconds(Rules::of(queue).visibility), "{name}");
        let window = source(&template, queue)["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
        assert!(6 * time_out(&template, function) + window <= hidden, "{name}");
    }
}

#[test]
fn a_record_that_kills_its_function_costs_its_customer_twelve_minutes_at_most() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let (name, ..) = names(queue);
        let properties = template.properties(&name);
        let park_at = u64::from(Rules::of(queue).park_at);
        let waits = number(&properties["VisibilityTimeout"]) * (park_at - 1);
        assert!(waits <= TO_WAIT_MOST, "{name}: {waits} s");
        // Else the queue gives it up before the program can put it aside, whole and with a reason.
        assert!(park_at < number(&properties["RedrivePolicy"]["maxReceiveCount"]), "{name}");
    }
}

#[test]
fn nothing_expires_before_it_is_a_dead_letter_and_no_outage_of_hours_makes_one() {
    let template = cfn::line();
    for queue in Queue::ALL {
        let (name, ..) = names(queue);
        let properties = template.properties(&name);
        let receives = number(&properties["RedrivePolicy"]["maxReceiveCount"]);
        // A function that cannot even start leaves its records hidden for the whole time, again and again.
        let given_up = number(&properties["VisibilityTimeout"]) * receives;
        assert!(given_up < number(&properties["MessageRetentionPeriod"]), "{name}");
        assert!(receives * seconds(LONGEST_WAIT) > 4 * 3600, "{name}");
    }
}

#[test]
fn what_is_looked_at_again_on_purpose_is_not_given_up_for_it() {
    let template = cfn::line();
    let most = |queue: &str| number(&template.properties(queue)["RedrivePolicy"]["maxReceiveCount"]);
    // A status that nobody knows of is received this often, then done with.
    assert!(own("functions/receipts/src/lib.rs", "TRIES") <= most("ReceiptsQueue"));
    // A turn that another worker has is looked at again this often, then done with on the next receive.
    assert!(own("functions/agent/src/lib.rs", "LOOKS") < most("TurnsQueue"));
}

#[test]
fn whoever_sends_a_webhook_hears_from_the_function_and_not_from_the_gateway() {
    let template = cfn::line();
    for function in ["WhatsappIngress", "CreatioWebhook"] {
        assert!(time_out(&template, function) <= 10, "{function}");
        assert!(time_out(&template, function) < GATEWAY, "{function}");
    }
}

#[test]
fn the_clock_runs_each_minute_and_is_not_run_twice_for_one() {
    let template = cfn::line();
    let clock = template.function("AutoResolve");
    let every = &clock["Events"]["EveryMinute"]["Properties"];
    assert_eq!(every["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(number(&every["RetryPolicy"]["MaximumRetryAttempts"]), 0);
    assert_eq!(number(&clock["EventInvokeConfig"]["MaximumRetryAttempts"]), 0);
    assert!(
        every["Name"].as_str().is_some_and(|name| name.contains("${AWS::StackName}")),
        "two stacks would collide"
    );
}
