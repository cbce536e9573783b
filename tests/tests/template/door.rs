//! The front door: which requests reach a function, how many, and what of them is written down.

use std::collections::BTreeSet;

use serde_json::Value;

use super::cfn::{self, Template};

/// What may be written down of a request. A path may hold Creatio's token, a query the handshake's word, and whose
/// address it came from is nobody's business.
const MAY_BE_LOGGED: [&str; 8] = [
    "requestId",
    "requestTime",
    "routeKey",
    "status",
    "responseLength",
    "responseLatency",
    "integrationStatus",
    "integrationErrorMessage",
];

fn routes(template: &Template) -> BTreeSet<(String, String)> {
    let of = |function: &str| -> Vec<(String, String)> {
        let events = template.function(function)["Events"].as_object().expect("events").clone();
        let http = events.into_iter().filter(|(_, event)| event["Type"] == "HttpApi").map(|(_, event)| event);
        let text = |value: &Value| value.as_str().expect("a route is written out").to_owned();
        http.map(|event| {
            let properties = &event["Properties"];
            assert_eq!(properties["ApiId"], "${Api}", "{function}");
            (format!("{} {}", text(&properties["Method"]), text(&properties["Path"])), function.to_owned())
        })
        .collect()
    };
    template.functions().into_iter().flat_map(of).collect()
}

#[test]
fn these_routes_exist_and_no_others() {
    let wanted = [
        ("GET /webhooks/whatsapp", "WhatsappIngress"),
        ("POST /webhooks/creatio", "CreatioWebhook"),
        ("POST /webhooks/creatio/{token}", "CreatioWebhook"),
        ("POST /webhooks/whatsapp", "WhatsappIngress"),
    ];
    let found = routes(&cfn::line());
    assert_eq!(found, wanted.map(|(route, function)| (route.to_owned(), function.to_owned())).into());
}

#[test]
fn a_flood_is_stopped_before_it_costs_anything() {
    let template = cfn::line();
    let api = template.properties("Api");
    let limits = |of: &Value| (of["ThrottlingRateLimit"].as_u64(), of["ThrottlingBurstLimit"].as_u64());
    assert_eq!(limits(&api["DefaultRouteSettings"]), (Some(200), Some(400)));
    let own = api["RouteSettings"].as_object().expect("the handshake has a limit of its own");
    let known = routes(&template);
    for (route, settings) in own {
        assert!(known.iter().any(|(known, _)| known == route), "there is no route {route}");
        assert!(limits(settings) < (Some(200), Some(400)), "{route}");
    }
}

#[test]
fn the_access_log_knows_no_secret_and_nobodys_address() {
    let template = cfn::line();
    let log = &template.properties("Api")["AccessLogSettings"];
    let format = log["Format"].as_str().expect("a format");
    let line: Value = serde_json::from_str(format).expect("each line is JSON");
    for value in line.as_object().expect("an object").values() {
        let name = value
            .as_str()
            .and_then(|text| text.strip_prefix("$context."))
            .expect("a variable of the gateway");
        assert!(MAY_BE_LOGGED.contains(&name), "{name}");
    }
    assert_eq!(log["DestinationArn"], "${ApiLog.Arn}");
    assert_eq!(template.properties("ApiLog")["RetentionInDays"], "${LogRetentionDays}");
}

#[test]
fn reserving_for_intake_can_be_left_off_and_is_by_default() {
    let template = cfn::line();
    assert_eq!(template.section("Parameters")["IntakeReservedConcurrency"]["Default"], 0);
    let reserved = &template.properties("WhatsappIngress")["ReservedConcurrentExecutions"]["!If"];
    assert_eq!(reserved[0], "ReservesIntake");
    assert_eq!(
        (&reserved[1], &reserved[2]),
        (&Value::from("${IntakeReservedConcurrency}"), &Value::from("${AWS::NoValue}"))
    );
}
