//! The client against a scripted site, and against a third-party OData server when there is one.

use serde_json::{Value, json};
use uuid::uuid;

use super::super::account::Account;
use super::super::account::tests::account;
use super::super::stub::{One, Say, Seen, Stub, http, org};
use super::*;

#[path = "client_people_tests.rs"]
mod people;

const ID: Uuid = uuid!("8f0a1d5e-93c2-4a6b-9d3e-5b7c1a2e4f60");
const PERSON: Uuid = uuid!("0c5b7f7e-1111-4222-8333-944455566677");
const OTHER: Uuid = uuid!("0c5b7f7e-1111-4222-8333-944455566688");
const FINAL: Uuid = uuid!("3e7f420c-f46b-1410-fc9a-0050ba5d6c38");

fn client(account: Account) -> Creatio {
    Creatio::new(http(), Arc::new(One(Some(account))))
}

async fn stub() -> (Stub, Creatio) {
    let stub = Stub::start().await;
    let client = client(account(&stub.base));
    (stub, client)
}

fn case() -> CaseDraft {
    CaseDraft {
        id: ID,
        subject: "WhatsApp: hello".to_owned(),
        description: "hello".to_owned(),
        contact: Some(PERSON.to_string()),
        opened_at: "2026-11-20T08:00:00Z".parse().unwrap(),
    }
}

fn task(id: Uuid, case: Uuid) -> ActivityDraft {
    ActivityDraft {
        id,
        case,
        kind: shared::crm::ActivityKind::FromCustomer,
        title: "Customer via WhatsApp: hello".to_owned(),
        text: "hello".to_owned(),
        at: "2026-11-20T08:00:00Z".parse().unwrap(),
        contact: Some(PERSON.to_string()),
    }
}

fn person(phone: Option<&str>) -> ContactDraft {
    ContactDraft { id: ID, name: "Jo".to_owned(), phone: phone.map(str::to_owned) }
}

fn error(status: u16, text: &str) -> Say {
    Say::Json(status, json!({"error": {"code": "", "message": text}}))
}

fn list(rows: Value) -> Say {
    Say::Json(200, json!({"@odata.context": "x", "value": rows}))
}

fn case_row() -> Value {
    json!({"@odata.context": "x", "Id": ID, "Number": "SR00000101", "CreatedById": OTHER})
}

fn posts(stub: &Stub) -> Vec<Seen> {
    stub.asked().into_iter().filter(|seen| seen.what.starts_with("POST")).collect()
}

const MADE: fn() -> CaseMade =
    || CaseMade { number: Some("SR00000101".to_owned()), our_author: Some(OTHER.to_string()) };

// --- creating ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_case_is_created_under_our_id_with_a_token() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Case", Say::Json(201, case_row()));
    assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
    let posts = posts(&stub);
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].body["Id"], json!(ID));
    assert_eq!(posts[0].token, "Bearer token-1");
}

#[tokio::test]
async fn a_row_that_was_written_before_the_failure_counts() {
    for failure in [
        Say::HangUp,
        Say::Empty(504),
        error(500, "Exception in an event handler after the record was saved"),
        error(500, "23505: duplicate key value violates unique constraint"),
        error(409, "conflict"),
        Say::Empty(201),
        Say::Text(200, "text/plain", "OK"),
    ] {
        let (stub, client) = stub().await;
        stub.on("POST /0/odata/Case", failure);
        stub.on(&format!("GET /0/odata/Case({ID})?$select=Id"), Say::Json(200, case_row()));
        assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
        assert_eq!(posts(&stub).len(), 1);
    }
}

#[tokio::test]
async fn a_failure_that_wrote_nothing_is_told_by_its_class() {
    let class = |error: &CrmError| match error {
        CrmError::Later { .. } => "later",
        CrmError::Broken(_) => "broken",
        CrmError::Refused(_) => "refused",
        CrmError::Gone(_) => "gone",
    };
    let table = [
        (Say::HangUp, "later"),
        (Say::Empty(503), "later"),
        (Say::With(429, "retry-after", "3"), "later"),
        (error(500, "deadlock detected"), "later"),
        (Say::Empty(201), "later"),
        (error(403, "no"), "broken"),
        (error(500, "Current user does not have sufficient permissions"), "broken"),
        (error(400, "bad value"), "refused"),
        (Say::With(301, "location", "https://other.example/"), "broken"),
    ];
    for (failure, expected) in table {
        let (stub, client) = stub().await;
        stub.on("POST /0/odata/Case", failure);
        let error = client.create_case(&org(), &case()).await.unwrap_err();
        assert_eq!(class(&error), expected, "{error:?}");
        assert_eq!(posts(&stub).len(), 1);
    }
}

#[tokio::test]
async fn an_unknown_outcome_stays_unknown_while_nobody_can_look() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Case", error(400, "refused after all"));
    stub.on(&format!("GET /0/odata/Case({ID})"), Say::Empty(503));
    let error = client.create_case(&org(), &case()).await.unwrap_err();
    assert!(matches!(error, CrmError::Later { .. }), "{error:?}");
}

#[tokio::test]
async fn a_lookup_that_points_nowhere_is_left_out() {
    let (stub, client) = {
        let stub = Stub::start().await;
        let configured =
            Account { default_owner_id: Some(OTHER), default_group_id: Some(FINAL), ..account(&stub.base) };
        (stub.clone(), client(configured))
    };
    stub.on(
        "POST /0/odata/Case",
        error(500, "23503: violates foreign key constraint on column \\\"OwnerId\\\""),
    );
    stub.on(
        "POST /0/odata/Case",
        error(500, "The INSERT statement conflicted with the FOREIGN KEY constraint FK1"),
    );
    stub.on("POST /0/odata/Case", Say::Json(201, case_row()));
    assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
    let bodies: Vec<Vec<String>> = posts(&stub)
        .iter()
        .map(|seen| {
            seen.body
                .as_object()
                .unwrap()
                .keys()
                .filter(|k| k.len() > 2 && k.ends_with("Id"))
                .cloned()
                .collect()
        })
        .collect();
    assert_eq!(bodies, [vec!["ContactId", "GroupId", "OwnerId"], vec!["ContactId", "GroupId"], vec![]]);
}

#[tokio::test]
async fn a_refusal_that_no_concession_heals_is_final() {
    let (stub, client) = stub().await;
    for _ in 0..9 {
        stub.on("POST /0/odata/Case", error(500, "violates foreign key constraint"));
    }
    let error = client.create_case(&org(), &case()).await.unwrap_err();
    assert!(matches!(error, CrmError::Refused(_)), "{error:?}");
    assert_eq!(posts(&stub).len(), 2);
}

#[tokio::test]
async fn a_column_that_the_site_lacks_is_left_out() {
    let (stub, client) = stub().await;
    stub.on(
        "POST /0/odata/Activity",
        error(400, "The property 'ShowInScheduler' does not exist on type 'Activity'."),
    );
    stub.on(
        "POST /0/odata/Activity",
        Say::Json(201, json!({"Id": OTHER, "AuthorId": PERSON, "CreatedById": FINAL})),
    );
    let made = client.add_activity(&org(), &task(OTHER, ID)).await.unwrap();
    assert_eq!(made.our_author, Some(PERSON.to_string()));
    assert!(!posts(&stub)[1].body.as_object().unwrap().contains_key("ShowInScheduler"));
    assert_eq!(posts(&stub)[1].body["CaseId"], json!(ID));
}

#[tokio::test]
async fn an_activity_of_a_deleted_case_says_that_the_case_is_gone() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Activity", error(500, "23503: foreign key constraint on column \\\"CaseId\\\""));
    stub.on("GET /0/odata/Case?$filter=Id eq", list(json!([])));
    let error = client.add_activity(&org(), &task(OTHER, ID)).await.unwrap_err();
    assert!(matches!(error, CrmError::Gone(_)), "{error:?}");
}

#[tokio::test]
async fn a_site_that_gives_ids_of_its_own_is_not_written_to() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Case", Say::Json(201, json!({"Id": OTHER})));
    let error = client.create_case(&org(), &case()).await.unwrap_err();
    assert!(matches!(error, CrmError::Broken(_)), "{error:?}");
}

#[tokio::test]
async fn a_number_that_is_given_later_is_read_again() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Case", Say::Json(201, json!({"Id": ID, "Number": "", "CreatedById": OTHER})));
    stub.on(&format!("GET /0/odata/Case({ID})?$select=Id,Number,CreatedById"), Say::Json(200, case_row()));
    assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
}

#[tokio::test]
async fn a_chat_origin_is_used_where_there_is_one_and_looked_up_once() {
    let (stub, client) = stub().await;
    let origins = json!([{"Id": OTHER, "Name": "Chat"}, {"Id": PERSON, "Name": "Our WhatsApp"}, {"Id": ID, "Name": "Call"}]);
    stub.on("GET /0/odata/CaseOrigin", list(origins));
    for _ in 0..2 {
        stub.on("POST /0/odata/Case", Say::Json(201, case_row()));
        client.create_case(&org(), &case()).await.unwrap();
    }
    assert_eq!(stub.count("GET /0/odata/CaseOrigin"), 1);
    assert!(posts(&stub).iter().all(|seen| seen.body["OriginId"] == json!(PERSON)));
}

#[tokio::test]
async fn a_site_that_shows_no_origins_is_asked_once_and_a_busy_one_again() {
    for (answer, times) in [(error(403, "no"), 1), (error(404, "Not Found"), 1), (Say::Empty(503), 2)] {
        let (stub, client) = stub().await;
        stub.on("GET /0/odata/CaseOrigin", answer);
        for _ in 0..2 {
            stub.on("POST /0/odata/Case", Say::Json(201, case_row()));
            assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
        }
        assert_eq!(stub.count("GET /0/odata/CaseOrigin"), times);
    }
}

// --- tokens and flavours ----------------------------------------------------------------------------------------

#[tokio::test]
async fn a_token_that_is_not_accepted_is_replaced_and_the_call_repeated_once() {
    for refusal in [Say::Empty(401), Say::login_page(), Say::With(302, "location", "/Login/NuiLogin.aspx")] {
        let (stub, client) = stub().await;
        stub.on("POST /0/odata/Case", refusal).on("POST /0/odata/Case", Say::Json(201, case_row()));
        assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
        let tokens: Vec<String> = posts(&stub).into_iter().map(|seen| seen.token).collect();
        assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
    }
}

#[tokio::test]
async fn a_second_refusal_breaks_the_connection_and_nothing_is_read_back() {
    for refusal in [Say::Empty(401), Say::login_page()] {
        let (stub, client) = stub().await;
        stub.on("POST /0/odata/Case", refusal.clone()).on("POST /0/odata/Case", refusal);
        let error = client.create_case(&org(), &case()).await.unwrap_err();
        assert!(matches!(&error, CrmError::Broken(why) if why.contains("system user")), "{error:?}");
        assert_eq!((posts(&stub).len(), stub.count(&format!("GET /0/odata/Case({ID})"))), (2, 0));
    }
}

#[tokio::test]
async fn a_site_on_dot_net_has_its_data_elsewhere() {
    let (stub, client) = stub().await;
    stub.on("GET /0/odata/CaseStatus", Say::Text(404, "text/html", "<html>Not found</html>"));
    stub.on("GET /odata/CaseStatus", list(json!([])));
    stub.on("POST /odata/Case", Say::Json(201, case_row()))
        .on("POST /odata/Case", Say::Json(201, case_row()));
    for _ in 0..2 {
        assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
    }
    assert_eq!(stub.count("GET /0/odata/CaseStatus"), 1, "found once");
}

#[tokio::test]
async fn a_site_that_moves_to_the_other_platform_is_found_again() {
    let (stub, client) = stub().await;
    stub.on("POST /0/odata/Case", Say::Json(201, case_row()));
    assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
    let page = || Say::Text(404, "text/html", "<html>Not found</html>");
    stub.on("POST /0/odata/Case", page()).on("GET /0/odata/CaseStatus", page());
    assert!(matches!(client.create_case(&org(), &case()).await, Err(CrmError::Broken(_))));
    stub.on("GET /0/odata/CaseStatus", page()).on("GET /odata/CaseStatus", list(json!([])));
    stub.on("POST /odata/Case", Say::Json(201, case_row()));
    assert_eq!(client.create_case(&org(), &case()).await, Ok(MADE()));
}

#[tokio::test]
async fn a_site_without_odata_is_a_broken_connection() {
    let (stub, client) = stub().await;
    for root in ["/0/odata", "/odata"] {
        stub.on(&format!("GET {root}/CaseStatus"), Say::Text(404, "text/html", "<html>Not found</html>"));
    }
    let error = client.resolve_any().await;
    assert!(matches!(&error, CrmError::Broken(why) if why.contains("instance_url")), "{error:?}");
    assert!(stub.left().is_empty());
}

#[tokio::test]
async fn a_site_that_is_down_is_not_taken_for_another_flavour() {
    let (stub, client) = stub().await;
    stub.on("GET /0/odata/CaseStatus", Say::Empty(503));
    assert!(matches!(client.resolve_any().await, CrmError::Later { .. }));
    stub.on("GET /0/odata/Case?$filter=Id eq", list(json!([])));
    assert!(matches!(client.resolve_any().await, CrmError::Gone(_)), "asked again, and found");
}

impl Creatio {
    /// Some call, for its error.
    async fn resolve_any(&self) -> CrmError {
        self.read_case(&org(), ID, None).await.unwrap_err()
    }
}

#[tokio::test]
async fn without_a_usable_connection_nothing_is_called() {
    let none = Creatio::new(http(), Arc::new(One(None)));
    assert!(
        matches!(none.resolve_any().await, CrmError::Broken(why) if why.contains("no Creatio connection"))
    );
    let private = Creatio::new(
        Http::new(crate::guard::Guard::new(false)).unwrap(),
        Arc::new(One(Some(account("https://10.0.0.1")))),
    );
    assert!(matches!(private.resolve_any().await, CrmError::Broken(_)));
}

#[tokio::test]
async fn no_more_than_four_requests_are_under_way() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NOW: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    let busy = |uri: axum::http::Uri| async move {
        if uri.path().ends_with("token") {
            return axum::Json(json!({"access_token": "t"}));
        }
        MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        NOW.fetch_sub(1, Ordering::SeqCst);
        axum::Json(json!({"@odata.context": "x", "Id": ID, "value": []}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(busy)).await });
    let client = client(account(&base));
    let org = org();
    let all = (0..40).map(|_| client.read_case(&org, ID, None));
    assert!(futures::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(MOST.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn an_operation_ends_in_its_time_however_many_calls_it_needs() {
    let stub = Stub::start().await;
    stub.on("GET /0/odata/Case(", Say::Silence);
    let client = Creatio { limit: Duration::from_millis(200), ..client(account(&stub.base)) };
    assert!(matches!(client.resolve_any().await, CrmError::Later { .. }));
}

// --- contacts ---------------------------------------------------------------------------------------------------
