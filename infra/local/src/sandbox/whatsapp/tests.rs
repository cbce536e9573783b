//! The sandbox from outside: what it refuses, what it signs, what it repeats, what survives.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower::ServiceExt;

use super::book::Side;
use super::*;

const NUMBER: &str = "880200000000011";
const CUSTOMER: &str = "12025550142";
const SECRET: &str = "app-secret";

/// Statuses at once, in order.
const AT_ONCE: Pace =
    Pace { sent: Duration::ZERO, delivered: Duration::from_millis(1), read: Duration::from_millis(2) };

fn open(folder: Option<PathBuf>, webhook_url: &str) -> Arc<WhatsAppSandbox> {
    let (token, secret) = (SecretString::from("token"), SecretString::from(SECRET));
    let sandbox =
        WhatsAppSandbox::new(folder, token, secret, NUMBER, "+1 202 555 0111", webhook_url).unwrap();
    Arc::new(sandbox.with_pace(AT_ONCE))
}

/// A sandbox whose webhooks go nowhere, to look at what it would send.
fn alone() -> Arc<WhatsAppSandbox> {
    open(None, "http://127.0.0.1:9/webhooks/whatsapp")
}

async fn call(sandbox: &Arc<WhatsAppSandbox>, path: &str, token: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("host", "127.0.0.1:8080")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router(sandbox.clone()).oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1_000_000).await.unwrap();
    (head.status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn send(sandbox: &Arc<WhatsAppSandbox>, body: &Value) -> (StatusCode, Value) {
    call(sandbox, &format!("/v26.0/{NUMBER}/messages"), "token", &body.to_string()).await
}

fn text(words: &str) -> Value {
    json!({ "messaging_product": "whatsapp", "to": format!("+{CUSTOMER}"), "type": "text",
        "text": { "body": words }, "biz_opaque_callback_data": "line:7" })
}

async fn writes(sandbox: &Arc<WhatsAppSandbox>, words: &str) -> String {
    sandbox.customer_writes(CUSTOMER, Some("Zoë"), words, None).await.unwrap()
}

async fn order(sandbox: &Arc<WhatsAppSandbox>, fault: &str) {
    assert_eq!(call(sandbox, "/__sandbox/faults", "", fault).await.0, StatusCode::NO_CONTENT, "{fault}");
}

/// The bodies of the webhooks that wait.
fn waiting(sandbox: &WhatsAppSandbox) -> Vec<Value> {
    sandbox.desk().book.webhooks.iter().map(|it| serde_json::from_str(&it.body).unwrap()).collect()
}

fn value(webhook: &Value) -> &Value {
    &webhook["entry"][0]["changes"][0]["value"]
}

/// A business that takes webhooks and answers with these statuses, then with 200.
async fn business(answers: &[u16]) -> (String, UnboundedReceiver<(HeaderMap, Bytes)>) {
    let answers = Arc::new(Mutex::new(answers.to_vec()));
    let (heard, hears) = unbounded_channel();
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        heard.send((headers, body)).unwrap();
        let mut answers = answers.lock().unwrap();
        let status = if answers.is_empty() { 200 } else { answers.remove(0) };
        StatusCode::from_u16(status).unwrap()
    };
    let router = Router::new().route("/webhooks/whatsapp", post(handler));
    let base = serve(router).await;
    (format!("{base}/webhooks/whatsapp"), hears)
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn next(hears: &mut UnboundedReceiver<(HeaderMap, Bytes)>) -> (HeaderMap, Bytes) {
    tokio::time::timeout(Duration::from_secs(20), hears.recv()).await.expect("no webhook came").unwrap()
}

#[tokio::test]
async fn a_customers_message_comes_as_a_signed_webhook_in_metas_own_spelling() {
    let (url, mut hears) = business(&[]).await;
    let sandbox = open(None, &url);
    spawn(sandbox.clone());
    let path = format!("/__sandbox/customers/+{CUSTOMER}/messages");
    let (status, answer) = call(&sandbox, &path, "", r#"{"text":"Grüße 🚲 a/b","name":"Zoë"}"#).await;
    assert_eq!(status, StatusCode::OK);

    let (headers, body) = next(&mut hears).await;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let expected: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(headers["x-hub-signature-256"], format!("sha256={expected}"));

    let raw = std::str::from_utf8(&body).unwrap();
    assert!(raw.contains(r"Gr\u00fc\u00dfe \ud83d\udeb2 a\/b"), "{raw}");
    let webhook: Value = serde_json::from_str(raw).unwrap();
    let value = value(&webhook);
    assert_eq!(value["metadata"], json!({"display_phone_number": "12025550111", "phone_number_id": NUMBER}));
    let message = &value["messages"][0];
    assert_eq!(message["id"], answer["id"]);
    assert_eq!(message["from"], CUSTOMER);
    assert_eq!(message["text"]["body"], "Grüße 🚲 a/b");
    assert!(message["timestamp"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000);
    let user = message["from_user_id"].as_str().unwrap();
    assert!(
        user.strip_prefix("US.").unwrap().bytes().all(|b| b.is_ascii_digit()) && !user.contains(CUSTOMER)
    );
    let contact = json!({"profile": {"name": "Zoë"}, "wa_id": CUSTOMER, "user_id": user});
    assert_eq!(value["contacts"], json!([contact]));
}

#[tokio::test]
async fn a_webhook_comes_again_until_it_is_answered_with_200() {
    let (url, mut hears) = business(&[500, 204, 403]).await;
    let sandbox = open(None, &url);
    spawn(sandbox.clone());
    writes(&sandbox, "Hi").await;
    let first = next(&mut hears).await.1;
    for _ in 0..3 {
        assert_eq!(next(&mut hears).await.1, first);
    }
    // Answered with 200 now: what comes next is another one.
    writes(&sandbox, "Still there?").await;
    assert_ne!(next(&mut hears).await.1, first);
}

#[tokio::test]
async fn what_was_taken_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let before = open(Some(folder.path().to_owned()), "http://127.0.0.1:9/");
    let id = writes(&before, "Hi").await;
    assert_eq!(send(&before, &text("Hello!")).await.0, StatusCode::OK);
    drop(before);

    let (url, mut hears) = business(&[]).await;
    let after = open(Some(folder.path().to_owned()), &url);
    spawn(after.clone());
    let webhook: Value = serde_json::from_slice(&next(&mut hears).await.1).unwrap();
    assert_eq!(value(&webhook)["messages"][0]["id"], id);
    let words: Vec<String> = after.chats()[0].messages.iter().map(|m| m.text.clone()).collect();
    assert_eq!(words, ["Hi", "Hello!"]);
}

#[tokio::test]
async fn many_at_once_are_all_written() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = open(Some(folder.path().to_owned()), "http://127.0.0.1:9/");
    futures::future::join_all((0..50).map(|n| {
        let sandbox = sandbox.clone();
        async move { sandbox.customer_writes(&format!("120255501{n:02}"), None, "Hi", None).await.unwrap() }
    }))
    .await;
    drop(sandbox);
    assert_eq!(open(Some(folder.path().to_owned()), "http://127.0.0.1:9/").chats().len(), 50);
}

#[test]
fn a_foreign_file_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("whatsapp.json"), "{\"chats\":").unwrap();
    let (token, secret) = (SecretString::from("t"), SecretString::from("s"));
    let opened =
        WhatsAppSandbox::new(Some(folder.path().to_owned()), token, secret, NUMBER, "1", "http://x/");
    let words = opened.err().unwrap().to_string();
    assert!(words.contains("--fresh"), "{words}");
}

#[tokio::test]
async fn an_accepted_message_gets_its_statuses_with_the_senders_mark() {
    let (url, mut hears) = business(&[]).await;
    let sandbox = open(None, &url);
    spawn(sandbox.clone());
    writes(&sandbox, "Hi").await;
    next(&mut hears).await;
    let (status, answer) = send(&sandbox, &text("Hello!")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["contacts"], json!([{"input": format!("+{CUSTOMER}"), "wa_id": CUSTOMER}]));
    let wamid = answer["messages"][0]["id"].as_str().unwrap();
    assert!(wamid.starts_with("wamid."));
    for name in ["sent", "delivered", "read"] {
        let webhook: Value = serde_json::from_slice(&next(&mut hears).await.1).unwrap();
        let status = &value(&webhook)["statuses"][0];
        assert_eq!(status["status"], name);
        assert_eq!(status["id"], wamid);
        assert_eq!(status["biz_opaque_callback_data"], "line:7");
        assert_eq!(status["recipient_id"], CUSTOMER);
        assert!(status["recipient_user_id"].is_string() && status["timestamp"].is_string());
    }
    let chat = sandbox.chats().remove(0);
    assert_eq!((chat.messages[1].from, chat.messages[1].ticks), (Side::Business, Some("read")));
}

#[tokio::test]
async fn a_user_id_reaches_the_customer_in_recipient_and_nobody_in_to() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    let user = sandbox.chats()[0].user_id.clone();
    let mut by_user = text("Hello!");
    by_user.as_object_mut().unwrap().remove("to");
    by_user["recipient"] = user.clone().into();
    let (status, answer) = send(&sandbox, &by_user).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["contacts"][0]["user_id"], user);
    assert!(value(&waiting(&sandbox)[1])["statuses"][0]["recipient_id"].is_null());

    let mut lost = text("Hello?");
    lost["to"] = user.into();
    assert_eq!(send(&sandbox, &lost).await.0, StatusCode::OK);
    assert_eq!(sandbox.chats()[0].messages.len(), 2);
}

#[tokio::test]
async fn requests_are_checked_as_meta_checks_them() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    let with = |key: &str, value: Value| {
        let mut body = text("Hello!");
        body[key] = value;
        body
    };
    let without = |key: &str| {
        let mut body = text("Hello!");
        body.as_object_mut().unwrap().remove(key);
        body
    };
    let table = [
        (without("messaging_product"), 100),
        (without("to"), 100),
        (with("to", json!("somebody")), 131_009),
        (without("text"), 100),
        (with("text", json!({"body": " "})), 100),
        (with("text", json!({"body": "x".repeat(4097)})), 131_009),
        (with("text", json!({"body": "🚲".repeat(2049)})), 131_009),
        (with("type", json!("postcard")), 100),
        (with("biz_opaque_callback_data", json!("x".repeat(513))), 100),
        (json!({"messaging_product": "whatsapp", "recipient": "US.1", "text": {"body": "x"}}), 131_026),
        (json!({"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}), 131_009),
    ];
    for (body, code) in table {
        let (status, answer) = send(&sandbox, &body).await;
        assert_eq!(answer["error"]["code"], code, "{body}");
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(answer["error"]["message"].as_str().unwrap().starts_with("(#"));
    }
    assert_eq!(send(&sandbox, &with("text", json!({"body": "x".repeat(4096)}))).await.0, StatusCode::OK);
    let (_, no_json) = call(&sandbox, &format!("/v26.0/{NUMBER}/messages"), "token", "to=1").await;
    assert_eq!(no_json["error"]["code"], 100);
}

#[tokio::test]
async fn token_version_and_number_must_be_right() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    let body = text("Hello!").to_string();
    let (status, answer) = call(&sandbox, &format!("/v26.0/{NUMBER}/messages"), "other", &body).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::UNAUTHORIZED, &json!(190)));
    let (_, answer) = call(&sandbox, "/v26.0/880200000000099/messages", "token", &body).await;
    assert_eq!(answer["error"]["code"], 33);
    let (_, answer) = call(&sandbox, &format!("/latest/{NUMBER}/messages"), "token", &body).await;
    assert_eq!(answer["error"]["code"], 100);
    assert_eq!(sandbox.chats()[0].messages.len(), 1);
}

#[tokio::test]
async fn free_text_needs_an_open_window_and_a_template_does_not() {
    let sandbox = alone();
    assert_eq!(send(&sandbox, &text("Hello!")).await.1["error"]["code"], 131_047);
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(25);
    sandbox.customer_writes(CUSTOMER, None, "Hi", Some(yesterday)).await.unwrap();
    assert_eq!(send(&sandbox, &text("Hello!")).await.1["error"]["code"], 131_047);
    let template = json!({"messaging_product": "whatsapp", "to": CUSTOMER, "type": "template",
        "template": {"name": "case_update", "language": {"code": "en_US"}}});
    assert_eq!(send(&sandbox, &template).await.0, StatusCode::OK);
    writes(&sandbox, "Hi again").await;
    assert_eq!(send(&sandbox, &text("Hello!")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_customers_message_must_have_a_number_and_words() {
    let sandbox = alone();
    let path = "/__sandbox/customers/nobody/messages";
    assert_eq!(call(&sandbox, path, "", r#"{"text":"Hi"}"#).await.0, StatusCode::BAD_REQUEST);
    let path = format!("/__sandbox/customers/{CUSTOMER}/messages");
    assert_eq!(call(&sandbox, &path, "", r#"{"text":" "}"#).await.0, StatusCode::BAD_REQUEST);
    let late = r#"{"text":"Hi","timestamp":1700000000}"#;
    assert_eq!(call(&sandbox, &path, "", late).await.0, StatusCode::OK);
    assert_eq!(value(&waiting(&sandbox)[0])["messages"][0]["timestamp"], "1700000000");
}

#[tokio::test]
async fn refusing_faults_say_their_code_once_and_send_nothing() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    let table =
        [("rate_limited", 130_429), ("pair_rate", 131_056), ("token_revoked", 190), ("error_500", 131_000)];
    for (fault, code) in table {
        order(&sandbox, &json!({ "fault": fault }).to_string()).await;
        assert_eq!(send(&sandbox, &text("Hello!")).await.1["error"]["code"], code, "{fault}");
        assert_eq!(sandbox.chats()[0].messages.len(), 1);
    }
    assert_eq!(send(&sandbox, &text("Hello!")).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_lost_answer_is_lost_before_or_after_the_message_was_taken() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    let base = serve(router(sandbox.clone())).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{base}/v26.0/{NUMBER}/messages");
    for (fault, messages, webhooks) in [("hang_up_before", 1, 1), ("hang_up_after", 2, 4)] {
        order(&sandbox, &json!({ "fault": fault }).to_string()).await;
        let sent = client.post(&url).bearer_auth("token").json(&text("Hello!")).send().await;
        assert!(sent.is_err(), "{fault} was answered");
        assert_eq!(sandbox.chats()[0].messages.len(), messages, "{fault}");
        assert_eq!(waiting(&sandbox).len(), webhooks, "{fault}");
    }
}

#[tokio::test]
async fn a_slow_answer_comes_after_the_message_was_taken() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    order(&sandbox, r#"{"fault":"slow","ms":600000}"#).await;
    let body = text("Hello!");
    let slow = send(&sandbox, &body);
    assert!(tokio::time::timeout(Duration::from_millis(200), slow).await.is_err(), "it answered at once");
    assert_eq!(sandbox.chats()[0].messages.len(), 2);
}

#[tokio::test]
async fn statuses_can_be_lost_or_tell_of_a_failure() {
    let sandbox = alone();
    writes(&sandbox, "Hi").await;
    order(&sandbox, r#"{"fault":"lost_statuses"}"#).await;
    order(&sandbox, r#"{"fault":"failed_status","code":131026}"#).await;
    assert_eq!(send(&sandbox, &text("One")).await.0, StatusCode::OK);
    assert_eq!(waiting(&sandbox).len(), 1);
    assert_eq!(send(&sandbox, &text("Two")).await.0, StatusCode::OK);
    let webhooks = waiting(&sandbox);
    assert_eq!(webhooks.len(), 2);
    let failed = value(&webhooks[1]);
    assert_eq!(failed["statuses"][0]["status"], "failed");
    assert_eq!(failed["statuses"][0]["errors"][0]["code"], 131_026);
    assert!(failed["contacts"].is_null() && failed["statuses"][0]["recipient_user_id"].is_null());
    let message = sandbox.chats().remove(0).messages.remove(2);
    assert_eq!((message.ticks, message.error), (Some("failed"), Some(131_026)));
}

#[tokio::test]
async fn a_duplicate_is_the_same_webhook_on_its_own_way() {
    let sandbox = alone();
    order(&sandbox, r#"{"fault":"duplicate_webhooks"}"#).await;
    writes(&sandbox, "Hi").await;
    writes(&sandbox, "Hello?").await;
    let desk = sandbox.desk();
    let [first, again, other] = desk.book.webhooks.as_slice() else { panic!("{}", desk.book.webhooks.len()) };
    assert_eq!(first.body, again.body);
    assert_ne!(first.lane, again.lane);
    assert_ne!(first.body, other.body);
}

#[tokio::test]
async fn chats_are_shown_to_this_machine_only() {
    let sandbox = alone();
    for (host, forwarded, status) in
        [("127.0.0.1", false, 200), ("acme.example", false, 403), ("127.0.0.1", true, 403)]
    {
        let mut request = Request::builder().uri("/__sandbox/chats").header("host", host);
        if forwarded {
            request = request.header("x-forwarded-for", "192.0.2.7");
        }
        let response = router(sandbox.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{host} {forwarded}");
    }
}
