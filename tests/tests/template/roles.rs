//! What each function may do: no wildcard, no secret of another, no conversation at the front door.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cfn::{self, texts};
use super::iam::{Permission, covers, of_function, permissions, statements};
use super::none;

/// Actions for which AWS knows no resources. <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
const WITHOUT_RESOURCES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];

/// Which function alone reads which secret of an organisation called `acme`.
const SECRETS: [(&str, &str); 4] = [
    ("whatsapp-webhooks", "WhatsappIngress"),
    ("acme/whatsapp", "Delivery"),
    ("acme/creatio", "CrmSync"),
    ("acme/model", "Agent"),
];

fn too_much(role: &str, permission: &Permission) -> Option<String> {
    let Permission { action, resource } = permission;
    let told = || Some(format!("{role}: {action} on {resource}"));
    if action.contains(['*', '?']) {
        return told();
    }
    if resource == "*" {
        return if WITHOUT_RESOURCES.contains(&action.as_str()) { None } else { told() };
    }
    // Below one folder of the bucket, and the characters that Secrets Manager adds to a name.
    let folder = resource.starts_with("${BodiesBucket.Arn}/") && resource.ends_with("/*");
    let secret = resource.contains(":secret:${AWS::StackName}/") && resource.ends_with("-??????");
    if resource.contains(['*', '?']) && !folder && !secret { told() } else { None }
}

#[test]
fn no_role_may_do_everything_or_touch_everything() {
    let (line, observability) = (cfn::line(), cfn::observability());
    let mut problems = Vec::new();
    for template in [&line, &observability] {
        for role in template.of_type("AWS::IAM::Role").keys() {
            let all = permissions(template, role);
            assert!(!all.is_empty(), "{role}");
            problems.extend(all.iter().filter_map(|permission| too_much(role, permission)));
        }
    }
    none(problems);
}

#[test]
fn every_function_has_a_role_of_its_own_that_only_lambda_takes_on() {
    let template = cfn::line();
    let mut roles = BTreeSet::new();
    for function in template.functions() {
        let role = format!("{function}Role");
        assert_eq!(template.function(function)["Role"], Value::from(format!("${{{role}.Arn}}")));
        let trusted = &template.properties(&role)["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trusted[0]["Principal"]["Service"], "lambda.amazonaws.com");
        assert_eq!(trusted.as_array().map(Vec::len), Some(1));
        roles.insert(role);
    }
    assert_eq!(roles, template.of_type("AWS::IAM::Role").into_keys().map(str::to_owned).collect());
}

#[test]
fn who_takes_webhooks_can_read_no_conversation() {
    let template = cfn::line();
    for function in ["WhatsappIngress", "CreatioWebhook"] {
        let permissions = of_function(&template, function);
        let sees = |permission: &&Permission| {
            permission.resource.contains("LineTable")
                || permission.action == "s3:GetObject"
                || permission.action == "sqs:ReceiveMessage"
        };
        assert_eq!(permissions.iter().find(sees), None, "{function}");
    }
}

#[test]
fn every_secret_has_one_reader() {
    let template = cfn::line();
    for (name, reader) in SECRETS {
        let arn =
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}";
        let secret = format!("{arn}/{name}-AbC123");
        let reads = |function: &&str| {
            let all = of_function(&template, function);
            all.iter().any(|p| p.action == "secretsmanager:GetSecretValue" && covers(&p.resource, &secret))
        };
        let readers: Vec<&str> = template.functions().into_iter().filter(reads).collect();
        assert_eq!(readers, [reader], "{name}");
    }
    // And of other stacks' secrets nobody reads any.
    let foreign = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:other/acme/creatio-AbC123";
    for function in template.functions() {
        let all = of_function(&template, function);
        assert!(
            !all.iter().any(|p| p.service() == "secretsmanager" && covers(&p.resource, foreign)),
            "{function}"
        );
    }
}

#[test]
fn the_key_may_be_used_only_through_the_services_that_a_function_uses() {
    let template = cfn::line();
    for function in template.functions() {
        let role = format!("{function}Role");
        let uses: BTreeSet<String> = of_function(&template, function)
            .iter()
            .map(|permission| permission.service().to_owned())
            .filter(|service| !["kms", "logs", "xray"].contains(&service.as_str()))
            .map(|service| format!("{service}.${{AWS::Region}}.amazonaws.com"))
            .collect();
        let statements = statements(&template, &role);
        let key: Vec<_> = statements.iter().filter(|s| texts(&s["Action"])[0].starts_with("kms:")).collect();
        assert_eq!(key.len(), 1, "{role}");
        assert_eq!(key[0]["Resource"], "${Key.Arn}", "{role}");
        let through = texts(&key[0]["Condition"]["StringEquals"]["kms:ViaService"]);
        assert_eq!(through.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), uses, "{role}");
    }
}

#[test]
fn a_function_takes_records_only_from_the_queue_that_calls_it() {
    let template = cfn::line();
    for function in template.functions() {
        let events = template.function(function)["Events"].clone();
        let sources: BTreeSet<String> = events
            .as_object()
            .expect("every function is called by something")
            .values()
            .filter_map(|event| event["Properties"]["Queue"].as_str().map(str::to_owned))
            .collect();
        for action in [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:GetQueueAttributes",
        ] {
            let all = of_function(&template, function);
            let from = all.iter().filter(|p| p.action == action).map(|p| p.resource.clone());
            assert_eq!(from.collect::<BTreeSet<_>>(), sources, "{function}: {action}");
        }
    }
}

#[test]
fn what_is_too_much_is_found() {
    let of = |action: &str, resource: &str| Permission {
        action: action.to_owned(),
        resource: resource.to_owned(),
    };
    for bad in [
        of("sqs:*", "${Q.Arn}"),
        of("dynamodb:Get*", "${T.Arn}"),
        of("dynamodb:GetItem", "*"),
        of("s3:PutObject", "${BodiesBucket.Arn}*"),
        of("secretsmanager:GetSecretValue", "arn:a:secretsmanager:r:1:secret:*"),
    ] {
        assert!(too_much("R", &bad).is_some(), "{bad:?}");
    }
    assert_eq!(too_much("R", &of("xray:PutTraceSegments", "*")), None);
    assert_eq!(too_much("R", &of("s3:PutObject", "${BodiesBucket.Arn}/parked/*")), None);
}
