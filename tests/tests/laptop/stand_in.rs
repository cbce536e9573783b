//! That the stand-in for Creatio is as awkward as a real site, and that the search through the logs finds what is
//! there: otherwise the tests that use them would prove nothing.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::creatio::{Creatio, Fault, Flavour, GROUP, NEW, Order, REP};
use super::neighbours::leaks;
use super::program::client;
use super::setup::{CLIENT_ID, CLIENT_SECRET};
use super::stage::Stage;

/// The site with a token for it.
struct Visitor {
    site: Creatio,
    token: String,
}

const ZERO: &str = "00000000-0000-0000-0000-000000000000";
const CASE: &str = "3f1d5e6a-93c2-4a6b-9d3e-5b7c1a2e4f60";

impl Visitor {
    async fn new() -> Self {
        let site = Creatio::start(Flavour::Framework, CLIENT_ID, CLIENT_SECRET).await;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
        ];
        let answer = client().post(format!("{}/connect/token", site.url)).form(&form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        Self { token: answer["access_token"].as_str().unwrap().to_owned(), site }
    }

    async fn call(&self, method: Method, resource: &str, body: &Value) -> (StatusCode, Value) {
        let request = client().request(method, format!("{}/0/odata/{resource}", self.site.url));
        let answer = request.bearer_auth(&self.token).json(body).send().await.unwrap();
        (answer.status(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn get(&self, resource: &str) -> (StatusCode, Value) {
        self.call(Method::GET, resource, &Value::Null).await
    }
}

#[tokio::test]
async fn a_row_keeps_its_own_id_and_nothing_is_ever_null() {
    let visitor = Visitor::new().await;
    let body = json!({"Id": CASE, "Subject": "Bell", "OwnerId": REP, "GroupId": GROUP, "Contact": {"Name": "ignored"}});
    let (status, row) = visitor.call(Method::POST, "Case", &body).await;
    assert_eq!((status, &row["Id"], &row["StatusId"]), (StatusCode::CREATED, &json!(CASE), &json!(NEW)));
    assert_eq!((&row["ContactId"], &row["Symptoms"]), (&json!(ZERO), &json!("")));

    let (status, error) = visitor.call(Method::POST, "Case", &body).await;
    assert_eq!(status, 500);
    assert!(error["error"]["message"].as_str().unwrap().contains("23505"));
    let dangling = json!({"Subject": "Bell", "OwnerId": CASE});
    assert!(visitor.call(Method::POST, "Case", &dangling).await.1.to_string().contains("23503"));
    assert_eq!(visitor.call(Method::POST, "Case", &json!({"Subject": "Bell", "Colour": 1})).await.0, 400);
    assert_eq!(visitor.call(Method::PATCH, &format!("Case({CASE})"), &json!({"Notes": "n"})).await.0, 204);
    assert_eq!(visitor.get(&format!("Case({ZERO})")).await.0, 404);
    assert_eq!(visitor.get("Cases").await.0, 404);
}

#[tokio::test]
async fn a_lookup_is_filtered_by_its_path_and_expanded_on_request() {
    let visitor = Visitor::new().await;
    visitor.call(Method::POST, "Case", &json!({"Id": CASE, "Subject": "O'Neill's bell"})).await;
    visitor.site.rep_writes(CASE, "One");
    visitor.site.rep_writes(CASE, "Two");
    let (status, rows) = visitor
        .get(&format!(
            "Activity?$filter=Case/Id%20eq%20{CASE}&$orderby=CreatedOn%20desc&$select=Id,DetailedResult"
        ))
        .await;
    assert_eq!((status, rows["value"].as_array().unwrap().len()), (StatusCode::OK, 2));
    assert_eq!(rows["value"][0]["DetailedResult"], "Two");
    assert_eq!(rows["value"][0].as_object().unwrap().len(), 2);
    let flat = visitor.get(&format!("Activity?$filter=CaseId%20eq%20{CASE}")).await;
    assert_eq!(flat.0, 500);
    assert!(flat.1.to_string().contains("Column by path CaseId not found"));

    let (_, case) =
        visitor.get(&format!("Case({CASE})?$select=Id&$expand=Status($select=IsFinal,IsResolved)")).await;
    assert_eq!(case["Status"], json!({"IsFinal": false, "IsResolved": false}));
    for (filter, found) in [
        ("Subject%20eq%20'O''Neill''s%20bell'", 1),
        ("startswith(Subject,'O')%20and%20not%20contains(Subject,'horn')", 1),
        (
            "(Subject%20eq%20'x'%20or%20Status/IsFinal%20eq%20false)%20and%20CreatedOn%20gt%202020-01-01T00:00:00Z",
            1,
        ),
        ("CreatedOn%20lt%202020-01-01T00:00:00Z", 0),
        ("Contact/MobilePhone%20eq%20'1'", 0),
    ] {
        let (status, rows) = visitor.get(&format!("Case?$filter={filter}")).await;
        assert_eq!(
            (status, rows["value"].as_array().map(Vec::len)),
            (StatusCode::OK, Some(found)),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn tokens_end_and_faults_strike_as_ordered() {
    let visitor = Visitor::new().await;
    let fault = Fault::WrittenThenBroken;
    visitor.site.fail(Order { method: Some("POST"), set: Some("Contact"), fault, times: 1 });
    assert_eq!(visitor.call(Method::POST, "Contact", &json!({"Name": "Written all the same"})).await.0, 500);
    assert_eq!(visitor.site.rows("Contact").len(), 1);
    visitor.site.expire_tokens();
    assert_eq!(visitor.get("Contact").await.0, 401);
}

#[tokio::test]
async fn the_search_through_the_logs_finds_what_is_there() {
    let stage = Stage::open().await;
    let (there, not_there) = (stage.line.url.clone(), "words that nobody ever said".to_owned());
    let found = leaks(&stage.line.said(), &BTreeSet::from([there.clone(), not_there]));
    assert_eq!(found, [there]);
}
