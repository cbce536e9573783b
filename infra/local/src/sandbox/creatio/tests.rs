//! The site from outside: over HTTP, mounted below a path as in the laptop line, by hand and by the line's own client.

use async_trait::async_trait;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::OrgId;
use shared::crm::{ActivityDraft, ActivityKind, CaseDraft, ContactDraft};
use shared_flow::ports::{Crm, CrmError, PortResult};
use shared_vendors::creatio::account::{Account, Accounts};
use shared_vendors::creatio::client::Creatio;
use shared_vendors::guard::Guard;
use shared_vendors::http::Http;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::schema::ids;
use super::*;

const SECRET: &str = "sandbox-secret";

/// A running site, with what its processes posted.
struct Site {
    base: String,
    token: String,
    client: reqwest::Client,
    posted: mpsc::UnboundedReceiver<Value>,
    hook: String,
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

async fn open(folder: Option<PathBuf>) -> Site {
    let (sender, posted) = mpsc::unbounded_channel();
    let take = |State(sender): State<mpsc::UnboundedSender<Value>>, Json(body): Json<Value>| async move {
        sender.send(body).unwrap();
    };
    let hook = serve(Router::new().route("/hook", post(take)).with_state(sender)).await;
    let mut site =
        Site { base: String::new(), token: String::new(), client: reqwest::Client::new(), posted, hook };
    site.restart(folder).await;
    let form = [("grant_type", "client_credentials"), ("client_id", "app"), ("client_secret", SECRET)];
    let answer = site.client.post(site.at("/connect/token")).form(&form).send().await.unwrap();
    let granted: Value = answer.json().await.unwrap();
    site.token = granted["access_token"].as_str().unwrap().to_owned();
    site
}

impl Site {
    /// Another process on the same folder, at another port.
    async fn restart(&mut self, folder: Option<PathBuf>) {
        let hook = format!("{}/hook", self.hook);
        let sandbox = CreatioSandbox::new(folder, "app", SECRET.to_owned().into(), &hook).unwrap();
        self.base = serve(Router::new().nest("/sandbox/creatio", router(Arc::new(sandbox)))).await;
    }

    fn at(&self, path: &str) -> String {
        format!("{}/sandbox/creatio{path}", self.base)
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, String) {
        let method: reqwest::Method = method.parse().unwrap();
        let mut request = self.client.request(method, self.at(path)).bearer_auth(&self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, text) = self.send("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn make(&self, entity: &str, body: Value) -> Uuid {
        let (status, text) = self.send("POST", &format!("/0/odata/{entity}"), body).await;
        assert_eq!(status, 201, "{text}");
        let row: Value = serde_json::from_str(&text).unwrap();
        row["Id"].as_str().unwrap().parse().unwrap()
    }

    async fn fault(&self, order: Value) {
        let (status, text) = self.send("POST", "/__sandbox/faults", order).await;
        assert_eq!(status, 204, "{text}");
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_token() {
    let site = open(None).await;
    for token in ["", "x", "9999999999.00", &format!("{}0", site.token), "1.abc"] {
        let answer = site.client.get(site.at("/0/odata/Case")).bearer_auth(token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{token}");
    }
    assert_eq!(site.send("POST", "/__sandbox/expire-tokens", Value::Null).await.0, 204);
    assert_eq!(site.send("GET", "/0/odata/Case", Value::Null).await.0, 401);
}

#[tokio::test]
async fn the_token_service_speaks_oauth() {
    let site = open(None).await;
    for (grant, id, secret, code) in [
        ("client_credentials", "app", "wrong", "invalid_client"),
        ("client_credentials", "other", SECRET, "invalid_client"),
        ("password", "app", SECRET, "unauthorized_client"),
        ("magic", "app", SECRET, "unsupported_grant_type"),
    ] {
        let form = [("grant_type", grant), ("client_id", id), ("client_secret", secret)];
        let answer = site.client.post(site.at("/0/connect/token")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "error": code }));
    }
    let answer = site.client.post(site.at("/connect/token")).json(&json!({})).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"error": "invalid_request"}));
}

#[tokio::test]
async fn a_record_is_made_read_changed_and_deleted() {
    let site = open(None).await;
    let id = Uuid::from_u128(7);
    assert_eq!(site.make("Case", json!({"Id": id, "Subject": "x", "ContactId": ids::REP})).await, id);
    let one = format!("/0/odata/Case({id})");
    let row = site.get(&one).await;
    assert_eq!((&row["Number"], &row["OwnerId"]), (&json!("SR00000001"), &json!(schema::ZERO)));
    assert_eq!((&row["Symptoms"], &row["ClosureDate"]), (&json!(""), &json!("0001-01-01T00:00:00Z")));
    let context = row["@odata.context"].as_str().unwrap();
    assert_eq!(context, format!("{}/0/odata/$metadata#Case/$entity", site.at("")));
    assert_eq!(site.send("PATCH", &one, json!({"Symptoms": "y"})).await, (204, String::new()));
    let row =
        site.get(&format!("{one}?$select=Id,Symptoms&$expand=Status($select=Name,IsFinal),Contact")).await;
    assert_eq!(row["Symptoms"], json!("y"));
    assert_eq!(row["Status"], json!({"Name": "New", "IsFinal": false}));
    assert_eq!(row["Contact"]["Id"], json!(ids::REP));
    assert!(row.get("Number").is_none());
    assert_eq!(site.send("DELETE", &one, Value::Null).await.0, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(site.send(method, &one, json!({})).await.0, 404, "{method}");
    }
}

#[tokio::test]
async fn many_records_are_filtered_ordered_and_paged() {
    let site = open(None).await;
    let case = site.make("Case", json!({"Subject": "x"})).await;
    for n in 1..=5 {
        site.make("Activity", json!({"Title": format!("t{n}"), "CaseId": case})).await;
    }
    site.make("Activity", json!({"Title": "of no case"})).await;
    let titles = |answer: &Value| {
        let rows = answer["value"].as_array().unwrap();
        rows.iter().map(|row| row["Title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = format!("/0/odata/Activity?$filter=Case/Id%20eq%20{case}&$orderby=CreatedOn");
    let page = site.get(&format!("{all}&$top=2&$skip=2&$count=true")).await;
    assert_eq!(titles(&page), ["t3", "t4"]);
    assert_eq!(page["@odata.count"], json!(5));
    let third = page["value"][0]["CreatedOn"].as_str().unwrap();
    let newer = format!(
        "/0/odata/Activity?$filter=Case/Id+eq+{case}+and+CreatedOn+ge+{third}&$orderby=CreatedOn%20desc"
    );
    assert_eq!(titles(&site.get(&newer).await), ["t5", "t4", "t3"]);
}

#[tokio::test]
async fn what_a_person_may_get_wrong() {
    let site = open(None).await;
    for (path, status, part) in [
        ("/0/odata/Nope", 404, "No type was found"),
        ("/0/odata/Case(abc)", 400, "Edm.Guid"),
        ("/0/odata/Case('7')", 400, "Edm.Guid"),
        (
            "/0/odata/Case?$filter=StatusId%20eq%20ae5f2f10-f46b-1410-fd9a-0050ba5d6c38",
            500,
            "Column by path StatusId",
        ),
        ("/0/odata/Case?$select=Nope", 400, "Could not find a property"),
        ("/0/odata/Case?$expand=Nope", 400, "Could not find a property"),
        ("/0/odata/Case?$top=many", 400, "$top"),
        ("/0/odata/Case?$orderby=Number%20sideways", 400, "$orderby"),
        ("/0/odata/Case?$search=x", 400, "not supported"),
        ("/odata/Case", 404, "<html>"),
    ] {
        let (got, text) = site.send("GET", path, Value::Null).await;
        assert_eq!(got, status, "{path}");
        assert!(text.contains(part), "{path}: {text}");
    }
    assert_eq!(site.send("POST", "/0/odata/Case", json!([])).await.0, 400);
    assert_eq!(site.send("POST", &format!("/0/odata/Case({})", Uuid::max()), json!({})).await.0, 405);
    let sets = site.get("/0/odata").await;
    assert!(sets["value"].as_array().unwrap().iter().any(|set| set["name"] == "Activity"));
}

#[tokio::test]
async fn what_was_answered_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = open(Some(folder.path().to_owned())).await;
    let case = site.make("Case", json!({"Subject": "kept"})).await;
    // The old process is still there, as after a kill: nothing was closed in order.
    site.restart(Some(folder.path().to_owned())).await;
    assert_eq!(site.get(&format!("/0/odata/Case({case})")).await["Subject"], json!("kept"));
    site.make("Case", json!({"Subject": "next"})).await;
    let cases = site.get("/0/odata/Case?$orderby=Number").await;
    assert_eq!(cases["value"][1]["Number"], json!("SR00000002"));
}

#[tokio::test]
async fn a_rep_answers_and_closes_and_the_processes_tell_the_line() {
    let mut site = open(None).await;
    let contact = site.make("Contact", json!({"Name": "Jo", "MobilePhone": "+12025550111"})).await;
    let case = site.make("Case", json!({"Subject": "bike", "ContactId": contact})).await;
    site.make("Activity", json!({"Title": "ours", "CaseId": case, "DetailedResult": "hello"})).await;
    for order in [
        json!({"caseId": case, "text": "One moment."}),
        json!({"caseId": case, "text": "It is <done>.\n\nBye", "form": "email"}),
    ] {
        let (status, text) = site.send("POST", "/__sandbox/rep/reply", order).await;
        assert_eq!(status, 200, "{text}");
        assert_eq!(site.posted.recv().await.unwrap(), json!({"event_type": "new_activity", "caseId": case}));
    }
    for _ in 0..2 {
        assert_eq!(site.send("POST", "/__sandbox/rep/close", json!({ "caseId": case })).await.0, 204);
    }
    assert_eq!(site.posted.recv().await.unwrap(), json!({"event_type": "case_closed", "caseId": case}));
    let shown = site.get("/__sandbox/cases?limit=1").await;
    let page = &shown[0];
    assert_eq!(
        (&page["status"], &page["closed"], &page["phone"]),
        (&json!("Closed"), &json!(true), &json!("+12025550111"))
    );
    let said: Vec<(bool, &str)> = page["activities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["ours"].as_bool().unwrap(), one["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [(true, "hello"), (false, "One moment."), (false, "<p>It is &lt;done&gt;.</p><p>Bye</p>")]
    );
    let nowhere = json!({"caseId": Uuid::max(), "text": "x"});
    assert_eq!(site.send("POST", "/__sandbox/rep/reply", nowhere).await.0, 404);
    assert!(site.posted.try_recv().is_err(), "our own activity and the second closing start nothing");
}

#[tokio::test]
async fn a_lost_webhook_is_lost_and_the_next_one_comes() {
    let mut site = open(None).await;
    let case = site.make("Case", json!({})).await;
    site.fault(json!({"fault": "webhook_lost"})).await;
    for _ in 0..2 {
        site.send("POST", "/__sandbox/rep/reply", json!({"caseId": case, "text": "x"})).await;
    }
    assert!(site.posted.recv().await.is_some());
    assert!(site.posted.try_recv().is_err());
}

#[tokio::test]
async fn faults_spoil_the_requests_they_are_meant_for() {
    let site = open(None).await;
    for (fault, status, part) in [
        ("unauthorized", 401, ""),
        ("forbidden", 403, "permissions"),
        ("login_html", 200, "loginForm"),
        ("html_500", 500, "<html>"),
        ("routing_200", 200, "MessageDetail"),
        ("throttle", 429, ""),
        ("unavailable", 503, "<html>"),
    ] {
        site.fault(json!([{ "fault": fault }])).await;
        let (got, text) = site.send("GET", "/0/odata/CaseStatus", Value::Null).await;
        assert_eq!(got, status, "{fault}");
        assert!(text.contains(part), "{fault}: {text}");
    }
    site.get("/0/odata/CaseStatus").await;
    let (status, _) = site.send("POST", "/__sandbox/faults", json!({"fault": "nonsense"})).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_record_may_be_written_although_the_answer_says_otherwise() {
    let site = open(None).await;
    for (n, fault) in [(1, "written_then_500"), (2, "written_then_hang_up"), (3, "hang_up")] {
        let id = Uuid::from_u128(n);
        site.fault(json!({"fault": fault, "match": "/Case", "method": "POST"})).await;
        let request = site.client.post(site.at("/0/odata/Case")).bearer_auth(&site.token);
        let answer = request.json(&json!({ "Id": id })).send().await;
        let came = match answer {
            Ok(answer) => answer.status() == 500 && answer.bytes().await.is_ok(),
            Err(_) => false,
        };
        assert_eq!(came, n == 1, "{fault}");
        let (status, _) = site.send("GET", &format!("/0/odata/Case({id})"), Value::Null).await;
        assert_eq!(status, if fault == "hang_up" { 404 } else { 200 }, "{fault}");
    }
}

/// The line's connection to the site.
struct One(Account);

#[async_trait]
impl Accounts for One {
    async fn account(&self, _: &OrgId) -> PortResult<Option<Account>> {
        Ok(Some(self.0.clone()))
    }

    async fn org_of_token(&self, _: &[u8; 32]) -> PortResult<Option<OrgId>> {
        Ok(None)
    }
}

fn line(site: &Site) -> Creatio {
    let account = Account {
        instance_url: site.at("/"),
        identity_url: None,
        client_id: "app".to_owned(),
        client_secret: SECRET.to_owned().into(),
        // No such contact: a case is worth more than its owner.
        default_owner_id: Some(Uuid::max()),
        default_group_id: None,
        resolved_status_id: Uuid::parse_str("ae7f411e-f46b-1410-009b-0050ba5d6c38").ok(),
    };
    Creatio::new(Http::new(Guard::new(true)).unwrap(), Arc::new(One(account)))
}

fn person(n: u128) -> ContactDraft {
    ContactDraft { id: Uuid::from_u128(n), name: "Jo".to_owned(), phone: Some("12025550111".to_owned()) }
}

fn draft(contact: Option<String>) -> CaseDraft {
    let (subject, description) = ("x".repeat(700), "first words".to_owned());
    CaseDraft { id: Uuid::from_u128(1), subject, description, contact, opened_at: Timestamp::UNIX_EPOCH }
}

fn task(n: u128, case: u128) -> ActivityDraft {
    ActivityDraft {
        id: Uuid::from_u128(n),
        case: Uuid::from_u128(case),
        kind: ActivityKind::FromCustomer,
        title: "Customer".to_owned(),
        text: format!("message {n}"),
        at: Timestamp::now(),
        contact: None,
    }
}

#[tokio::test]
async fn the_lines_client_lives_through_a_whole_case() {
    let mut site = open(None).await;
    let (crm, org, case) = (line(&site), OrgId::new("acme").unwrap(), Uuid::from_u128(1));
    let contact = crm.contact(&org, &person(70)).await.unwrap();
    assert_eq!(crm.contact(&org, &person(71)).await.unwrap(), contact, "known by the number");
    let made = crm.create_case(&org, &draft(Some(contact))).await.unwrap();
    assert_eq!(made.number.as_deref(), Some("SR00000001"));
    assert_eq!(crm.create_case(&org, &draft(None)).await.unwrap(), made);
    let row = site.get(&format!("/0/odata/Case({case})?$expand=Origin,Contact")).await;
    assert_eq!(
        (&row["Origin"]["Name"], &row["Contact"]["MobilePhone"]),
        (&json!("Chat"), &json!("+12025550111"))
    );
    for _ in 0..2 {
        let added = crm.add_activity(&org, &task(50, 1)).await.unwrap();
        assert_eq!(added.our_author, made.our_author);
    }
    crm.describe(&org, case, "first words", "the summary").await.unwrap();
    let order = json!({"caseId": case, "text": "Done.\n\nBye", "form": "email"});
    site.send("POST", "/__sandbox/rep/reply", order).await;
    site.send("POST", "/__sandbox/rep/reply", json!({"caseId": case, "text": "secret", "form": "internal"}))
        .await;
    let news = crm.read_case(&org, case, None).await.unwrap();
    let said: Vec<(bool, Option<&str>)> = news
        .activities
        .iter()
        .map(|activity| (activity.author == made.our_author, activity.reply.as_deref()))
        .collect();
    assert_eq!(said, [(true, Some("message 50")), (false, Some("Done.\n\nBye")), (false, None)]);
    assert!(!news.closed);
    crm.resolve(&org, case).await.unwrap();
    let news = crm.read_case(&org, case, news.activities[2].created).await.unwrap();
    assert_eq!((news.closed, news.activities.len()), (true, 1));
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(site.posted.recv().await.unwrap()["event_type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["case_closed", "new_activity", "new_activity"]);
    assert_eq!(site.send("DELETE", &format!("/0/odata/Case({case})"), Value::Null).await.0, 204);
    assert!(matches!(crm.read_case(&org, case, None).await, Err(CrmError::Gone(_))));
    assert!(matches!(crm.add_activity(&org, &task(51, 1)).await, Err(CrmError::Gone(_))));
}

#[tokio::test]
async fn the_lines_client_writes_once_through_every_fault() {
    let site = open(None).await;
    let (crm, org) = (line(&site), OrgId::new("acme").unwrap());
    crm.create_case(&org, &draft(None)).await.unwrap();
    let faults = [
        ("unauthorized", true),
        ("login_html", true),
        ("login_redirect", true),
        ("written_then_500", true),
        ("written_then_hang_up", true),
        ("hang_up", false),
        ("html_500", false),
        ("throttle", false),
        ("unavailable", false),
        ("forbidden", false),
        ("routing_200", false),
    ];
    for (n, (fault, heals)) in (100..).zip(faults) {
        site.fault(json!({"fault": fault, "match": "Activity", "method": "POST"})).await;
        let first = crm.add_activity(&org, &task(n, 1)).await;
        assert_eq!(first.is_ok(), heals, "{fault}: {first:?}");
        crm.add_activity(&org, &task(n, 1)).await.unwrap();
    }
    let news = crm.read_case(&org, Uuid::from_u128(1), None).await.unwrap();
    assert_eq!(news.activities.len(), faults.len());
    site.send("POST", "/__sandbox/expire-tokens", Value::Null).await;
    assert!(crm.read_case(&org, Uuid::from_u128(1), None).await.is_ok());
}
