//! Which webhooks are believed while secrets and numbers change: what was configured a moment ago counts at once, one
//! app never speaks for another's numbers, and a flood of forgeries costs nothing.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../../shared/aws/tests/configured/fake.rs"]
mod fake;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use shared_flow::ingest::Ingest;
use shared_lambda::accounts::DeployedAccounts;
use shared_testkit::memory::{MemoryQueues, MemoryStore};
use tower::ServiceExt;
use whatsapp_ingress::Intake;

use crate::fake::Fake;

const ONE: &str = "880200000000011";
const TWO: &str = "880200000000012";

/// Intake over what is configured in the stand-in.
struct Line {
    fake: Fake,
    routes: Router,
    queues: MemoryQueues,
}

/// One app: its secret, and its numbers.
type App<'a> = (&'a str, &'a [&'a str]);

fn configure(fake: &Fake, apps: &[App<'_>]) {
    let app = |(secret, numbers): &App<'_>| json!({"app_secret": secret, "verify_token": format!("word of {secret}"), "numbers": numbers});
    let apps: Vec<_> = apps.iter().map(app).collect();
    fake.set("whatsapp-webhooks", &json!({ "apps": apps }).to_string());
}

impl Line {
    async fn start(apps: &[App<'_>]) -> Self {
        let fake = Fake::start().await;
        configure(&fake, apps);
        for (number, org) in [(ONE, "acme"), (TWO, "other")] {
            fake.record(&format!("LINE#whatsapp:{number}"), &json!({ "org": org }).to_string());
        }
        let (settings, queues) = (Arc::new(fake.settings()), MemoryQueues::new(fake.clock.clone()));
        let ingest = Ingest {
            clock: Arc::new(fake.clock.clone()),
            settings: settings.clone(),
            queues: Arc::new(queues.clone()),
            parking: Arc::new(MemoryStore::new()),
        };
        let accounts = Arc::new(DeployedAccounts::new(settings, Arc::new(fake.secrets())));
        Self { routes: whatsapp_ingress::router(Intake { accounts, ingest }), fake, queues }
    }

    async fn post(&self, number: &str, signature: Option<&str>, id: &str) -> StatusCode {
        let body = body(number, id);
        let mut request = Request::post("/webhooks/whatsapp");
        if let Some(secret) = signature {
            request = request.header("x-hub-signature-256", signed(secret, &body));
        }
        let request = request.body(Body::from(body)).unwrap();
        self.routes.clone().oneshot(request).await.unwrap().status()
    }

    async fn handshake(&self, word: &str) -> StatusCode {
        let word = word.replace(' ', "+");
        let query = format!("hub.mode=subscribe&hub.challenge=17&hub.verify_token={word}");
        let request = Request::get(format!("/webhooks/whatsapp?{query}")).body(Body::empty()).unwrap();
        self.routes.clone().oneshot(request).await.unwrap().status()
    }

    fn reads(&self) -> usize {
        self.fake.count("GetSecretValue")
    }

    fn queued(&self) -> usize {
        self.queues.all().len()
    }
}

fn body(number: &str, id: &str) -> String {
    let message = json!({
        "from": "12025550142", "id": format!("wamid.{id}"), "timestamp": "1794819600", "type": "text",
        "text": {"body": "Hello"},
    });
    let value = json!({
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": number}, "messages": [message],
    });
    let change = json!({"field": "messages", "value": value});
    json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).to_string()
}

fn signed(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digest}")
}

#[tokio::test]
async fn a_secret_that_was_replaced_a_moment_ago_counts_at_once() {
    let line = Line::start(&[("old", &[ONE])]).await;
    assert_eq!(line.post(ONE, Some("old"), "1").await, StatusCode::OK);
    configure(&line.fake, &[("new", &[ONE])]);
    assert_eq!(line.post(ONE, Some("new"), "2").await, StatusCode::OK);
    assert_eq!((line.queued(), line.reads()), (2, 2));
    assert_eq!(line.post(ONE, Some("old"), "3").await, StatusCode::UNAUTHORIZED);
    assert_eq!(line.queued(), 2);
}

#[tokio::test]
async fn a_hundred_forgeries_cause_one_look() {
    let line = Line::start(&[("real", &[ONE])]).await;
    for round in 1..=2 {
        for _ in 0..100 {
            assert_eq!(line.post(ONE, Some("forged"), "1").await, StatusCode::UNAUTHORIZED);
        }
        // The first look of all, and one for each half minute.
        assert_eq!(line.reads(), 1 + round);
        line.fake.pass(30);
    }
    assert_eq!(line.queued(), 0);
    assert_eq!(line.post(ONE, Some("real"), "1").await, StatusCode::OK);
}

#[tokio::test]
async fn a_body_without_a_signature_is_no_reason_to_look() {
    let line = Line::start(&[("real", &[ONE])]).await;
    line.post(ONE, Some("real"), "1").await;
    assert_eq!(line.post(ONE, None, "2").await, StatusCode::UNAUTHORIZED);
    assert_eq!(line.reads(), 1);
}

#[tokio::test]
async fn a_number_that_was_configured_a_moment_ago_is_heard() {
    let line = Line::start(&[("real", &[ONE])]).await;
    line.post(ONE, Some("real"), "1").await;
    configure(&line.fake, &[("real", &[ONE, TWO])]);
    assert_eq!(line.post(TWO, Some("real"), "2").await, StatusCode::OK);
    assert_eq!((line.queued(), line.reads()), (2, 2));
}

#[tokio::test]
async fn one_app_never_speaks_for_anothers_numbers() {
    let line = Line::start(&[("first", &[ONE]), ("second", &[TWO])]).await;
    for (secret, number) in [("first", TWO), ("second", ONE), ("second", TWO), ("first", ONE)] {
        let before = line.queued();
        assert_eq!(line.post(number, Some(secret), secret).await, StatusCode::OK);
        let its_own = (secret == "first") == (number == ONE);
        assert_eq!(line.queued() - before, usize::from(its_own), "{secret} for {number}");
    }
    assert_eq!(line.reads(), 2);
}

#[tokio::test]
async fn what_was_proven_stays_proven_when_its_secret_goes() {
    let line = Line::start(&[("old", &[ONE])]).await;
    line.post(ONE, Some("old"), "1").await;
    configure(&line.fake, &[("new", &[ONE])]);
    // Signed in time, and about a number that makes us look again.
    assert_eq!(line.post(TWO, Some("old"), "2").await, StatusCode::OK);
    assert_eq!(line.queued(), 1);
}

#[tokio::test]
async fn a_word_that_was_configured_a_moment_ago_is_ours() {
    let line = Line::start(&[("old", &[ONE])]).await;
    assert_eq!(line.handshake("word of old").await, StatusCode::OK);
    configure(&line.fake, &[("new", &[ONE])]);
    assert_eq!(line.handshake("word of new").await, StatusCode::OK);
    for _ in 0..100 {
        assert_eq!(line.handshake("word of old").await, StatusCode::FORBIDDEN);
    }
    assert_eq!(line.reads(), 2);
}

#[tokio::test]
async fn without_the_service_nothing_is_refused_that_may_be_genuine() {
    let line = Line::start(&[("real", &[ONE])]).await;
    line.fake.break_with(Some((500, "InternalServiceError")));
    assert_eq!(line.post(ONE, Some("real"), "1").await, StatusCode::SERVICE_UNAVAILABLE);
    line.fake.break_with(None);
    assert_eq!(line.post(ONE, Some("real"), "1").await, StatusCode::OK);
    // Known once, it counts while the service is away, and a forgery is still one.
    line.fake.break_with(Some((500, "InternalServiceError")));
    line.fake.pass(10);
    assert_eq!(line.post(ONE, Some("forged"), "2").await, StatusCode::UNAUTHORIZED);
}
