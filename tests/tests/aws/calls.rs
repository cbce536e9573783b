//! What a request that leaves a function asks for: which action of AWS on which resource of the stack, or which vendor.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;

/// The names of a stack's resources: what AWS calls them, and what the template does.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The stack's own name, with which the names of its secrets begin.
    pub stack: String,
    /// Physical to logical.
    pub logical: BTreeMap<String, String>,
}

impl Names {
    /// What the template calls a table, a bucket or, by its address, a queue.
    pub fn logical(&self, physical: &str) -> String {
        self.logical.get(physical).cloned().unwrap_or_else(|| format!("«{physical}»"))
    }

    /// What AWS calls a resource of the template.
    pub fn physical(&self, logical: &str) -> &str {
        let found = self.logical.iter().find(|(_, name)| *name == logical);
        found.unwrap_or_else(|| panic!("the stack has no {logical}")).0
    }

    /// Names and addresses of all queues, dead-letter queues included.
    pub fn queues(&self) -> Vec<(String, String)> {
        let queues = self.logical.iter().filter(|(physical, _)| physical.starts_with("http"));
        queues.map(|(url, name)| (name.clone(), url.clone())).collect()
    }

    /// A secret's name without the stack, and without the organisation: `creatio`.
    fn secret(&self, id: &str) -> String {
        let id = id.rsplit_once(":secret:").map_or(id, |(_, name)| name);
        match id.strip_prefix(&format!("{}/", self.stack)) {
            Some(name) => format!("secret {}", name.rsplit('/').next().unwrap_or(name)),
            None => format!("secret «{id}»"),
        }
    }
}

/// An action of AWS and the resource that it is done to.
pub type Right = (String, String);

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// What it is, in short: `dynamodb:Query LineTable/index/wake`, `creatio POST Case`.
    pub what: String,
    /// What a role must permit for it. Nothing for vendors.
    pub needs: BTreeSet<Right>,
    /// The queue that it sends to.
    pub sends_to: Option<String>,
    /// Whether something that it sends may be read only later.
    pub is_delayed: bool,
    /// Queue records that it shows again: receipt and seconds.
    pub shows: Vec<(String, i64)>,
}

impl Call {
    /// Reads a request to a vendor.
    pub fn to_vendor(vendor: &str, method: &Method, uri: &Uri) -> Self {
        let last = uri.path().rsplit('/').next().unwrap_or_default();
        let last = last.split('(').next().unwrap_or_default();
        Self { what: format!("{vendor} {method} {last}"), ..Self::default() }
    }

    /// Reads a request to AWS.
    pub fn to_aws(names: &Names, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Self {
        let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let Some((service, operation)) = target.and_then(|target| target.split_once('.')) else {
            return to_bucket(names, method, uri);
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match service {
            "DynamoDB_20120810" => to_table(names, operation, &body),
            "AmazonSQS" => to_queue(names, operation, &body),
            "secretsmanager" => {
                let secret = names.secret(body["SecretId"].as_str().unwrap_or_default());
                Self::of("secretsmanager", operation, operation, secret)
            }
            other => Self::of(other, operation, operation, "unknown".to_owned()),
        }
    }

    fn of(service: &str, operation: &str, action: &str, resource: String) -> Self {
        let what = format!("{service}:{operation} {resource}");
        Self { what, needs: [(format!("{service}:{action}"), resource)].into(), ..Self::default() }
    }
}

fn to_table(names: &Names, operation: &str, body: &Value) -> Call {
    let table = names.logical(body["TableName"].as_str().unwrap_or_default());
    match operation {
        "TransactWriteItems" => transaction(names, &body["TransactItems"]),
        "BatchGetItem" | "BatchWriteItem" => {
            let table = body["RequestItems"].as_object().and_then(|tables| tables.keys().next());
            Call::of("dynamodb", operation, operation, names.logical(table.map_or("", String::as_str)))
        }
        _ => match body["IndexName"].as_str() {
            Some(index) => Call::of("dynamodb", operation, operation, format!("{table}/index/{index}")),
            None => Call::of("dynamodb", operation, operation, table),
        },
    }
}

/// A transaction needs the rights of its parts and has none of its own:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>.
fn transaction(names: &Names, items: &Value) -> Call {
    let part = |item: &Value| {
        let (kind, of) = item.as_object()?.iter().next()?;
        let action = if kind == "ConditionCheck" { "ConditionCheckItem" } else { &format!("{kind}Item") };
        Some((format!("dynamodb:{action}"), names.logical(of["TableName"].as_str()?)))
    };
    let needs: BTreeSet<Right> = items.as_array().into_iter().flatten().filter_map(part).collect();
    let tables: BTreeSet<&str> = needs.iter().map(|(_, table)| table.as_str()).collect();
    let what = format!("dynamodb:TransactWriteItems {}", tables.into_iter().collect::<Vec<_>>().join("+"));
    Call { what, needs, ..Call::default() }
}

/// A batch needs the right to the single action.
fn to_queue(names: &Names, operation: &str, body: &Value) -> Call {
    let queue = names.logical(body["QueueUrl"].as_str().unwrap_or_default());
    let action = operation.trim_end_matches("Batch");
    let call = Call::of("sqs", operation, action, queue.clone());
    let one = [body.clone()];
    let entries = body["Entries"].as_array().map_or(one.as_slice(), Vec::as_slice);
    match action {
        "SendMessage" => Call { sends_to: Some(queue), is_delayed: entries.iter().any(is_delayed), ..call },
        "ChangeMessageVisibility" => Call { shows: entries.iter().filter_map(shown).collect(), ..call },
        _ => call,
    }
}

fn is_delayed(entry: &Value) -> bool {
    entry["DelaySeconds"].as_i64().is_some_and(|seconds| seconds > 0)
}

fn shown(entry: &Value) -> Option<(String, i64)> {
    Some((entry["ReceiptHandle"].as_str()?.to_owned(), entry["VisibilityTimeout"].as_i64()?))
}

/// Path style: `/bucket/prefix/rest`. Of the key only the first part is told: rights are given by it.
fn to_bucket(names: &Names, method: &Method, uri: &Uri) -> Call {
    let mut parts = uri.path().trim_start_matches('/').splitn(3, '/');
    let bucket = names.logical(parts.next().unwrap_or_default());
    let (action, resource) = match (method, parts.next().filter(|part| !part.is_empty())) {
        (&Method::GET, None) => ("ListBucket", bucket),
        (&Method::GET | &Method::HEAD, Some(prefix)) => ("GetObject", format!("{bucket}/{prefix}")),
        (&Method::PUT, Some(prefix)) => ("PutObject", format!("{bucket}/{prefix}")),
        (&Method::DELETE, Some(prefix)) => ("DeleteObject", format!("{bucket}/{prefix}")),
        (_, _) => ("unknown", bucket),
    };
    Call::of("s3", action, action, resource)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        let logical =
            [("line-1", "LineTable"), ("http://sqs/turns", "TurnsQueue"), ("bodies-1", "BodiesBucket")];
        let logical = logical.map(|(physical, name)| (physical.to_owned(), name.to_owned())).into();
        Names { stack: "line".to_owned(), logical }
    }

    fn call(target: &str, body: &Value) -> Call {
        let headers = HeaderMap::from_iter([("x-amz-target".parse().unwrap(), target.parse().unwrap())]);
        Call::to_aws(&names(), &Method::POST, &Uri::from_static("/"), &headers, body.to_string().as_bytes())
    }

    fn rights(call: &Call) -> Vec<String> {
        call.needs.iter().map(|(action, of)| format!("{action} {of}")).collect()
    }

    #[test]
    fn a_transaction_is_its_parts() {
        let table = json!({"TableName": "line-1"});
        let body = json!({"TransactItems": [{"Put": table}, {"Update": table}, {"Put": table}, {"ConditionCheck": table}]});
        let call = call("DynamoDB_20120810.TransactWriteItems", &body);
        assert_eq!(call.what, "dynamodb:TransactWriteItems LineTable");
        let parts = ["ConditionCheckItem", "PutItem", "UpdateItem"];
        assert_eq!(rights(&call), parts.map(|part| format!("dynamodb:{part} LineTable")));
    }

    #[test]
    fn an_index_is_not_its_table_and_a_stranger_is_shown() {
        let query = call("DynamoDB_20120810.Query", &json!({"TableName": "line-1", "IndexName": "wake"}));
        assert_eq!(rights(&query), ["dynamodb:Query LineTable/index/wake"]);
        let other = call("DynamoDB_20120810.GetItem", &json!({"TableName": "other"}));
        assert_eq!(rights(&other), ["dynamodb:GetItem «other»"]);
        let secret = call("secretsmanager.GetSecretValue", &json!({"SecretId": "line/acme/creatio"}));
        assert_eq!(rights(&secret), ["secretsmanager:GetSecretValue secret creatio"]);
    }

    #[test]
    fn a_batch_is_many_of_one_action() {
        let entries = json!([{"MessageBody": "a"}, {"MessageBody": "b", "DelaySeconds": 3}]);
        let sent =
            call("AmazonSQS.SendMessageBatch", &json!({"QueueUrl": "http://sqs/turns", "Entries": entries}));
        assert_eq!((rights(&sent), sent.is_delayed), (vec!["sqs:SendMessage TurnsQueue".to_owned()], true));
        assert_eq!(sent.sends_to.as_deref(), Some("TurnsQueue"));
        let entries = json!([{"ReceiptHandle": "r", "VisibilityTimeout": 5}]);
        let body = json!({"QueueUrl": "http://sqs/turns", "Entries": entries});
        assert_eq!(call("AmazonSQS.ChangeMessageVisibilityBatch", &body).shows, [("r".to_owned(), 5)]);
    }

    #[test]
    fn a_key_is_told_by_its_folder() {
        let put = |path: &'static str| {
            Call::to_aws(&names(), &Method::PUT, &Uri::from_static(path), &HeaderMap::new(), b"")
        };
        assert_eq!(rights(&put("/bodies-1/queued/abc?x-id=PutObject")), ["s3:PutObject BodiesBucket/queued"]);
        assert_eq!(rights(&put("/bodies-1")), ["s3:unknown BodiesBucket"]);
    }
}
