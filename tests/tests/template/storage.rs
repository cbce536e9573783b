//! What stays: the tables as the program expects them, encrypted, recoverable and hard to delete; the bucket; the key.

use serde_json::{Value, json};

use super::cfn;
use super::queues::number;

const RETAIN: [&str; 2] = ["Retain", "RetainExceptOnCreate"];

fn keys(of: &Value) -> Vec<(&str, &str)> {
    let elements = of["KeySchema"].as_array().expect("a key").iter();
    elements
        .map(|key| {
            (key["AttributeName"].as_str().unwrap_or_default(), key["KeyType"].as_str().unwrap_or_default())
        })
        .collect()
}

#[test]
fn the_table_is_the_one_that_the_program_reads() {
    let template = cfn::line();
    let table = template.properties("LineTable");
    assert_eq!(keys(table), [("pk", "HASH"), ("sk", "RANGE")]);
    let types: Vec<(&str, &str)> = table["AttributeDefinitions"]
        .as_array()
        .expect("attributes")
        .iter()
        .map(|a| {
            (a["AttributeName"].as_str().unwrap_or_default(), a["AttributeType"].as_str().unwrap_or_default())
        })
        .collect();
    let wanted = [
        ("pk", "S"),
        ("sk", "S"),
        ("wake_shard", "S"),
        ("wake_at", "N"),
        ("recent", "S"),
        ("recent_at", "N"),
    ];
    assert_eq!(types, wanted);
    let indexes = table["GlobalSecondaryIndexes"].as_array().expect("indexes");
    let found: Vec<_> =
        indexes.iter().map(|index| (index["IndexName"].as_str().unwrap_or_default(), keys(index))).collect();
    let wake = ("wake", vec![("wake_shard", "HASH"), ("wake_at", "RANGE")]);
    assert_eq!(found, [wake, ("recent", vec![("recent", "HASH"), ("recent_at", "RANGE")])]);
    assert!(indexes.iter().all(|index| index["Projection"]["ProjectionType"] == "KEYS_ONLY"));
    assert_eq!(keys(template.properties("SettingsTable")), [("pk", "HASH")]);
}

#[test]
fn tables_can_be_restored_forget_what_is_over_and_are_hard_to_delete() {
    let template = cfn::line();
    for name in ["LineTable", "SettingsTable"] {
        let table = template.properties(name);
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{name}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true, "{name}");
        assert_eq!(
            table["TimeToLiveSpecification"],
            json!({"AttributeName": "expires_at", "Enabled": true}),
            "{name}"
        );
        let encryption = &table["SSESpecification"];
        assert_eq!(
            (&encryption["SSEType"], &encryption["KMSMasterKeyId"]),
            (&json!("KMS"), &json!("${Key.Arn}"))
        );
        assert_eq!(
            table["DeletionProtectionEnabled"],
            json!({"!If": ["ProtectsTables", true, false]}),
            "{name}"
        );
    }
    assert_eq!(template.section("Parameters")["DeletionProtection"]["Default"], "on");
}

#[test]
fn what_customers_said_is_kept_when_the_stack_goes() {
    let template = cfn::line();
    for name in ["LineTable", "SettingsTable", "BodiesBucket", "Key"] {
        let resource = template.resource(name);
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert!(resource[policy].as_str().is_some_and(|told| RETAIN.contains(&told)), "{name}: {policy}");
        }
    }
    // A queue that an update replaces may hold what was acknowledged.
    for name in template.of_type("AWS::SQS::Queue").keys() {
        assert_eq!(template.resource(name)["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn the_key_changes_itself_each_year() {
    let template = cfn::line();
    assert_eq!(template.properties("Key")["EnableKeyRotation"], true);
}

#[test]
fn a_large_body_outlasts_every_record_that_points_to_it() {
    let template = cfn::line();
    let days = |queue: &str| number(&template.properties(queue)["MessageRetentionPeriod"]) / 86_400;
    let rules = template.properties("BodiesBucket")["LifecycleConfiguration"]["Rules"]
        .as_array()
        .expect("rules")
        .clone();
    let expires = |prefix: &str| {
        let rule = rules
            .iter()
            .find(|rule| rule["Prefix"] == prefix)
            .unwrap_or_else(|| panic!("no rule for {prefix}"));
        number(&rule["ExpirationInDays"])
    };
    // A FIFO queue's dead letters begin to count anew.
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html>
    assert!(expires("queued/") > days("ConversationQueue") + days("ConversationDeadLetters"));
    assert_eq!(expires("parked/"), 90);
}

#[test]
fn nobody_outside_and_nobody_unencrypted_reaches_the_bucket() {
    let template = cfn::line();
    let bucket = template.properties("BodiesBucket");
    let blocks = bucket["PublicAccessBlockConfiguration"].as_object().expect("public access is blocked");
    assert!(blocks.len() == 4 && blocks.values().all(|value| *value == true), "{blocks:?}");
    let rule = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"], "${Key.Arn}");
    let statement = &template.properties("BodiesBucketPolicy")["PolicyDocument"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!("s3:*")));
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
    assert_eq!(statement["Resource"], json!(["${BodiesBucket.Arn}", "${BodiesBucket.Arn}/*"]));
}
