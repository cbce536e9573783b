//! On AWS whoever may send, hide or delete one message may do so with a batch; the emulator asks for permissions of other
//! names, which AWS does not know. So every role is given those for exactly the queues that it has the proper ones for.

use reqwest::Url;
use serde_json::{Value, json};

use super::emulator::Emulator;
use super::signed::Signed;

/// What may be done one by one. With `Batch` at its end it is the emulator's name of the other permission.
const ONE_BY_ONE: [&str; 3] = ["sqs:SendMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"];

/// Lets these roles do with batches what they may do one by one.
pub async fn permit(emulator: &Emulator, roles: impl IntoIterator<Item = &String>) {
    let iam = Iam(Signed::new(&emulator.url, "iam"));
    for role in roles {
        let mut statements = Vec::new();
        for policy in iam.policies(role).await {
            statements.extend(of_batches(&iam.document(role, &policy).await));
        }
        if !statements.is_empty() {
            iam.put(role, &json!({"Version": "2012-10-17", "Statement": statements})).await;
        }
    }
}

/// What a policy lets its role do one by one, as statements about batches.
fn of_batches(document: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for statement in document["Statement"].as_array().into_iter().flatten() {
        let actions = all(&statement["Action"]);
        let known = ONE_BY_ONE.iter().filter(|one| actions.contains(&json!(one)));
        let batches: Vec<String> = known.map(|one| format!("{one}Batch")).collect();
        if !batches.is_empty() {
            found.push(json!({"Effect": "Allow", "Action": batches, "Resource": statement["Resource"]}));
        }
    }
    found
}

/// One or several, as policies have them.
fn all(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

struct Iam(Signed);

impl Iam {
    async fn policies(&self, role: &str) -> Vec<String> {
        elements(&self.0.query(&[("Action", "ListRolePolicies"), ("RoleName", role)]).await, "member")
    }

    async fn document(&self, role: &str, policy: &str) -> Value {
        let call = [("Action", "GetRolePolicy"), ("RoleName", role), ("PolicyName", policy)];
        let document = elements(&self.0.query(&call).await, "PolicyDocument").remove(0);
        serde_json::from_str(&decoded(&document)).unwrap()
    }

    async fn put(&self, role: &str, document: &Value) {
        let document = document.to_string();
        let call = [
            ("Action", "PutRolePolicy"),
            ("RoleName", role),
            ("PolicyName", "batches"),
            ("PolicyDocument", &document),
        ];
        self.0.query(&call).await;
    }
}

/// The contents of all elements of this name, which have no elements in them.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let start = format!("<{name}>");
    let parts = xml.split(&start).skip(1);
    parts.filter_map(|part| part.split("</").next()).map(str::to_owned).collect()
}

/// A text as it was before it was encoded for an address.
fn decoded(text: &str) -> String {
    let url = Url::parse(&format!("http://localhost/?{text}")).unwrap();
    url.query_pairs().map(|(text, _)| text.into_owned()).collect()
}

#[test]
fn only_what_may_be_done_one_by_one_may_be_done_with_batches() {
    let document = json!({"Statement": [
        {"Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": "arn:of:own"},
        {"Action": "sqs:SendMessage", "Resource": ["arn:of:one", "arn:of:two"]},
        {"Action": "sqs:GetQueueAttributes", "Resource": "arn:of:three"}]});
    let of =
        |action: &str, resource: Value| json!({"Effect": "Allow", "Action": [action], "Resource": resource});
    let expected = [
        of("sqs:DeleteMessageBatch", json!("arn:of:own")),
        of("sqs:SendMessageBatch", json!(["arn:of:one", "arn:of:two"])),
    ];
    assert_eq!(of_batches(&document), expected);
    let xml = "<A><PolicyNames><member>one</member><member>two</member></PolicyNames></A>";
    assert_eq!(elements(xml, "member"), ["one", "two"]);
    assert_eq!(decoded("%7B%22a%22%3A+%22b%26c%3Dd%22%7D"), "{\"a\": \"b&c=d\"}");
}
