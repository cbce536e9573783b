//! The client against hosts on this machine that are slow, gone, cut off, too long or elsewhere.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use reqwest::dns::Resolve;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

const SOON: Duration = Duration::from_secs(5);

fn client() -> Http {
    Http::new(Guard::new(true)).unwrap()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn is_unclear(outcome: &Result<Answer, CallError>) -> bool {
    matches!(outcome, Err(CallError::Unclear(_)))
}

fn words_of_never_sent(outcome: Result<Answer, CallError>) -> String {
    match outcome {
        Err(CallError::NeverSent(words)) => words,
        other => panic!("expected a request that was never sent, got {other:?}"),
    }
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let base =
        serve(Router::new().route("/", post(|body: String| async move { (StatusCode::IM_A_TEAPOT, body) })))
            .await;
    let http = client();
    let answer = http.call(http.post(&base).body("hello"), SOON).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (418, &b"hello"[..]));
}

#[tokio::test]
async fn silence_after_the_request_is_unclear() {
    let base = serve(Router::new().route("/", post(pending::<()>))).await;
    let http = client();
    assert!(is_unclear(&http.call(http.post(&base), Duration::from_millis(100)).await));
}

#[tokio::test]
async fn nobody_listening_means_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/path?token=secret", listener.local_addr().unwrap());
    drop(listener);
    let http = client();
    let words = words_of_never_sent(http.call(http.post(&base), SOON).await);
    assert!(!words.contains("secret") && !words.is_empty(), "{words}");
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_unclear() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/path?token=secret", listener.local_addr().unwrap());
    let host = tokio::spawn(async move {
        let mut accepted = 0;
        let (mut socket, _) = listener.accept().await.unwrap();
        accepted += 1;
        let mut seen = [0; 64];
        assert!(socket.read(&mut seen).await.unwrap() > 0);
        drop(socket);
        accepted
    });
    let http = client();
    let outcome = http.call(http.post(&base).body("x"), SOON).await;
    assert!(is_unclear(&outcome), "{outcome:?}");
    assert!(!outcome.unwrap_err().to_string().contains("secret"));
    assert_eq!(host.await.unwrap(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let followed = Arc::new(AtomicUsize::new(0));
    let seen = followed.clone();
    let elsewhere = get(move || async move {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let away = get(|| async { (StatusCode::FOUND, [("location", "/latest/meta-data/")]) });
    let base = serve(Router::new().route("/", away).route("/latest/meta-data/", elsewhere)).await;
    let http = client();
    let answer = http.call(http.get(&base), SOON).await.unwrap();
    assert_eq!((answer.status, followed.load(Ordering::SeqCst)), (302, 0));
}

#[tokio::test]
async fn an_answer_of_six_megabytes_is_cut() {
    let long = || async { vec![b'x'; 6_000_000] };
    let fits = || async { vec![b'x'; ANSWER_LIMIT] };
    let base = serve(Router::new().route("/long", get(long)).route("/fits", get(fits))).await;
    let http = client();
    assert!(is_unclear(&http.call(http.get(format!("{base}/long")), SOON).await));
    assert_eq!(http.call(http.get(format!("{base}/fits")), SOON).await.unwrap().body.len(), ANSWER_LIMIT);
}

#[tokio::test]
async fn literal_addresses_and_local_names_are_refused_before_anything_is_sent() {
    let http = Http::new(Guard::new(false)).unwrap();
    let refused = [
        ("https://127.0.0.1/?token=secret", Refused::IpAddress),
        ("https://[::1]/", Refused::IpAddress),
        ("https://localhost/", Refused::PrivateName),
        ("http://graph.example/", Refused::NotHttps),
        ("https://graph.example:8443/", Refused::Port),
    ];
    for (text, why) in refused {
        // The guard's own words: what the network would say comes too late.
        assert_eq!(words_of_never_sent(http.call(http.get(text), SOON).await), why.to_string(), "{text}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let reached = Arc::new(AtomicUsize::new(0));
    let seen = reached.clone();
    let count = get(move || async move {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let base = serve(Router::new().route("/", count)).await.replace("127.0.0.1", "localhost");
    // Past the guard's first look, straight into the resolver: as a public name would whose server lies.
    let strict = Http::new(Guard::new(false)).unwrap();
    let error = strict.client.get(&base).send().await.unwrap_err();
    assert!(matches!(classify(&error), CallError::NeverSent(words) if words.contains("private or reserved")));
    assert_eq!(reached.load(Ordering::SeqCst), 0);

    assert_eq!(client().client.get(&base).send().await.unwrap().status(), 200);
    let name = || "localhost".parse().unwrap();
    assert!(GuardedNames::new(Guard::new(false)).resolve(name()).await.is_err());
    assert!(GuardedNames::new(Guard::new(true)).resolve(name()).await.is_ok());
}

/// Runs one of the tests above in a process of its own whose environment names a proxy that nobody runs.
#[test]
fn proxies_of_the_environment_are_not_used() {
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    process.args(["--exact", "http::tests::an_answer_of_any_status_is_an_answer"]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        process.env(name, "http://127.0.0.1:1");
    }
    let output = process.env_remove("no_proxy").env_remove("NO_PROXY").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn the_host_sees_who_calls_and_nothing_else_of_us() {
    let echo = get(|headers: HeaderMap| async move {
        let names: Vec<_> = headers.keys().map(ToString::to_string).collect();
        names.join(",")
    });
    let base = serve(Router::new().route("/", echo)).await;
    let http = client();
    let answer = http.call(http.get(&base), SOON).await.unwrap();
    let mut names: Vec<_> = std::str::from_utf8(&answer.body).unwrap().split(',').collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"]);
}
