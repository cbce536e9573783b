//! Tokens: where they come from, how rarely, and what is said when they do not come.

use serde_json::json;

use super::super::account::tests::account;
use super::super::stub::{Say, Stub, http, org};
use super::*;

#[test]
fn the_token_service_is_found_from_the_site() {
    let of = |site: &str, identity: Option<&str>| {
        addresses(&Account { identity_url: identity.map(str::to_owned), ..account(site) })
    };
    assert_eq!(of("https://acme.creatio.com/0/", None), ["https://acme-is.creatio.com/connect/token"]);
    assert_eq!(
        of("https://dev-1.eu.creatio.com", Some(" ")),
        ["https://dev-1-is.eu.creatio.com/connect/token"]
    );
    let given =
        ["https://id.acme.example", "https://id.acme.example/", "https://id.acme.example/connect/token/"];
    for identity in given {
        let found = of("https://acme.creatio.com", Some(identity));
        assert_eq!(found, ["https://id.acme.example/connect/token"], "{identity}");
    }
    let found = of("https://crm.acme.example", None);
    assert_eq!(found, ["https://crm.acme.example/connect/token", "https://crm.acme.example/0/connect/token"]);
    // Not the vendor's cloud, though it looks similar.
    assert_eq!(of("https://creatio.com.acme.example", None).len(), 2);
    assert_eq!(of("https://acmecreatio.com", None).len(), 2);
}

async fn fails_with(say: Say) -> CrmError {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", say.clone()).on("POST /0/connect/token", say);
    match Tokens::new(http()).token(&org(), &account(&stub.base), None).await {
        Ok(_) => panic!("a token out of nothing"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn every_way_to_get_no_token_has_its_own_sentence() {
    let oauth = |code: &str| Say::Json(400, json!({ "error": code }));
    for (say, part) in [
        (Say::login_page(), "answers with a web page"),
        (Say::Empty(200), "answers with nothing"),
        (Say::Text(200, "text/plain", "hello"), "holds no token"),
        (Say::Json(200, json!({"token_type": "Bearer"})), "holds no token"),
        (Say::With(302, "location", "/Login"), "answers with a redirect"),
        (oauth("invalid_client"), "copy both again"),
        (Say::Json(401, json!({"error": "invalid_client"})), "copy both again"),
        (oauth("unauthorized_client"), "does not allow client credentials"),
        (oauth("unsupported_grant_type"), "does not offer client credentials"),
        (oauth("invalid_scope"), "asks for a scope"),
        (oauth("invalid_grant"), "refuses with invalid_grant"),
        (oauth("CANARY_secret"), "refuses with an unknown code"),
        (Say::Json(200, json!({"access_token": "a b"})), "of a form that no site accepts"),
        (Say::Json(200, json!({"access_token": ""})), "of a form that no site accepts"),
        (Say::Json(200, json!({"access_token": "x".repeat(4097)})), "of a form that no site accepts"),
    ] {
        match fails_with(say).await {
            CrmError::Broken(why) => {
                assert!(why.contains(part), "{part:?} not in {why:?}");
                assert!(!why.contains("CANARY"), "{why:?}");
            }
            other => panic!("{part}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn trouble_of_the_token_service_passes() {
    for say in [Say::Empty(503), Say::Text(502, "text/html", "<html>"), Say::HangUp] {
        assert!(matches!(fails_with(say).await, CrmError::Later { .. }));
    }
    let asked = fails_with(Say::With(429, "retry-after", "9")).await;
    assert!(matches!(asked, CrmError::Later { after: Some(wait), .. } if wait.as_secs() == 9));
}

#[tokio::test]
async fn a_site_without_identity_host_may_have_its_service_below_the_application() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", Say::login_page());
    let token = Tokens::new(http()).token(&org(), &account(&stub.base), None).await.ok().unwrap();
    assert_eq!(token.text(), "token-1");
    assert_eq!(stub.count("POST /0/connect/token"), 1);
}

#[tokio::test]
async fn many_callers_share_one_fetch() {
    let stub = Stub::start().await;
    let tokens = Tokens::new(http());
    let (org, account) = (org(), account(&stub.base));
    let all = (0..20).map(|_| tokens.token(&org, &account, None));
    for token in futures::future::join_all(all).await {
        assert_eq!(token.ok().unwrap().text(), "token-1");
    }
    assert_eq!(stub.count("POST"), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_however_many_callers_held_it() {
    let stub = Stub::start().await;
    let tokens = Tokens::new(http());
    let (org, account) = (org(), account(&stub.base));
    let old = tokens.token(&org, &account, None).await.ok().unwrap();
    for _ in 0..3 {
        let new = tokens.token(&org, &account, Some(&old)).await.ok().unwrap();
        assert_eq!(new.text(), "token-2");
    }
    assert_eq!(stub.count("POST"), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", Say::Json(200, json!({"access_token": "short", "expires_in": "0"})));
    let tokens = Tokens::new(http());
    assert_eq!(tokens.token(&org(), &account(&stub.base), None).await.ok().unwrap().text(), "short");
    assert_eq!(tokens.token(&org(), &account(&stub.base), None).await.ok().unwrap().text(), "token-1");
}

#[tokio::test]
async fn after_a_failure_nothing_is_fetched_for_a_while_unless_the_secret_changed() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", Say::Json(400, json!({"error": "invalid_client"})));
    let mut tokens = Tokens::new(http());
    let wrong = account(&stub.base);
    for _ in 0..3 {
        assert!(matches!(tokens.token(&org(), &wrong, None).await.err(), Some(CrmError::Broken(_))));
    }
    assert_eq!(stub.count("POST"), 1);
    let right = Account { client_secret: "corrected".to_owned().into(), ..wrong.clone() };
    assert!(tokens.token(&org(), &right, None).await.is_ok());
    tokens.hold = Duration::ZERO;
    assert!(tokens.token(&org(), &wrong, None).await.is_ok());
}

#[tokio::test]
async fn a_passing_failure_tells_how_long_it_is_remembered() {
    let stub = Stub::start().await;
    stub.on("POST /connect/token", Say::Empty(503));
    let tokens = Tokens::new(http());
    let _ = tokens.token(&org(), &account(&stub.base), None).await;
    match tokens.token(&org(), &account(&stub.base), None).await.err() {
        Some(CrmError::Later { after: Some(wait), .. }) => assert!((20..=30).contains(&wait.as_secs())),
        other => panic!("{other:?}"),
    }
}
