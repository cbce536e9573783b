//! Calls of AWS services for which there is no client here, signed as the account's root.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::{Method, Url};
use serde_json::Value;

use super::emulator::{ACCOUNT, REGION, SECRET};
use super::program::client;

/// A service.
pub struct Signed {
    url: String,
    service: &'static str,
    http: reqwest::Client,
}

impl Signed {
    /// The service of this name at this address.
    pub fn new(url: &str, service: &'static str) -> Self {
        Self { url: url.to_owned(), service, http: client() }
    }

    /// Calls an operation of a service that names operations in a header.
    pub async fn json(&self, operation: &str, body: &Value) -> Value {
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", operation)];
        self.call(Method::POST, "/", &headers, body.to_string()).await
    }

    /// Reads a resource of a service that names operations by path.
    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, &[], String::new()).await
    }

    /// Creates a resource of a service that names operations by path.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.call(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Calls an operation of a service that takes a form, and returns the XML that it answers with.
    pub async fn query(&self, form: &[(&str, &str)]) -> String {
        let form = Url::parse_with_params("http://localhost/", form).unwrap().query().unwrap().to_owned();
        self.send(Method::POST, "/", &[("content-type", "application/x-www-form-urlencoded")], form).await
    }

    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Value {
        serde_json::from_str(&self.send(method, path, headers, body).await).unwrap_or_default()
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> String {
        let url = format!("{}{path}", self.url);
        let mut request = self.http.request(method.clone(), &url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in self.signature(&method, &url, headers, &body) {
            request = request.header(name, value);
        }
        let answer = request.body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{} {path}: {status} {text}", self.service);
        text
    }

    fn signature(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<(&'static str, String)> {
        let root = Credentials::new(ACCOUNT, SECRET, None, None, "the test").into();
        let parameters = v4::SigningParams::builder().identity(&root).region(REGION).name(self.service);
        let parameters = parameters.time(SystemTime::now()).settings(SigningSettings::default());
        let parameters = parameters.build().unwrap().into();
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new(method.as_str(), url, headers.iter().copied(), body).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        let (headers, _) = instructions.into_parts();
        headers.iter().map(|header| (header.name(), header.value().to_owned())).collect()
    }
}
