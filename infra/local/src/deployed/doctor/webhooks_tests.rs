//! The front door's hops against the real routes on this machine, whole and spoilt.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use shared_flow::ingest::Ingest;
use shared_testkit::memory::{MemoryQueues, MemoryStore, VirtualClock};
use shared_vendors::guard::Guard;

use super::*;
use crate::config;
use crate::settings::LocalSettings;

const WHOLE: &str = include_str!("../../config/whole.toml");

/// The real routes over what a file says.
fn routes(file: &str) -> Router {
    let settings = Arc::new(LocalSettings::new(&config::parse(file).unwrap(), "unused").unwrap());
    let clock = VirtualClock::new(shared::Timestamp::UNIX_EPOCH);
    let queues = Arc::new(MemoryQueues::new(clock.clone()));
    let ingest = Ingest {
        clock: Arc::new(clock),
        settings: settings.clone(),
        queues: queues.clone(),
        parking: Arc::new(MemoryStore::default()),
    };
    let intake = whatsapp_ingress::Intake { accounts: settings.clone(), ingest };
    let webhook = creatio_webhook::Webhook { accounts: settings, queues };
    whatsapp_ingress::router(intake).merge(creatio_webhook::router(webhook))
}

async fn serve(routes: Router) -> Addresses {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Addresses {
        whatsapp: format!("{api}/webhooks/whatsapp"),
        creatio: format!("{api}/webhooks/creatio"),
        api,
    }
}

/// All hops, as `name: outcome`, of a line with these routes, asked with the documented file's keys.
async fn asked(routes: Router) -> Vec<Hop> {
    let addresses = serve(routes).await;
    let http = Http::new(Guard::new(true)).unwrap();
    let door = Door { http: &http, addresses: &addresses };
    let keys =
        AppKeys { app_secret: "example-app-secret".into(), verify_token: "example-verify-token".into() };
    let mut hops = door.whatsapp(&[("880200000000011", &keys)]).await;
    hops.push(door.creatio().await);
    hops.push(door.creatio_token("acme", &"example-webhook-token".into()).await);
    hops
}

fn failing(hops: &[Hop]) -> Vec<&str> {
    let failed = hops.iter().filter(|hop| hop.outcome != Outcome::Ok);
    failed.map(|hop| hop.name.as_str()).collect()
}

#[tokio::test]
async fn a_line_that_works_passes_every_hop() {
    let hops = asked(routes(WHOLE)).await;
    assert_eq!(hops.len(), 6);
    assert!(failing(&hops).is_empty(), "{hops:?}");
}

#[tokio::test]
async fn a_line_that_knows_other_secrets_is_told_from_one_that_is_away() {
    let hops = asked(routes(&WHOLE.replace("example-", "other-"))).await;
    assert_eq!(
        failing(&hops),
        [
            "handshake of 880200000000011",
            "signed webhook of 880200000000011",
            "Creatio webhook token of acme"
        ]
    );
    let shown = format!("{hops:?}");
    assert!(!shown.contains("example-") && !shown.contains("other-"), "{shown}");
}

#[tokio::test]
async fn a_door_that_lets_everybody_in_is_found() {
    let hops = asked(Router::new().fallback(any(|| async { CHALLENGE }))).await;
    let open = hops.iter().filter(|hop| format!("{:?}", hop.outcome).contains("let in")).count();
    assert_eq!(open, 3, "{hops:?}");
}

#[tokio::test]
async fn what_answers_with_errors_says_where_to_look() {
    let away = asked(Router::new().fallback(any(|| async { StatusCode::SERVICE_UNAVAILABLE }))).await;
    assert_eq!(failing(&away).len(), away.len());
    assert!(away.iter().all(|hop| format!("{:?}", hop.outcome).contains("look at the function's logs")));
    let elsewhere = asked(Router::new()).await;
    assert!(elsewhere.iter().all(|hop| format!("{:?}", hop.outcome).contains("no such route")));
}
