//! What each function's role permits in the template, against what the function really calls: nothing is missing, and
//! nothing is permitted that no story needs.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;
use serde_yaml_ng::value::TaggedValue;

use super::calls::Right;
use super::matrix::next_customer;
use super::matrix::stories::STORIES;
use super::matrix::telling::tell;
use super::package::project;
use super::world::{FUNCTIONS, World};

/// What a role permits for the platform, which acts under it: the function itself never calls this. The first word is
/// the action or the beginning of it, the second is why.
const OF_THE_PLATFORM: [(&str, &str); 6] = [
    ("sqs:ReceiveMessage", "the event source reads the queue for the function"),
    ("sqs:DeleteMessage", "the event source removes what the function has handled"),
    ("sqs:GetQueueAttributes", "the event source watches how full the queue is"),
    ("kms:", "tables, queues, bucket and secrets decrypt with the caller's rights"),
    ("logs:", "the platform writes down what the function prints"),
    ("xray:", "the platform records traces where they are switched on"),
];

/// What the template's roles permit, by function, without what is the platform's.
pub fn permitted() -> BTreeMap<&'static str, BTreeSet<Right>> {
    let text = std::fs::read_to_string(project().join("template.yaml")).unwrap();
    let template: Value = serde_yaml_ng::from_str(&text).unwrap();
    let rights = |logical: &str| rights(&template["Resources"][format!("{logical}Role")]["Properties"]);
    FUNCTIONS.iter().map(|(logical, name)| (*name, rights(logical))).collect()
}

fn rights(role: &Value) -> BTreeSet<Right> {
    assert!(role["ManagedPolicyArns"].is_null(), "a policy that stands elsewhere cannot be compared");
    let mut rights = BTreeSet::new();
    for policy in role["Policies"].as_sequence().expect("every function has a role of its own") {
        for statement in policy["PolicyDocument"]["Statement"].as_sequence().unwrap() {
            let statement = chosen(statement);
            assert_eq!(statement["Effect"], "Allow");
            for action in several(&statement["Action"]) {
                let action = action.as_str().unwrap();
                if OF_THE_PLATFORM.iter().any(|(begins, _)| action.starts_with(begins)) {
                    continue;
                }
                rights.extend(
                    several(&statement["Resource"]).iter().map(|of| (action.to_owned(), resource(of))),
                );
            }
        }
    }
    rights
}

/// What a condition lets stand when it holds: `!If [Traces, …, …]`.
fn chosen(value: &Value) -> &Value {
    match value {
        Value::Tagged(tagged) if tagged.tag == "If" => &tagged.value[1],
        other => other,
    }
}

/// One or several, as policies have them.
fn several(value: &Value) -> Vec<Value> {
    value.as_sequence().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// `!GetAtt LineTable.Arn` and `!Sub "${LineTable.Arn}/index/wake"` as names of the template. Of a bucket's keys the
/// folder is named, of a secret its last part.
fn resource(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("a resource that is not of this stack: {value:?}") };
    let TaggedValue { tag, value } = tagged.as_ref();
    let text = value.as_str().unwrap();
    if *tag == "GetAtt" {
        return text.trim_end_matches(".Arn").to_owned();
    }
    if let Some((_, secret)) = text.split_once(":secret:${AWS::StackName}/") {
        let last = secret.rsplit('/').next().unwrap();
        return format!("secret {}", last.trim_end_matches("-??????"));
    }
    let named = text.strip_prefix("${").and_then(|text| text.split_once(".Arn}"));
    let (name, rest) = named.unwrap_or_else(|| panic!("a resource that cannot be compared: {text}"));
    format!("{name}{}", rest.trim_end_matches("/*"))
}

/// What the functions of these worlds called.
pub fn called(worlds: &[World]) -> BTreeMap<&'static str, BTreeSet<Right>> {
    let mut called: BTreeMap<&'static str, BTreeSet<Right>> = BTreeMap::new();
    for world in worlds {
        for (name, worker) in &world.workers {
            called.entry(name).or_default().extend(worker.proxy.needed());
        }
    }
    called
}

/// What was called and is not permitted.
pub fn missing(called: &BTreeMap<&'static str, BTreeSet<Right>>) -> Vec<String> {
    differences(called, &permitted())
}

fn differences(
    these: &BTreeMap<&'static str, BTreeSet<Right>>,
    those: &BTreeMap<&'static str, BTreeSet<Right>>,
) -> Vec<String> {
    let all = these.iter().flat_map(|(name, rights)| rights.iter().map(move |right| (*name, right)));
    let lone = all.filter(|(name, right)| !those.get(name).is_some_and(|others| others.contains(*right)));
    lone.map(|(name, (action, of))| format!("{name}: {action} on {of}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_permits_what_its_function_calls_and_nothing_else() {
    let mut world = World::open().await;
    for story in STORIES {
        tell(&mut world, story, next_customer()).await;
    }
    let called = called(&[world]);
    assert_eq!(missing(&called), Vec::<String>::new(), "called, and not permitted");
    assert_eq!(differences(&permitted(), &called), Vec::<String>::new(), "permitted, and never called");
}

#[test]
fn a_right_too_many_and_one_too_few_are_noticed() {
    let full = permitted();
    let (mut more, mut less) = (full.clone(), full.clone());
    let right = ("dynamodb:Scan".to_owned(), "LineTable".to_owned());
    more.get_mut("agent").unwrap().insert(right);
    assert_eq!(differences(&more, &full), ["agent: dynamodb:Scan on LineTable"]);
    let gone = less.get_mut("receipts").unwrap().pop_first().unwrap();
    assert_eq!(differences(&full, &less), [format!("receipts: {} on {}", gone.0, gone.1)]);
    // Intake reads no conversation, and only crm-sync reads the CRM's secret.
    let reads = |name: &str, of: &str| full[name].iter().any(|(_, resource)| resource.starts_with(of));
    assert!(!reads("whatsapp-ingress", "LineTable") && !reads("creatio-webhook", "LineTable"));
    let crm: Vec<_> = full.keys().filter(|name| reads(name, "secret creatio")).collect();
    assert_eq!(crm, [&"crm-sync"]);
}
