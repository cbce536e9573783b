//! Every shape of error a site is known to answer with, and what becomes of it.

use axum::http::{HeaderMap, HeaderName};
use bytes::Bytes;

use super::*;

fn answer(status: u16, kind: &str, body: &str, header: Option<(&'static str, &str)>) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", kind.parse().unwrap());
    if let Some((name, value)) = header {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    Answer { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn json(status: u16, body: &str) -> Answer {
    answer(status, "application/json; charset=utf-8", body, None)
}

fn page(status: u16) -> Answer {
    answer(status, "text/html", include_str!("fixtures/login.html"), None)
}

/// The fault's name; `data` or `nothing` when there is none.
fn name(answer: &Answer) -> &'static str {
    match data_of(answer) {
        Ok(Some(_)) => "data",
        Ok(None) => "nothing",
        Err(Fault::NeverSent(_)) => "never sent",
        Err(Fault::Unclear(_)) => "unclear",
        Err(Fault::Login(_)) => "login",
        Err(Fault::Elsewhere) => "elsewhere",
        Err(Fault::Forbidden(_)) => "forbidden",
        Err(Fault::Missing) => "missing",
        Err(Fault::NoSuchSet) => "no such set",
        Err(Fault::Busy { .. }) => "busy",
        Err(Fault::ForeignKey(_)) => "foreign key",
        Err(Fault::UnknownColumn(_)) => "unknown column",
        Err(Fault::Rejected(_)) => "rejected",
        Err(Fault::Odd(_)) => "odd",
        Err(Fault::Known(_)) => "known",
    }
}

const ODATA: &str = include_str!("fixtures/error_odata.json");
const ASPNET: &str = include_str!("fixtures/error_aspnet.json");
const ROUTING: &str = include_str!("fixtures/error_routing.json");

#[test]
fn only_json_with_the_marks_of_odata_is_data() {
    for (answer, is) in [
        (json(200, r#"{"@odata.context":"x","Name":"y"}"#), "data"),
        (json(200, r#"{"value":[]}"#), "data"),
        (json(201, r#"{"Id":"1"}"#), "data"),
        // Declared wrongly, but it is what it is.
        (answer(200, "text/plain", r#"{"value":[]}"#, None), "data"),
        (json(204, ""), "nothing"),
        (json(200, " \n"), "nothing"),
        (json(200, r#"{"hello":1}"#), "odd"),
        (json(200, "[]"), "odd"),
        (json(200, "{\"value\":["), "odd"),
        (answer(200, "text/plain", "OK", None), "odd"),
    ] {
        assert_eq!(name(&answer), is, "{:?}", answer.body);
    }
}

#[test]
fn a_page_or_a_redirect_in_place_of_data_is_the_login() {
    assert_eq!(name(&page(200)), "login");
    assert_eq!(name(&json(401, "")), "login");
    assert_eq!(name(&page(401)), "login");
    let to = |target| answer(302, "text/html", "", Some(("location", target)));
    assert_eq!(name(&to("/Login/NuiLogin.aspx?ReturnUrl=%2f0%2fodata")), "login");
    assert_eq!(name(&to("https://other.example/0/odata/Case")), "elsewhere");
}

#[test]
fn errors_are_known_by_what_they_say() {
    let odata = |text: &str| format!(r#"{{"error":{{"code":"","message":"{text}"}}}}"#);
    for (status, body, is) in [
        (500, ODATA.to_owned(), "foreign key"),
        (500, odata("The INSERT statement conflicted with the FOREIGN KEY constraint"), "foreign key"),
        (500, ASPNET.to_owned(), "busy"),
        (200, ASPNET.to_owned(), "busy"),
        (404, ROUTING.to_owned(), "no such set"),
        (200, ROUTING.to_owned(), "no such set"),
        (500, odata("Column by path GroupId not found in schema Case"), "unknown column"),
        (400, odata("The property 'UsrA' does not exist on type 'Terrasoft.Case'."), "unknown column"),
        (400, odata("Property UsrA does not exist in Case"), "unknown column"),
        (500, odata("Current user does not have sufficient permissions"), "forbidden"),
        (403, odata("no"), "forbidden"),
        (403, String::new(), "forbidden"),
        (404, odata("Not Found"), "missing"),
        (404, String::new(), "missing"),
        (400, odata("The value is not a valid Edm.Guid"), "rejected"),
        (409, odata("conflict"), "rejected"),
        (408, String::new(), "busy"),
        (429, odata("quota"), "busy"),
        (500, odata("23505: duplicate key value violates unique constraint"), "busy"),
        (503, String::new(), "busy"),
    ] {
        assert_eq!(name(&json(status, &body)), is, "{status} {body}");
    }
    for (status, is) in
        [(403, "forbidden"), (404, "missing"), (500, "busy"), (503, "busy"), (400, "rejected")]
    {
        assert_eq!(name(&page(status)), is, "page with {status}");
    }
}

#[test]
fn a_wait_that_was_asked_for_is_passed_on() {
    for status in [429, 503, 403] {
        let answer = answer(status, "text/html", "<html>", Some(("retry-after", "7")));
        let Err(fault) = data_of(&answer) else { panic!("{status} is no data") };
        match fault.into_crm(Verb::Create, "Case") {
            CrmError::Later { after, .. } => assert_eq!(after, Some(SignedDuration::from_secs(7))),
            other => panic!("{status}: {other:?}"),
        }
    }
}

#[test]
fn each_class_says_what_it_means_and_tells_no_secret() {
    let of = |answer: &Answer| match data_of(answer) {
        Err(fault) => fault.into_crm(Verb::Create, "Case"),
        Ok(_) => panic!("no error"),
    };
    let forbidden = of(&json(403, r#"{"error":{"message":"no, see https://acme.creatio.com/x"}}"#));
    assert_eq!(
        forbidden,
        CrmError::Broken(
            "the OAuth application may not create Case records: give its system user the right to create the object \
             Case (System Designer, object permissions); the site said: a reason that is not repeated here (see the site's \
             own log)"
                .to_owned()
        )
    );
    assert!(matches!(of(&page(200)), CrmError::Broken(_)));
    assert!(matches!(of(&json(404, ROUTING)), CrmError::Broken(_)));
    assert!(matches!(of(&json(400, r#"{"error":{"message":"bad"}}"#)), CrmError::Refused(_)));
    let loud = of(&json(400, r#"{"error":{"message":"call +1 202 555 0111 or a@b.example"}}"#)).to_string();
    assert!(!loud.contains("555") && !loud.contains('@'), "{loud}");
    for said in [
        "Truncated value: 'CANARYNAME'. Key (Name)=(CANARYUNQUOTED)",
        "23503: foreign key constraint, CANARY",
        "Column by path CANARY not found in schema Case",
        "access denied for CANARY",
    ] {
        for status in [400, 403, 500] {
            let shown = of(&json(status, &format!(r#"{{"error":{{"message":"{said}"}}}}"#))).to_string();
            assert!(!shown.contains("CANARY"), "{shown}");
        }
    }
}
