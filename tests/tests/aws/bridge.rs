//! Where the emulator falls short of AWS, made up for after a deploy, so that the template need not.
//!
//! It makes no routes for HTTP APIs: AWS reads them from the document that SAM writes into the API, the emulator does
//! that for REST APIs only. So they are read from there and made one by one. And it speaks plain HTTP, so policies that
//! refuse just that are taken away.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::TemplateStage;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use super::emulator::{ACCOUNT, Emulator, REGION};
use super::signed::Signed;
use super::stack::Stack;

/// Makes the routes of all HTTP APIs of a stack that are not there yet.
pub async fn create_routes(emulator: &Emulator, stack: &str) {
    let client = Client::new(&emulator.config);
    let template = client.get_template().stack_name(stack).template_stage(TemplateStage::Processed);
    let template: Value =
        serde_json::from_str(&template.send().await.unwrap().template_body.unwrap()).unwrap();
    let found = client.describe_stack_resources().stack_name(stack).send().await.unwrap();
    let found = found.stack_resources.unwrap_or_default().into_iter();
    let ids: BTreeMap<String, String> =
        found.filter_map(|r| Some((r.logical_resource_id?, r.physical_resource_id?))).collect();
    let gateway = Signed::new(&emulator.url, "apigateway");
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] == "AWS::ApiGatewayV2::Api" {
            let api = Api { gateway: &gateway, id: &ids[name] };
            api.create_routes(&resource["Properties"]["Body"], &ids).await;
        }
    }
}

/// Takes away the policies that refuse connections without TLS. They have no other rule.
pub async fn allow_plain_http(emulator: &Emulator, stack: &Stack) {
    let s3 = aws_sdk_s3::Client::new(&emulator.config);
    s3.delete_bucket_policy().bucket(stack.output("BodiesBucketName")).send().await.unwrap();
    let sqs = aws_sdk_sqs::Client::new(&emulator.config);
    let queues = ["QueueUrl", "DeadLettersUrl"];
    let urls = stack.outputs.iter().filter(|(name, _)| queues.iter().any(|end| name.ends_with(end)));
    for (_, url) in urls {
        sqs.set_queue_attributes()
            .queue_url(url)
            .attributes(QueueAttributeName::Policy, "")
            .send()
            .await
            .unwrap();
    }
}

struct Api<'a> {
    gateway: &'a Signed,
    id: &'a str,
}

impl Api<'_> {
    async fn create_routes(&self, document: &Value, ids: &BTreeMap<String, String>) {
        let mut integrations = BTreeMap::new();
        for (key, function) in routes(document) {
            if !integrations.contains_key(&function) {
                integrations.insert(function.clone(), self.integrate(&ids[&function]).await);
            }
            let route =
                json!({"routeKey": key, "target": format!("integrations/{}", integrations[&function])});
            self.gateway.post(&format!("/v2/apis/{}/routes", self.id), &route).await;
        }
    }

    /// Makes the function reachable and returns the id of the way to it.
    async fn integrate(&self, function: &str) -> String {
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}");
        let way =
            json!({"integrationType": "AWS_PROXY", "integrationUri": arn, "payloadFormatVersion": "2.0"});
        let made = self.gateway.post(&format!("/v2/apis/{}/integrations", self.id), &way).await;
        made["integrationId"].as_str().unwrap().to_owned()
    }
}

/// The routes of a document, each with the function that it leads to.
fn routes(document: &Value) -> Vec<(String, String)> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let uri = operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].as_str();
            // Methods stand beside what concerns all of them.
            let Some((_, rest)) = uri.and_then(|uri| uri.split_once("functions/${")) else { continue };
            let function = rest.split('.').next().unwrap_or_default().to_owned();
            routes.push((route_key(method, path), function));
        }
    }
    routes
}

fn route_key(method: &str, path: &str) -> String {
    match (method, path) {
        (_, "$default" | "/$default") => "$default".to_owned(),
        ("x-amazon-apigateway-any-method", path) => format!("ANY {path}"),
        (method, path) => format!("{} {path}", method.to_uppercase()),
    }
}

#[test]
fn routes_are_read_from_the_document() {
    let to = |function: &str| {
        let uri = format!("arn:aws:apigateway:here:lambda:path/functions/${{{function}.Arn}}/invocations");
        json!({"x-amazon-apigateway-integration": {"uri": {"Fn::Sub": uri}}})
    };
    let document = json!({"paths": {
        "/webhooks/whatsapp": {"get": to("WhatsappIngress"), "post": to("WhatsappIngress"), "parameters": []},
        "/all/{proxy+}": {"x-amazon-apigateway-any-method": to("All")},
        "/$default": {"x-amazon-apigateway-any-method": to("Rest")}}});
    let found = routes(&document);
    let found: Vec<(&str, &str)> = found.iter().map(|(key, to)| (key.as_str(), to.as_str())).collect();
    let mut expected = [
        ("GET /webhooks/whatsapp", "WhatsappIngress"),
        ("POST /webhooks/whatsapp", "WhatsappIngress"),
        ("ANY /all/{proxy+}", "All"),
        ("$default", "Rest"),
    ];
    expected.sort_unstable();
    let mut sorted = found;
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}
