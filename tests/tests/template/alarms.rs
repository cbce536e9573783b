//! What rings: for everything that can fail there is an alarm that somebody hears and that says where to read on.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared_aws::sqs::Queue;

use super::queues::{names, number};
use super::source::{file, kebab};
use super::{cfn, none};

const ALARM: &str = "AWS::CloudWatch::Alarm";

/// The name by which a heading of a document is linked to.
fn anchor(heading: &str) -> String {
    let kept =
        heading.trim_start_matches('#').trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What an alarm says wrongly of itself, given the headings of the runbook.
fn untold(name: &str, alarm: &Value, headings: &BTreeSet<String>) -> Vec<String> {
    let told = alarm["AlarmDescription"].as_str().unwrap_or_default();
    let (what, place) = told.rsplit_once(" Runbook: ").unwrap_or_default();
    let anchor = kebab(name);
    let mut problems = Vec::new();
    if what.split_whitespace().count() < 8 {
        problems.push(format!("{name} does not say what it means"));
    }
    if place != format!("docs/runbook.md#{anchor}") {
        problems.push(format!("{name} does not end with `Runbook: docs/runbook.md#{anchor}`"));
    }
    if !headings.contains(&anchor) {
        problems.push(format!("docs/runbook.md has no heading for #{anchor}"));
    }
    problems
}

/// Where the metric of an alarm comes from: namespace, name, and the value of this dimension.
fn of(alarm: &Value, dimension: &str) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let dimensions = alarm["Dimensions"].as_array().expect("dimensions");
    let value = dimensions.iter().find(|d| d["Name"] == dimension).map(|d| text(&d["Value"]));
    (text(&alarm["Namespace"]), text(&alarm["MetricName"]), value.unwrap_or_default())
}

#[test]
fn every_alarm_is_heard_and_says_where_to_read_on() {
    let template = cfn::observability();
    let headings = file("docs/runbook.md").lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    let alarms = template.of_type(ALARM);
    assert!(alarms.len() >= 25, "only {} alarms", alarms.len());
    for (name, alarm) in &alarms {
        assert_eq!(alarm["AlarmActions"], json!(["${AlarmTopic}"]), "{name}");
        assert_eq!(alarm["AlarmName"], json!(format!("${{LineStack}}-{name}")), "two lines would collide");
    }
    none(alarms.iter().flat_map(|(name, alarm)| untold(name, alarm, &headings)).collect());
}

#[test]
fn a_dead_letter_rings_within_a_minute() {
    let (template, line) = (cfn::observability(), cfn::line());
    let given = &line.properties("Observability")["Parameters"];
    for queue in Queue::ALL {
        let (_, dead, _) = names(queue);
        let alarm = template.properties(&dead);
        let wanted = ("AWS/SQS", "ApproximateNumberOfMessagesVisible", format!("${{{dead}Name}}"));
        let (space, metric, of) = of(alarm, "QueueName");
        assert_eq!((space.as_str(), metric.as_str(), of), wanted);
        assert_eq!(given[format!("{dead}Name")], json!(format!("${{{dead}.QueueName}}")));
        let (period, times) = (number(&alarm["Period"]), number(&alarm["EvaluationPeriods"]));
        assert_eq!((period * times, number(&alarm["Threshold"])), (60, 0), "{dead}");
        assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold");
    }
}

/// A queue that is idle for six hours tells nothing for the first minutes of its next activity.
#[test]
fn dead_letter_queues_are_asked_something_before_they_fall_silent() {
    let (template, line) = (cfn::observability(), cfn::line());
    for queue in Queue::ALL {
        let (_, dead, _) = names(queue);
        let schedule = template.properties(&format!("{dead}KeptAwake"));
        assert_eq!(schedule["ScheduleExpression"], "rate(3 hours)");
        let input = schedule["Target"]["Input"].as_str().expect("an input");
        assert!(input.contains(&format!("/${{{dead}Name}}\"")), "{input}");
        let input: Value = serde_json::from_str(input).expect("JSON");
        // The same tag as the template's, so that nothing drifts.
        let tags = &line.properties(&dead)["Tags"][0];
        assert_eq!(input["Tags"][tags["Key"].as_str().expect("a tag")], tags["Value"], "{dead}");
    }
}

#[test]
fn every_queue_that_waits_and_every_function_that_fails_rings() {
    let (template, line) = (cfn::observability(), cfn::line());
    let alarms: BTreeSet<(String, String, String)> = template
        .of_type(ALARM)
        .values()
        .flat_map(|alarm| ["QueueName", "FunctionName"].map(|dimension| of(alarm, dimension)))
        .collect();
    let wanted = |space: &str, metric: &str, of: String| (space.to_owned(), metric.to_owned(), of);
    for queue in Queue::ALL {
        let (name, ..) = names(queue);
        let oldest = wanted("AWS/SQS", "ApproximateAgeOfOldestMessage", format!("${{{name}Name}}"));
        assert!(alarms.contains(&oldest), "{oldest:?}");
    }
    for function in line.functions() {
        let errors = wanted("AWS/Lambda", "Errors", format!("${{{function}Name}}"));
        assert!(alarms.contains(&errors), "{errors:?}");
        // What has no queue before it does not show as an old record when it may not run.
        let throttled = wanted("AWS/Lambda", "Throttles", format!("${{{function}Name}}"));
        let queued = Queue::ALL.iter().any(|queue| names(*queue).2 == function);
        assert_eq!(alarms.contains(&throttled), !queued, "{throttled:?}");
        let given = &line.properties("Observability")["Parameters"][format!("{function}Name")];
        assert_eq!(*given, json!(format!("${{{function}}}")));
    }
}

#[test]
fn alarms_listen_to_what_the_program_counts() {
    let template = cfn::observability();
    let code: String =
        ["shared/flow/src/deliver.rs", "shared/flow/src/sync_crm.rs", "shared/flow/src/take_turn.rs"]
            .into_iter()
            .chain(["shared/flow/src/wake.rs", "shared/lambda/src/attend.rs"])
            .chain(["functions/whatsapp-ingress/src/lib.rs", "functions/creatio-webhook/src/lib.rs"])
            .map(file)
            .collect();
    for (name, alarm) in template.of_type(ALARM) {
        let (space, metric, stack) = of(alarm, "Stack");
        if space != "Switchboard" {
            continue;
        }
        assert_eq!(stack, "${LineStack}", "{name}");
        let vendor = of(alarm, "Vendor").2;
        let counted = if vendor.is_empty() {
            format!("(\"{metric}\")")
        } else {
            format!("(\"{metric}\", \"Vendor\" => \"{vendor}\")")
        };
        assert!(code.contains(&counted), "{name}: nothing counts {counted}");
    }
}

#[test]
fn silence_of_the_clock_is_an_alarm_and_silence_of_everything_else_is_not() {
    let template = cfn::observability();
    for (name, alarm) in template.of_type(ALARM) {
        let missing = alarm["TreatMissingData"].as_str().unwrap_or_default();
        assert!(["breaching", "notBreaching", "ignore"].contains(&missing), "{name}");
        assert_eq!(missing == "breaching", name == "ClockStopped", "{name}");
    }
    assert!(number(&template.properties("OverdueWork")["Threshold"]) <= 600);
    let slow = template.properties("IntakeSlow");
    assert_eq!((&slow["ExtendedStatistic"], number(&slow["Threshold"])), (&json!("p99"), 2_500));
}

#[test]
fn an_alarm_that_does_not_say_where_to_read_on_is_found() {
    let alarm = |told: &str| json!({ "AlarmDescription": told });
    let headings = BTreeSet::from([anchor("## Clock stopped")]);
    let good = "One two three four five six seven eight. Runbook: docs/runbook.md#clock-stopped";
    assert_eq!(untold("ClockStopped", &alarm(good), &headings), Vec::<String>::new());
    assert_eq!(untold("ClockStopped", &alarm("Short. Runbook: docs/runbook.md#clock"), &headings).len(), 2);
    assert_eq!(untold("Other", &alarm(good), &headings).len(), 2);
}
