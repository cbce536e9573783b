//! What a draft looks like in Creatio, and which of a rep's activities are words for the customer.

use shared::crm::ActivityKind;

use super::super::account::tests::account;
use super::*;

const CASE: Uuid = uuid!("8f0a1d5e-93c2-4a6b-9d3e-5b7c1a2e4f60");
const OTHER: Uuid = uuid!("0c5b7f7e-1111-4222-8333-944455566677");

fn case_draft() -> CaseDraft {
    CaseDraft {
        id: CASE,
        subject: "WhatsApp: my bicycle".to_owned(),
        description: "It squeaks.".to_owned(),
        contact: Some(OTHER.to_string().to_uppercase()),
        opened_at: "2026-11-20T08:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_case_carries_the_configured_defaults_and_leaves_the_rest_to_the_site() {
    let plain = account("https://acme.creatio.com");
    let configured = Account { default_owner_id: Some(OTHER), default_group_id: Some(CASE), ..plain.clone() };
    assert_eq!(
        Value::Object(case(&case_draft(), &configured, Some(OTHER))),
        json!({
            "Id": CASE, "Subject": "WhatsApp: my bicycle", "Symptoms": "It squeaks.",
            "ContactId": OTHER, "OwnerId": OTHER, "GroupId": CASE, "OriginId": OTHER,
        })
    );
    let bare = case(&CaseDraft { contact: Some("no guid".to_owned()), ..case_draft() }, &plain, None);
    assert_eq!(bare.keys().map(String::as_str).collect::<Vec<_>>(), ["Id", "Subject", "Symptoms"]);
}

#[test]
fn lines_are_cut_to_their_columns_and_texts_are_not() {
    let draft = CaseDraft { subject: "x".repeat(900), description: "y".repeat(9000), ..case_draft() };
    let row = case(&draft, &account("https://acme.creatio.com"), None);
    assert_eq!(row["Subject"].as_str().unwrap().chars().count(), 500);
    assert_eq!(row["Symptoms"].as_str().unwrap().len(), 9000);
    let person = ContactDraft { id: CASE, name: "n".repeat(300), phone: None };
    assert_eq!(contact(&person, None)["Name"].as_str().unwrap().chars().count(), 250);
    assert!(!contact(&person, None).contains_key("MobilePhone"));
}

#[test]
fn an_activity_is_a_finished_task_outside_the_calendar() {
    let draft = ActivityDraft {
        id: OTHER,
        case: CASE,
        kind: ActivityKind::FromCustomer,
        title: "Customer via WhatsApp: hello".to_owned(),
        text: "hello\nthere".to_owned(),
        at: "2026-11-20T08:00:00.5Z".parse().unwrap(),
        contact: None,
    };
    assert_eq!(
        Value::Object(activity(&draft)),
        json!({
            "Id": OTHER, "Title": "Customer via WhatsApp: hello", "DetailedResult": "hello\nthere",
            "TypeId": TASK, "StatusId": COMPLETED, "ShowInScheduler": false, "CaseId": CASE,
            "StartDate": "2026-11-20T08:00:00.500Z", "DueDate": "2026-11-20T08:00:00.500Z",
        })
    );
}

/// A rep's task with these columns besides.
fn read(columns: Value) -> Option<String> {
    let mut row = json!({"Id": OTHER, "TypeId": TASK, "Title": "Title"});
    row.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
    case_activity(&serde_json::from_value(row).unwrap()).unwrap().reply
}

#[test]
fn the_words_stand_in_the_first_column_that_has_any() {
    let all = json!({"Body": "body", "DetailedResult": "result", "Notes": "notes"});
    assert_eq!(read(all).as_deref(), Some("body"));
    assert_eq!(
        read(json!({"Body": " ", "DetailedResult": "result", "Notes": "notes"})).as_deref(),
        Some("result")
    );
    assert_eq!(
        read(json!({"Body": "<p>&nbsp;</p>", "IsHtmlBody": true, "Notes": "notes"})).as_deref(),
        Some("notes")
    );
    assert_eq!(read(json!({})).as_deref(), Some("Title"));
    assert_eq!(read(json!({"Title": ""})), None);
}

#[test]
fn rich_text_becomes_plain_whether_it_says_so_or_not() {
    let html = "<p>Dear Jo,</p><p>it is <b>done</b>.</p>";
    let plain = Some("Dear Jo,\n\nit is done.".to_owned());
    assert_eq!(read(json!({"Body": html, "IsHtmlBody": true})), plain);
    assert_eq!(read(json!({"Body": html, "IsHtmlBody": false})), plain);
    assert_eq!(read(json!({"DetailedResult": html})), plain);
    assert_eq!(read(json!({"DetailedResult": "3 < 5 & so on"})).as_deref(), Some("3 < 5 & so on"));
}

#[test]
fn what_is_no_word_to_the_customer_is_none() {
    for columns in [
        json!({"TypeId": EMAIL, "MessageTypeId": INCOMING, "Body": "from the customer"}),
        json!({"IsAutoSubmitted": true, "Body": "I am on holiday"}),
        json!({"IsNotPublished": true, "Body": "internal"}),
        json!({"TypeId": "e1831dec-cfc0-df11-b00f-001d60e938c6", "Body": "a call"}),
    ] {
        assert_eq!(read(columns.clone()), None, "{columns}");
    }
    let outgoing =
        json!({"TypeId": EMAIL, "MessageTypeId": "7f6d3f94-f36b-1410-068c-20cf30b39373", "Body": "yes"});
    assert_eq!(read(outgoing).as_deref(), Some("yes"));
    assert_eq!(read(json!({"TypeId": Uuid::nil(), "Notes": "no type"})).as_deref(), Some("no type"));
}

#[test]
fn the_author_is_whoever_signed_else_whoever_created_it() {
    let of = |author: Uuid, creator: Uuid| {
        let row = json!({"Id": OTHER, "AuthorId": author, "CreatedById": creator});
        case_activity(&serde_json::from_value(row).unwrap()).unwrap().author
    };
    assert_eq!(of(CASE, OTHER), Some(CASE.to_string()));
    assert_eq!(of(Uuid::nil(), OTHER), Some(OTHER.to_string()));
    assert_eq!(of(Uuid::nil(), Uuid::nil()), None);
}
