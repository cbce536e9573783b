//! The dashboard is JSON inside YAML, which no tool checks: that it can be read, fits its page, and leaves nothing out.

use std::collections::BTreeSet;

use serde_json::Value;
use shared_aws::sqs::Queue;

use super::cfn;
use super::queues::{names, number};

/// The columns of a dashboard.
const COLUMNS: u64 = 24;

fn body() -> (String, Value) {
    let template = cfn::observability();
    let text = template.properties("Dashboard")["DashboardBody"].as_str().expect("a body").to_owned();
    let parsed = serde_json::from_str(&text).expect("the dashboard is JSON");
    (text, parsed)
}

/// The cells that a widget covers.
fn cells(widget: &Value) -> Vec<(u64, u64)> {
    let [x, y, width, height] = ["x", "y", "width", "height"].map(|key| number(&widget[key]));
    (y..y + height).flat_map(|row| (x..x + width).map(move |column| (column, row))).collect()
}

#[test]
fn no_widget_leaves_the_page_or_covers_another() {
    let (_, body) = body();
    let mut taken = BTreeSet::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        for cell in cells(widget) {
            assert!(cell.0 < COLUMNS, "{widget}");
            assert!(taken.insert(cell), "{cell:?} is covered twice, also by {widget}");
        }
    }
}

#[test]
fn it_asks_from_the_top_what_an_operator_asks() {
    let (_, body) = body();
    let widgets = body["widgets"].as_array().expect("widgets");
    let headings: Vec<&str> = widgets
        .iter()
        .filter(|widget| widget["type"] == "text")
        .filter_map(|widget| widget["properties"]["markdown"].as_str()?.strip_prefix("## "))
        .collect();
    assert_eq!(headings, ["Is it working?", "What waits?", "What failed?", "What it costs in calls"]);
    let graphs = widgets.iter().filter(|widget| widget["type"] == "metric");
    for graph in graphs {
        assert!(
            graph["properties"]["title"].is_string() && graph["properties"]["region"] == "${AWS::Region}"
        );
    }
}

#[test]
fn every_alarm_function_and_queue_is_on_it() {
    let (text, body) = body();
    let template = cfn::observability();
    let widgets = body["widgets"].as_array().expect("widgets");
    let alarms = widgets.iter().find(|widget| widget["type"] == "alarm").expect("a widget of alarms");
    let shown: BTreeSet<&str> = cfn::texts(&alarms["properties"]["alarms"]).into_iter().collect();
    let all: BTreeSet<String> =
        template.of_type("AWS::CloudWatch::Alarm").keys().map(|name| format!("${{{name}.Arn}}")).collect();
    assert_eq!(shown, all.iter().map(String::as_str).collect());
    for function in cfn::line().functions() {
        assert!(text.matches(&format!("${{{function}Name}}")).count() >= 3, "{function}");
    }
    for queue in Queue::ALL {
        let (name, dead, _) = names(queue);
        assert!(
            text.contains(&format!("${{{name}Name}}")) && text.contains(&format!("${{{dead}Name}}")),
            "{name}"
        );
    }
}
