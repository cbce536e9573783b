//! A CloudFormation template as JSON, with its short forms written out: `!Ref X` is `${X}`, `!GetAtt X.Y` is `${X.Y}`,
//! a `!Sub` is its text, and every other form is an object with its name.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::source;

/// A template.
pub struct Template(Value);

/// The template of the line.
pub fn line() -> Template {
    Template::read("template.yaml")
}

/// The nested one, of alarms and the dashboard.
pub fn observability() -> Template {
    Template::read("infra/observability.yaml")
}

impl Template {
    fn read(path: &str) -> Self {
        Self::parse(&source::file(path))
    }

    /// Reads a template's text.
    pub fn parse(text: &str) -> Self {
        Self(plain(serde_yaml_ng::from_str(text).expect("the template is YAML")))
    }

    /// Everything of a resource; it must be there.
    pub fn resource(&self, name: &str) -> &Value {
        let resource = &self.0["Resources"][name];
        assert!(resource.is_object(), "there is no resource {name}");
        resource
    }

    /// The properties of a resource; it must be there.
    pub fn properties(&self, name: &str) -> &Value {
        &self.resource(name)["Properties"]
    }

    /// The resources of a type, by name.
    pub fn of_type(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_object().expect("a template has resources");
        let those = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        those.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
    }

    /// The names of the functions.
    pub fn functions(&self) -> Vec<&str> {
        self.of_type("AWS::Serverless::Function").into_keys().collect()
    }

    /// The properties of a function, with those of all functions.
    pub fn function(&self, name: &str) -> Value {
        let mut all = self.0["Globals"]["Function"].clone();
        merge(&mut all, self.properties(name));
        all
    }

    /// A section such as `Outputs`.
    pub fn section(&self, name: &str) -> &Map<String, Value> {
        self.0[name].as_object().unwrap_or_else(|| panic!("the template has no {name}"))
    }
}

/// The values of a list, or the one value that stands for a list of one.
pub fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<&str> {
    list(value)
        .into_iter()
        .map(|text| text.as_str().unwrap_or_else(|| panic!("not a text: {text}")))
        .collect()
}

/// What a list may hold, whichever way its conditions turn out.
pub fn with_branches(values: &Value) -> Vec<&Value> {
    let all = list(values).into_iter().flat_map(branches);
    all.filter(|value| **value != "${AWS::NoValue}").collect()
}

fn branches(value: &Value) -> Vec<&Value> {
    match value.get("!If") {
        Some(choice) => list(choice).into_iter().skip(1).collect(),
        None => vec![value],
    }
}

/// The resource that `${X}` or `${X.Y}` begins with.
pub fn referred(text: &str) -> Option<&str> {
    let name = text.split_once("${")?.1.split_once('}')?.0;
    name.split('.').next()
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn plain(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => short_form(&tagged.tag.to_string(), plain(tagged.value)),
        Yaml::Sequence(values) => values.into_iter().map(plain).collect(),
        Yaml::Mapping(pairs) => {
            let text = |key: Yaml| key.as_str().expect("keys are texts").to_owned();
            pairs.into_iter().map(|(key, value)| (text(key), plain(value))).collect::<Map<_, _>>().into()
        }
        scalar => serde_json::to_value(scalar).expect("a scalar"),
    }
}

fn short_form(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("!Ref" | "!GetAtt", Value::String(name)) => json!(format!("${{{name}}}")),
        ("!Sub", text @ Value::String(_)) => text,
        (other, value) => json!({ other: value }),
    }
}

#[test]
fn short_forms_are_read() {
    let text = "Resources:\n  A:\n    Type: T\n    Properties:\n      R: !Ref B\n      G: !GetAtt B.Arn\n      S: !Sub '${B}-x'\n      L: [!If [C, 1, !Ref AWS::NoValue], 2]\n";
    let template = Template::parse(text);
    let a = template.properties("A");
    assert_eq!((&a["R"], &a["G"], &a["S"]), (&json!("${B}"), &json!("${B.Arn}"), &json!("${B}-x")));
    assert_eq!(with_branches(&a["L"]), [&json!(1), &json!(2)]);
    assert_eq!(referred("arn:${B.Arn}/x"), Some("B"));
    assert_eq!(template.of_type("T").len(), 1);
}

#[test]
fn what_all_functions_have_is_part_of_each() {
    let text = "Globals: {Function: {Timeout: 3, Environment: {Variables: {A: 1}}}}\nResources: {F: {Type: AWS::Serverless::Function, Properties: {Environment: {Variables: {B: 2}}}}}";
    let function = Template::parse(text).function("F");
    assert_eq!(function, json!({"Timeout": 3, "Environment": {"Variables": {"A": 1, "B": 2}}}));
}
