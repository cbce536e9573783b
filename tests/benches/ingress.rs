//! What a webhook costs at intake, network left out: `cargo bench -p switchboard-tests --bench ingress`.
//!
//! The handler is called as the server calls it, with a signed body: signature, decoding, keys, queueing and answer.
//! The budget is 40 µs of processor time for one message of 1 kB.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up fails")]

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use serde_json::{Value, json};
use sha2::Sha256;
use shared::OrgId;
use shared::channel::LineKey;
use shared_flow::ingest::Ingest;
use shared_flow::ports::{Job, PortResult, Queues};
use shared_testkit::memory::{MemorySettings, MemoryStore, VirtualClock, org_settings};
use shared_vendors::whatsapp::verify::AppSecret;
use shared_vendors::whatsapp::{Accounts, Verified, parse, verify};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

const NUMBER: &str = "880200000000011";
const SECRET: &str = "an app secret for the benchmark";
const NOW: i64 = 1_794_819_600;

fn main() {
    divan::main();
}

/// The whole handler.
#[divan::bench(args = [1, 10, 100])]
fn webhook(bencher: Bencher<'_, '_>, messages: usize) {
    let (runtime, router) = (runtime(), router());
    let (body, signature) = signed(messages);
    bencher.counter(ItemsCount::new(messages)).with_inputs(|| request(&body, &signature)).bench_values(
        |request| {
            let answer = runtime.block_on(router.clone().oneshot(request)).expect("the router cannot fail");
            assert_eq!(answer.status(), StatusCode::OK);
        },
    );
}

/// The signature alone: what an unsigned or wrongly signed body costs at most.
#[divan::bench(args = [1, 10, 100])]
fn signature(bencher: Bencher<'_, '_>, messages: usize) {
    let (body, signature) = signed(messages);
    bencher.bench(|| verified(black_box(&body), &signature));
}

/// The decoding alone.
#[divan::bench(args = [1, 10, 100])]
fn decoding(bencher: Bencher<'_, '_>, messages: usize) {
    let (body, signature) = signed(messages);
    let verified = verified(&body, &signature);
    bencher.bench(|| parse(black_box(&verified)));
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn verified(body: &Bytes, signature: &str) -> Verified {
    verify(body.clone(), Some(signature), &[app_secret()]).expect("the signature is right")
}

fn request(body: &Bytes, signature: &str) -> Request<Body> {
    let request = Request::post("/webhooks/whatsapp").header("content-type", "application/json");
    request.header("x-hub-signature-256", signature).body(Body::from(body.clone())).expect("a request")
}

/// A body with so many messages, and its signature. With one message it is 1 kB long.
fn signed(count: usize) -> (Bytes, String) {
    let messages: Vec<Value> = (0..count).map(message).collect();
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "12025550111", "phone_number_id": NUMBER},
        "contacts": [{"profile": {"name": "Customer"}, "wa_id": "12025550142", "user_id": "US.71400000000000000101"}],
        "messages": messages,
    });
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "330000000000001", "changes": [{"field": "messages", "value": value}]}],
    });
    let body = Bytes::from(body.to_string());
    assert!(count > 1 || (1_000..1_100).contains(&body.len()), "one message makes {} bytes", body.len());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any length is fine");
    mac.update(&body);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    (body, format!("sha256={digest}"))
}

fn message(number: usize) -> Value {
    let words = "My order 4417 has not arrived yet, although it was to be here on Tuesday. ".repeat(7);
    json!({
        "from": "12025550142",
        "from_user_id": "US.71400000000000000101",
        "id": format!("wamid.HBgLMTIwMjU1NTAxNDIVAgASGBQzQTdCNEY5{number:08}"),
        "timestamp": NOW.to_string(),
        "type": "text",
        "text": {"body": words},
    })
}

fn router() -> Router {
    let org = OrgId::new("acme").expect("a valid id");
    let settings =
        MemorySettings::new().with_org(org_settings(&org)).with_line(&org, LineKey::whatsapp(NUMBER));
    let clock = VirtualClock::new(shared::Timestamp::from_second(NOW).expect("a time"));
    let ingest = Ingest {
        clock: Arc::new(clock),
        settings: Arc::new(settings),
        queues: Arc::new(Away),
        parking: Arc::new(MemoryStore::new()),
    };
    whatsapp_ingress::router(whatsapp_ingress::Intake { accounts: Arc::new(Keys), ingest })
}

/// A queue that takes everything and keeps nothing: the network is left out.
struct Away;

#[async_trait]
impl Queues for Away {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        black_box(jobs);
        Ok(())
    }
}

struct Keys;

fn app_secret() -> AppSecret {
    AppSecret { secret: SecretString::from(SECRET), numbers: vec![NUMBER.to_owned()] }
}

#[async_trait]
impl Accounts for Keys {
    async fn access_token(&self, _: &OrgId, _: &str) -> PortResult<Option<SecretString>> {
        Ok(None)
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        Ok(vec![app_secret()])
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(Vec::new())
    }
}
