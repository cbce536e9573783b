//! Sends against a stand-in for the Cloud API: what leaves, and what each answer comes to.

use std::future::pending;
use std::sync::Mutex;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::channel::LineKey;
use shared::{CustomerAddress, MessageId, OrgId, SessionId};
use shared_flow::ports::{PortError, PortResult};
use tokio::net::TcpListener;

use super::super::verify::AppSecret;
use super::*;
use crate::guard::Guard;

/// What the stand-in answers: status, headers and body; a status of 0 means never.
#[derive(Clone, Default)]
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

#[derive(Clone, Default)]
struct Graph {
    reply: Reply,
    seen: Arc<Mutex<Vec<(String, String, Value)>>>,
}

async fn answer(
    State(graph): State<Graph>,
    Path(path): Path<String>,
    headers: HeaderMap,
    axum::Json(body): axum::Json<Value>,
) -> Response {
    let bearer = headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
    graph.seen.lock().unwrap().push((path, bearer, body));
    let Reply { status, headers, body } = graph.reply;
    if status == 0 {
        return pending().await;
    }
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

struct Tokens(PortResult<Option<&'static str>>);

#[async_trait]
impl Accounts for Tokens {
    async fn access_token(&self, org: &OrgId, number: &str) -> PortResult<Option<SecretString>> {
        assert_eq!((org.as_str(), number), ("acme", "5001"));
        Ok(self.0.clone()?.map(SecretString::from))
    }

    async fn app_secrets(&self) -> PortResult<Vec<AppSecret>> {
        Ok(Vec::new())
    }

    async fn verify_tokens(&self) -> PortResult<Vec<SecretString>> {
        Ok(Vec::new())
    }
}

async fn serve(graph: Graph) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{*path}", post(answer)).with_state(graph);
    tokio::spawn(async move { axum::serve(listener, router).await });
    base.parse().unwrap()
}

fn api(base: Url, tokens: Tokens) -> CloudApi {
    let http = Http::new(Guard::new(true)).unwrap();
    CloudApi::new(http, base, Arc::new(tokens)).with_limit(Duration::from_millis(500))
}

fn phone() -> CustomerAddress {
    CustomerAddress::Whatsapp { user_id: Some("US.77".to_owned()), phone: Some("15550100077".to_owned()) }
}

async fn send(api: &CloudApi, to: &CustomerAddress) -> Result<String, SendError> {
    let org = OrgId::new("acme").unwrap();
    let line = LineKey::whatsapp("5001");
    let id = MessageId { session: SessionId(uuid::Uuid::nil()), seq: 7 };
    api.send(&Outgoing { org: &org, line: &line, to, text: "Hello *there*", id }).await
}

async fn outcome(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<String, SendError> {
    let headers =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let graph = Graph { reply: Reply { status, headers, body: body.to_owned() }, ..Graph::default() };
    let seen = graph.seen.clone();
    let outcome = send(&api(serve(graph).await, Tokens(Ok(Some("token")))), &phone()).await;
    assert_eq!(seen.lock().unwrap().len(), 1, "one try, whatever the answer");
    outcome
}

async fn error(status: u16, code: i64) -> SendError {
    let body = json!({"error": {"message": "m", "type": "OAuthException", "code": code, "fbtrace_id": "A"}});
    outcome(status, &[], &body.to_string()).await.expect_err("an error was expected")
}

#[tokio::test]
async fn a_text_leaves_in_the_documented_shape_and_returns_its_id() {
    let reply =
        Reply { status: 200, body: r#"{"messages":[{"id":"wamid.X"}]}"#.to_owned(), ..Reply::default() };
    let graph = Graph { reply, ..Graph::default() };
    let seen = graph.seen.clone();
    let api = api(serve(graph).await, Tokens(Ok(Some("token"))));
    assert_eq!(send(&api, &phone()).await.unwrap(), "wamid.X");

    let (path, bearer, body) = seen.lock().unwrap().remove(0);
    assert_eq!((path.as_str(), bearer.as_str()), ("v26.0/5001/messages", "Bearer token"));
    let wanted = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+15550100077",
        "type": "text",
        "text": { "body": "Hello *there*", "preview_url": true },
        "biz_opaque_callback_data": "00000000-0000-0000-0000-000000000000:7",
    });
    assert_eq!(body, wanted);

    let hidden = CustomerAddress::Whatsapp { user_id: Some("US.77".to_owned()), phone: None };
    send(&api, &hidden).await.unwrap();
    let (_, _, body) = seen.lock().unwrap().remove(0);
    assert_eq!((&body["recipient"], body.get("to")), (&json!("US.77"), None));
}

#[tokio::test]
async fn a_base_address_with_a_path_keeps_it_and_an_id_leads_nowhere_else() {
    let api = api("http://127.0.0.1:1/graph/".parse().unwrap(), Tokens(Ok(None)));
    assert_eq!(api.address("5001").unwrap().path(), "/graph/v26.0/5001/messages");
    assert_eq!(api.address("../x?y#z").unwrap().path(), "/graph/v26.0/..%2Fx%3Fy%23z/messages");
}

#[tokio::test]
async fn success_without_an_id_may_have_been_sent() {
    for body in [
        "",
        "{}",
        "<html>ok</html>",
        r#"{"messages":[]}"#,
        r#"{"messages":[{"id":""}]}"#,
        r#"{"messages":[{"#,
    ] {
        assert!(matches!(outcome(200, &[], body).await, Err(SendError::Unknown(_))), "{body}");
    }
}

#[tokio::test]
async fn trouble_without_a_reason_may_have_been_sent() {
    for status in [500, 502, 503, 504, 408] {
        assert!(matches!(outcome(status, &[], "<html>").await, Err(SendError::Unknown(_))), "{status}");
    }
    let with_id = outcome(500, &[], r#"{"messages":[{"id":"wamid.X"}]}"#).await;
    assert!(matches!(with_id, Err(SendError::Unknown(_))), "an id in a failure is no success");
    assert!(matches!(error(500, 131_000).await, SendError::Unknown(_)));
    assert!(matches!(error(503, 2).await, SendError::Unknown(_)));
    assert!(matches!(error(500, 99_999).await, SendError::Unknown(_)));
}

#[tokio::test]
async fn silence_may_have_been_sent() {
    assert!(matches!(outcome(0, &[], "").await, Err(SendError::Unknown(_))));
}

#[tokio::test]
async fn nobody_there_means_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let api = api(base.parse().unwrap(), Tokens(Ok(Some("token"))));
    assert!(matches!(send(&api, &phone()).await, Err(SendError::NeverSent(_))));
}

#[tokio::test]
async fn too_fast_waits_at_least_as_long_as_asked() {
    let waits = |error: SendError| match error {
        SendError::Throttled { after, .. } => after,
        other => panic!("{other:?}"),
    };
    assert_eq!(waits(error(400, 131_056).await), SignedDuration::from_secs(6));
    assert!(waits(error(400, 130_429).await) >= SignedDuration::from_secs(1));
    assert!(waits(error(400, 80_007).await) >= SignedDuration::from_secs(60));
    let asked = outcome(429, &[("retry-after", "40")], "").await.unwrap_err();
    assert_eq!(waits(asked), SignedDuration::from_secs(40));
}

#[tokio::test]
async fn credentials_and_blocked_accounts_wait_for_an_operator() {
    for (status, code) in
        [(401, 190), (401, 0), (403, 10), (403, 200), (403, 299), (500, 3), (403, 131_031), (400, 131_042)]
    {
        match error(status, code).await {
            SendError::Credentials(trouble) => assert_eq!(trouble.code, Some(code)),
            other => panic!("{code}: {other:?}"),
        }
    }
    assert!(matches!(outcome(401, &[], "").await, Err(SendError::Credentials(_))));
}

#[tokio::test]
async fn metas_clock_closes_the_window_whatever_ours_says() {
    assert!(
        matches!(error(400, 131_047).await, SendError::WindowClosed(trouble) if trouble.code == Some(131_047))
    );
}

#[tokio::test]
async fn what_will_never_be_accepted_is_refused_with_a_reason() {
    for code in [100, 131_026, 131_049, 424_242] {
        match error(400, code).await {
            SendError::Refused(trouble) => assert!(trouble.code == Some(code) && !trouble.text.is_empty()),
            other => panic!("{code}: {other:?}"),
        }
    }
    assert!(matches!(outcome(404, &[], "").await, Err(SendError::Refused(_))));
    let redirect = outcome(302, &[("location", "http://127.0.0.1:1/")], "").await;
    assert!(matches!(redirect, Err(SendError::Refused(_))));
}

#[tokio::test]
async fn without_a_token_or_a_recipient_nothing_leaves() {
    let graph = Graph::default();
    let seen = graph.seen.clone();
    let base = serve(graph).await;
    let with = |tokens| api(base.clone(), Tokens(tokens));

    let none = send(&with(Ok(None)), &phone()).await;
    assert!(matches!(none, Err(SendError::Credentials(_))), "{none:?}");
    let broken = send(&with(Ok(Some("to\nken"))), &phone()).await;
    assert!(matches!(broken, Err(SendError::Credentials(_))), "{broken:?}");
    let store = PortError::Unavailable { what: "the settings", why: "slow".to_owned() };
    let unavailable = send(&with(Err(store)), &phone()).await;
    assert!(matches!(unavailable, Err(SendError::NeverSent(_))), "{unavailable:?}");
    let nobody = CustomerAddress::Whatsapp { user_id: None, phone: None };
    let refused = send(&with(Ok(Some("token"))), &nobody).await;
    assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_private_address_is_never_called() {
    let http = Http::new(Guard::new(false)).unwrap();
    let base = "http://127.0.0.1:9".parse().unwrap();
    let api = CloudApi::new(http, base, Arc::new(Tokens(Ok(Some("token")))));
    assert!(matches!(send(&api, &phone()).await, Err(SendError::NeverSent(_))));
}
