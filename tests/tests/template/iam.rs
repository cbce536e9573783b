//! A role's permissions, each as one action on one resource, and whether a pattern of IAM covers a text.

use serde_json::Value;

use super::cfn::{Template, texts, with_branches};

/// One thing that a role may do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    pub action: String,
    pub resource: String,
}

impl Permission {
    /// The service of its action.
    pub fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }
}

/// The statements of a role, also those that depend on a parameter.
pub fn statements<'a>(template: &'a Template, role: &str) -> Vec<&'a Value> {
    let properties = template.properties(role);
    assert!(
        properties.get("ManagedPolicyArns").is_none(),
        "{role}: somebody else's policy changes without us"
    );
    let policies = properties["Policies"].as_array().expect("a role has policies");
    policies.iter().flat_map(|policy| with_branches(&policy["PolicyDocument"]["Statement"])).collect()
}

/// Everything that a role may do.
pub fn permissions(template: &Template, role: &str) -> Vec<Permission> {
    let mut all: Vec<Permission> = statements(template, role).into_iter().flat_map(each).collect();
    all.sort_unstable();
    all
}

/// Everything that a function may do.
pub fn of_function(template: &Template, function: &str) -> Vec<Permission> {
    permissions(template, &format!("{function}Role"))
}

fn each(statement: &Value) -> Vec<Permission> {
    assert_eq!(statement["Effect"], "Allow", "{statement}");
    for odd in ["NotAction", "NotResource"] {
        assert!(statement.get(odd).is_none(), "{odd} permits what nobody thought of: {statement}");
    }
    let resources = texts(&statement["Resource"]);
    let of = |action: &str| -> Vec<Permission> {
        let one =
            |resource: &&str| Permission { action: action.to_owned(), resource: (*resource).to_owned() };
        resources.iter().map(one).collect()
    };
    texts(&statement["Action"]).into_iter().flat_map(of).collect()
}

/// Whether a pattern covers a text: `*` stands for any characters, `?` for one.
pub fn covers(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, end) => end.is_none(),
        (Some('*'), None) => covers(&pattern[1..], text),
        (Some('*'), Some(first)) => covers(&pattern[1..], text) || covers(pattern, &text[first.len_utf8()..]),
        (Some(wanted), Some(first)) if wanted == '?' || wanted == first => {
            covers(&pattern[wanted.len_utf8()..], &text[first.len_utf8()..])
        }
        _ => false,
    }
}

#[test]
fn patterns_cover_what_iam_says_they_do() {
    assert!(covers("secret:s/*/model-??????", "secret:s/acme/model-AbC123"));
    assert!(covers("secret:s/*/model-??????", "secret:s/a/b/model-AbC123"), "a star crosses slashes");
    assert!(!covers("secret:s/*/model-??????", "secret:s/acme/model-AbC12"));
    assert!(!covers("secret:s/*/model-??????", "secret:s/acme/models-AbC123"));
    assert!(covers("*", "") && covers("*", "anything") && !covers("a", "ab"));
}
