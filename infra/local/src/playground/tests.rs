//! The page from outside: what it acts on, what it shows, and whom it refuses.

use std::sync::Mutex;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use secrecy::SecretString;
use serde_json::{Value, json};
use shared::channel::LineKey;
use shared::session::state::Opening;
use shared::{
    Audience, Author, ContactId, CustomerAddress, Delivery, Kind, Message, OrgId, Session, Timestamp,
};
use tower::ServiceExt;

use super::*;
use crate::playground::desk::{CaseView, DeskError};

const PHONE: &str = "12025550142";

struct Written(Vec<SessionView>);

#[async_trait]
impl TranscriptSource for Written {
    async fn sessions(&self) -> Vec<SessionView> {
        self.0.clone()
    }
}

/// A desk with one case, open until it is closed.
#[derive(Default)]
struct OneCase {
    id: String,
    replies: Mutex<Vec<String>>,
    closed: Mutex<bool>,
}

#[async_trait]
impl CaseDesk for OneCase {
    async fn case(&self, id: &str) -> Option<CaseView> {
        (id == self.id).then(|| CaseView {
            id: id.to_owned(),
            number: "SR00000001".to_owned(),
            subject: "WhatsApp".to_owned(),
            status: "New".to_owned(),
            closed: *self.closed.lock().unwrap(),
            description: String::new(),
            contact: None,
            activities: Vec::new(),
        })
    }

    async fn reply(&self, _: &str, text: &str) -> Result<(), DeskError> {
        if *self.closed.lock().unwrap() {
            return Err(DeskError("The case is closed.".to_owned()));
        }
        self.replies.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    async fn close(&self, _: &str) -> Result<(), DeskError> {
        *self.closed.lock().unwrap() = true;
        Ok(())
    }
}

fn session(name: &str) -> SessionView {
    let session = Session::open(Opening {
        org: OrgId::new("acme").unwrap(),
        contact: ContactId(shared::ids::derive("c", &[])),
        line: LineKey::whatsapp("880200000000011"),
        customer: CustomerAddress::Whatsapp { user_id: None, phone: Some(PHONE.to_owned()) },
        name: Some(name.to_owned()),
        key: "k".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    });
    let message = |seq, author, text: &str| Message {
        seq,
        at: Timestamp::UNIX_EPOCH,
        author,
        audience: Audience::Both,
        kind: Kind::Text,
        text: text.to_owned(),
        epoch: 0,
        source: None,
        delivery: (author == Author::Assistant)
            .then(|| Delivery::queued(Timestamp::UNIX_EPOCH).accepted("wamid.x")),
    };
    let thread =
        [message(1, Author::Customer, "<script>alert(1)</script>"), message(2, Author::Assistant, "Hello!")];
    SessionView::of(&session, &thread)
}

struct Play {
    router: Router,
    whatsapp: Arc<WhatsAppSandbox>,
    desk: Arc<OneCase>,
    session: SessionView,
}

fn play() -> Play {
    let secret = || SecretString::from("secret");
    let url = "http://127.0.0.1:9/webhooks/whatsapp";
    let sandbox =
        WhatsAppSandbox::new(None, secret(), secret(), "880200000000011", "+1 202 555 0111", url).unwrap();
    let whatsapp = Arc::new(sandbox);
    let session = session("<b>Zoë</b>");
    let desk = Arc::new(OneCase { id: session.case.clone(), ..OneCase::default() });
    let context = PlaygroundContext {
        display_number: "+1 202 555 0111".to_owned(),
        whatsapp: Some(whatsapp.clone()),
        cases: Some(desk.clone()),
        transcript: Arc::new(Written(vec![session.clone()])),
    };
    Play { router: router(Arc::new(context)), whatsapp, desk, session }
}

struct Said {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

async fn ask(router: &Router, request: Request<Body>) -> Said {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, 1_000_000).await.unwrap();
    Said { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get_page(router: &Router, path: &str) -> Said {
    let request = Request::builder().uri(path).header("host", "localhost:8080").body(Body::empty()).unwrap();
    ask(router, request).await
}

async fn act(router: &Router, path: &str, body: &Value) -> Said {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("host", "localhost:8080")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    ask(router, request).await
}

#[tokio::test]
async fn the_page_loads_only_what_this_server_serves() {
    let play = play();
    let page = get_page(&play.router, "/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.body.contains("+1 202 555 0111"));
    assert!(!page.body.contains("style=") && !page.body.contains("onclick"));
    assert!(!page.body.contains("//"), "nothing from elsewhere");
    for (path, kind) in
        [("/playground/playground.js", "text/javascript"), ("/playground/playground.css", "text/css")]
    {
        assert!(page.body.contains(path), "{path}");
        let file = get_page(&play.router, path).await;
        assert!(file.headers["content-type"].to_str().unwrap().starts_with(kind));
        assert!(
            !file.body.contains("http://")
                && !file.body.contains("https://")
                && !file.body.contains("innerHTML")
        );
    }
}

#[tokio::test]
async fn nobody_from_elsewhere_sees_or_does_anything() {
    let play = play();
    let transcript = format!("/sessions/{}", play.session.id);
    for path in ["/", "/playground/state", "/playground/playground.js", &transcript] {
        for (name, value) in
            [("host", "acme.example"), ("x-forwarded-for", "192.0.2.7"), ("origin", "https://acme.example")]
        {
            let mut request = Request::builder().uri(path).header(name, value);
            if name != "host" {
                request = request.header("host", "127.0.0.1:8080");
            }
            let said = ask(&play.router, request.body(Body::empty()).unwrap()).await;
            assert_eq!(said.status, StatusCode::FORBIDDEN, "{path} {name}");
            assert!(said.headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path} {name}");
        }
    }
}

#[tokio::test]
async fn a_form_of_another_page_cannot_write() {
    let play = play();
    let request = Request::builder()
        .method("POST")
        .uri("/playground/customer")
        .header("host", "localhost:8080")
        .header("content-type", "text/plain")
        .body(Body::from(json!({"phone": PHONE, "text": "Hi"}).to_string()))
        .unwrap();
    assert_eq!(ask(&play.router, request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(play.whatsapp.chats().is_empty());
}

#[tokio::test]
async fn the_customer_writes_on_the_sandbox_phone() {
    let play = play();
    let said = act(&play.router, "/playground/customer", &json!({"phone": PHONE, "text": "Hi"})).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT);
    assert_eq!(play.whatsapp.chats()[0].messages[0].text, "Hi");
    let state: Value = serde_json::from_str(&get_page(&play.router, "/playground/state").await.body).unwrap();
    assert_eq!(state["chat"]["messages"][0]["text"], "Hi");
    assert_eq!(state["sessions"][0]["entries"][1]["fate"], "accepted by WhatsApp");
    assert_eq!(state["case"]["number"], "SR00000001");
    let said = act(&play.router, "/playground/customer", &json!({"phone": "x", "text": "Hi"})).await;
    assert_eq!(said.status, StatusCode::BAD_REQUEST);
    assert!(said.body.contains("phone number"));
}

#[tokio::test]
async fn only_the_chosen_customers_conversation_is_shown() {
    let play = play();
    for phone in [PHONE, "12025550143"] {
        play.whatsapp.customer_writes(phone, None, "Hi", None).await.unwrap();
    }
    for (phone, sessions) in [(PHONE, 1), ("12025550143", 0), ("12025550144", 0)] {
        let body = get_page(&play.router, &format!("/playground/state?phone={phone}")).await.body;
        let state: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(state["sessions"].as_array().unwrap().len(), sessions, "{phone}");
        assert_eq!(state["case"].is_null(), sessions == 0);
        assert_eq!(state["customers"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_rep_replies_and_closes_at_the_desk() {
    let play = play();
    let reply = |text: &str| json!({"case": play.session.case, "text": text});
    let said = act(&play.router, "/playground/reply", &reply(" We look into it. ")).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT);
    assert_eq!(*play.desk.replies.lock().unwrap(), ["We look into it."]);
    assert_eq!(act(&play.router, "/playground/reply", &reply("  ")).await.status, StatusCode::BAD_REQUEST);
    let said = act(&play.router, "/playground/close", &json!({"case": play.session.case})).await;
    assert_eq!(said.status, StatusCode::NO_CONTENT);
    let late = act(&play.router, "/playground/reply", &reply("More")).await;
    assert_eq!(late.status, StatusCode::BAD_GATEWAY);
    assert!(late.body.contains("The case is closed."));
}

#[tokio::test]
async fn a_transcript_shows_words_as_words() {
    let play = play();
    let page = get_page(&play.router, &format!("/sessions/{}", play.session.id)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("&lt;script&gt;alert(1)") && !page.body.contains("<script>alert"));
    assert!(page.body.contains("&lt;b&gt;Zoë") && page.body.contains("accepted by WhatsApp"));
    let none = get_page(&play.router, "/sessions/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn where_a_vendor_is_real_the_page_does_not_act() {
    let transcript = Arc::new(Written(vec![session("Zoë")]));
    let context =
        PlaygroundContext { display_number: "+1".to_owned(), whatsapp: None, cases: None, transcript };
    let router = router(Arc::new(context));
    for (path, body) in [
        ("/playground/customer", json!({"phone": PHONE, "text": "Hi"})),
        ("/playground/reply", json!({"case": "c", "text": "Hi"})),
        ("/playground/close", json!({"case": "c"})),
    ] {
        assert_eq!(act(&router, path, &body).await.status, StatusCode::CONFLICT, "{path}");
    }
    let state: Value = serde_json::from_str(&get_page(&router, "/playground/state").await.body).unwrap();
    assert_eq!(state["sessions"].as_array().unwrap().len(), 1);
    assert!(get_page(&router, "/").await.body.contains("the real one"));
}
