//! Every function of the project is in the template, under its name, and is given what it reads and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cfn::{self, Template};
use super::iam::of_function;
use super::none;
use super::source::{file, function_folders, kebab, project};

/// What moves the clock or opens plain HTTP. Only tests set them, and only after a deploy.
const FORBIDDEN: [&str; 2] = ["SWITCHBOARD_ALLOW_INSECURE", "SWITCHBOARD_CLOCK_AHEAD_SECONDS"];

/// A function's variables: their names, and what they are set to.
fn variables(template: &Template, function: &str) -> Vec<(String, String)> {
    let function = template.function(function);
    let variables = function["Environment"]["Variables"].as_object().expect("variables").clone();
    variables.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned())).collect()
}

#[test]
fn every_folder_is_a_function_and_every_function_a_folder() {
    let template = cfn::line();
    let names: BTreeSet<String> = template.functions().into_iter().map(kebab).collect();
    assert_eq!(names, function_folders().into_iter().collect());
    for name in template.functions() {
        let (folder, function) = (kebab(name), template.function(name));
        let built = &template.resource(name)["Metadata"];
        assert_eq!(built["BuildMethod"], "rust-cargolambda", "{name}");
        assert_eq!(built["BuildProperties"]["Binary"], json!(folder), "{name}");
        assert_eq!(function["CodeUri"], json!(format!("functions/{folder}")), "{name}");
        assert!(project().join(format!("functions/{folder}/src/main.rs")).exists(), "{name} has no main.rs");
    }
}

/// SAM makes a resource for each event, called after the function and the event. Only a deploy would notice.
#[test]
fn no_event_makes_a_resource_whose_name_is_taken() {
    let template = cfn::line();
    for name in template.functions() {
        let function = template.function(name);
        for event in function["Events"].as_object().expect("events").keys() {
            let made = format!("{name}{event}");
            assert!(!template.section("Resources").contains_key(&made), "{made}");
        }
    }
}

#[test]
fn every_function_runs_on_what_it_was_built_for() {
    let template = cfn::line();
    assert_eq!(template.section("Parameters")["Architecture"]["Default"], "arm64");
    for name in template.functions() {
        let function = template.function(name);
        assert_eq!(
            (&function["Runtime"], &function["Handler"]),
            (&json!("provided.al2023"), &json!("bootstrap"))
        );
        assert_eq!(function["Architectures"], json!(["${Architecture}"]), "{name}");
        assert_eq!(function["Tracing"], "${Tracing}", "{name}");
        assert!(function["MemorySize"].as_u64().is_some_and(|size| (128..=256).contains(&size)), "{name}");
    }
}

#[test]
fn every_function_logs_into_a_group_of_its_own_that_forgets_and_is_encrypted() {
    let template = cfn::line();
    for name in template.functions() {
        let log = format!("{name}Log");
        assert_eq!(template.function(name)["LoggingConfig"]["LogGroup"], json!(format!("${{{log}}}")));
        let group = template.properties(&log);
        assert_eq!(group["RetentionInDays"], "${LogRetentionDays}", "{log}");
        assert_eq!(group["KmsKeyId"], "${Key.Arn}", "{log}");
    }
    assert_eq!(template.section("Parameters")["LogRetentionDays"]["Default"], 30);
}

#[test]
fn the_program_reads_every_variable_and_the_documents_explain_it() {
    let (template, read, told) =
        (cfn::line(), file("shared/lambda/src/environment.rs"), file("docs/configuration.md"));
    let queues = file("shared/aws/src/sqs/mod.rs");
    let problem = |function: &str, name: &str| {
        let known =
            name == "RUST_LOG" || [&read, &queues].iter().any(|code| code.contains(&format!("\"{name}\"")));
        match (known, told.contains(&format!("`{name}`"))) {
            (false, _) => Some(format!("{function}: nothing reads {name}")),
            (_, false) => Some(format!("{function}: docs/configuration.md does not tell of {name}")),
            (true, true) => None,
        }
    };
    let of = |function: &&str| -> Vec<String> {
        variables(&template, function).iter().filter_map(|(name, _)| problem(function, name)).collect()
    };
    none(template.functions().iter().flat_map(of).collect());
}

#[test]
fn neither_template_can_weaken_a_function() {
    for path in ["template.yaml", "infra/observability.yaml"] {
        let text = file(path);
        none(
            FORBIDDEN
                .iter()
                .filter(|name| text.contains(**name))
                .map(|name| format!("{path}: {name}"))
                .collect(),
        );
    }
    // A parameter could bring one in by a name that is put together.
    for function in cfn::line().functions() {
        for (name, value) in variables(&cfn::line(), function) {
            let known = ["Queue}", "Table}", "Bucket}"].iter().any(|end| value.ends_with(end));
            assert!(
                known || value == "${AWS::StackName}" || name == "RUST_LOG",
                "{function}: {name} is {value}"
            );
        }
    }
}

/// Whose names every function that sends must know: what is too large for a queue goes there.
const FOR_LARGE_BODIES: &str = "BodiesBucket";

#[test]
fn a_function_is_told_of_what_it_may_use_and_of_nothing_else() {
    let template = cfn::line();
    let mut problems = Vec::new();
    for function in template.functions() {
        let told: BTreeSet<String> = variables(&template, function)
            .iter()
            .filter_map(|(_, value)| cfn::referred(value).map(str::to_owned))
            .collect();
        let stores = |name: &str| ["Queue", "Table", "Bucket"].iter().any(|end| name.ends_with(end));
        let may: BTreeSet<String> = of_function(&template, function)
            .iter()
            .filter_map(|permission| {
                cfn::referred(&permission.resource).filter(|name| stores(name)).map(str::to_owned)
            })
            .collect();
        let told: BTreeSet<String> = told.into_iter().filter(|name| stores(name)).collect();
        problems.extend(
            may.difference(&told).map(|name| format!("{function} may use {name}, but is not told its name")),
        );
        let idle = told.difference(&may).filter(|name| *name != FOR_LARGE_BODIES);
        problems.extend(idle.map(|name| format!("{function} is told of {name}, which it may not use")));
    }
    none(problems);
}

#[test]
fn every_name_that_commands_look_for_is_an_output() {
    let template = cfn::line();
    let outputs = template.section("Outputs");
    let mut wanted: Vec<String> =
        ["ApiUrl", "WhatsappWebhookUrl", "CreatioWebhookUrl"].map(str::to_owned).to_vec();
    wanted.extend(["LineTableName", "SettingsTableName", "BodiesBucketName", "KeyArn"].map(str::to_owned));
    wanted.extend(template.of_type("AWS::SQS::Queue").keys().map(|queue| format!("{queue}Url")));
    wanted.extend(template.functions().iter().map(|function| format!("{function}Name")));
    none(
        wanted
            .into_iter()
            .filter(|name| !outputs.contains_key(name))
            .map(|name| format!("no output {name}"))
            .collect(),
    );
    assert!(!outputs["CreatioWebhookUrl"]["Value"].as_str().is_some_and(|url| url.contains("token")));
    assert!(outputs.values().all(|output| output.get("Value").is_some_and(Value::is_string)));
}
