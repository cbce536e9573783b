//! What an answer of the OData service means. A status alone says little: 200 may be a login page or an error,
//! 500 may be a wrong lookup, missing rights or a deadlock.
//!
//! Four shapes of error body occur: OData's `{"error":{"message"}}`, ASP.NET's `{"Message","ExceptionMessage"}`, its
//! routing error `{"Message","MessageDetail"}` (seen with 404 and with 200), and HTML pages.

use http::header::LOCATION;
use jiff::SignedDuration;
use serde_json::Value;
use shared_flow::ports::CrmError;

use super::redact::redact;
use crate::http::{Answer, CallError};

/// Why there is no data, by what can be done about it.
///
/// No `Debug`: the texts are the site's own words and are redacted only on their way out.
pub(super) enum Fault {
    /// Nothing left this machine.
    NeverSent(String),
    /// It may have arrived, and been carried out.
    Unclear(String),
    /// The token is not accepted: 401, a login page (also with status 200), or a redirect to one.
    Login(&'static str),
    /// A redirect to somewhere else.
    Elsewhere,
    /// The user behind the OAuth application lacks rights.
    Forbidden(String),
    /// No such record, or no such resource at all.
    Missing,
    /// The site has no such object, or has not built its OData interface yet.
    NoSuchSet,
    /// It will pass.
    Busy { why: String, after: Option<SignedDuration> },
    /// A lookup points to a record that does not exist. The site's text, which may name the column.
    ForeignKey(String),
    /// The site does not have a column. The site's text, which names it.
    UnknownColumn(String),
    /// Refused for good.
    Rejected(String),
    /// A success without the data that it should bring.
    Odd(&'static str),
    /// Already put into the caller's terms.
    Known(CrmError),
}

/// What was asked of the site, for sentences.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verb {
    Read,
    Create,
    Change,
}

impl Verb {
    fn words(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Change => "change",
        }
    }
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NeverSent(why) => Self::NeverSent(why),
            CallError::Unclear(why) => Self::Unclear(why),
        }
    }
}

impl Fault {
    /// Whether nothing can have been written: asking whether it was would be idle.
    pub fn wrote_nothing(&self) -> bool {
        match self {
            Self::NeverSent(_) | Self::Login(_) | Self::Elsewhere | Self::Known(_) => true,
            Self::Unclear(_)
            | Self::Forbidden(_)
            | Self::Missing
            | Self::NoSuchSet
            | Self::Busy { .. }
            | Self::ForeignKey(_)
            | Self::UnknownColumn(_)
            | Self::Rejected(_)
            | Self::Odd(_) => false,
        }
    }

    /// In the caller's terms, with a sentence an operator can act on.
    pub fn into_crm(self, verb: Verb, entity: &str) -> CrmError {
        let doing = format!("to {} {entity}", verb.words());
        let later = |why: String, after| CrmError::Later { why, after };
        match self {
            Self::NeverSent(why) | Self::Unclear(why) => later(format!("trying {doing}: {why}"), None),
            Self::Busy { why, after } => later(format!("trying {doing}: {why}"), after),
            Self::Odd(what) => later(format!("trying {doing}: the site answered with {what}"), None),
            Self::Login(what) => CrmError::Broken(format!(
                "the site answers a fresh token with {what}: check in Creatio that the OAuth application is active and \
                 its system user may log in and has a licence"
            )),
            Self::Elsewhere => CrmError::Broken(
                "the site redirects to another address: enter the address that the browser shows after logging in as \
                 instance_url"
                    .to_owned(),
            ),
            Self::Forbidden(said) => CrmError::Broken(forbidden(verb, entity, &said)),
            Self::Missing | Self::NoSuchSet => CrmError::Broken(format!(
                "the site offers no object {entity} over OData: check instance_url, and that the product with this \
                 object is installed and published"
            )),
            Self::ForeignKey(said) => CrmError::Refused(format!(
                "a lookup in {entity} points to a record that does not exist: {}",
                redact(&said)
            )),
            Self::UnknownColumn(said) => {
                CrmError::Refused(format!("the site's {entity} lacks a column: {}", redact(&said)))
            }
            Self::Rejected(said) => CrmError::Refused(format!("it refused {doing}: {said}")),
            Self::Known(error) => error,
        }
    }
}

fn forbidden(verb: Verb, entity: &str, said: &str) -> String {
    let verb = verb.words();
    format!(
        "the OAuth application may not {verb} {entity} records: give its system user the right to {verb} the object \
         {entity} (System Designer, object permissions){}",
        if said.is_empty() { String::new() } else { format!("; the site said: {said}") }
    )
}

/// The data of an answer: JSON that has `@odata.context`, `value` or `Id`; `None` for a success without a body.
pub(super) fn data_of(answer: &Answer) -> Result<Option<Value>, Fault> {
    let blank = answer.body.iter().all(u8::is_ascii_whitespace);
    if answer.is_success() && blank {
        return Ok(None);
    }
    let html = is_html(answer);
    let json: Option<Value> = if html { None } else { answer.json().ok() };
    if answer.is_success() {
        if html {
            return Err(Fault::Login("a login page"));
        }
        return match json {
            Some(value) if is_data(&value) => Ok(Some(value)),
            // An error with a success status is judged as the error it is.
            Some(value) if !words_of(&value).is_empty() => Err(of_error(answer, 500, Some(&value), false)),
            _ => Err(Fault::Odd("something that is no record")),
        };
    }
    Err(of_error(answer, answer.status, json.as_ref(), html))
}

fn is_html(answer: &Answer) -> bool {
    !answer.is_json() && answer.body.iter().find(|b| !b.is_ascii_whitespace() && b.is_ascii()) == Some(&b'<')
}

fn is_data(value: &Value) -> bool {
    ["@odata.context", "value", "Id"].iter().any(|mark| value.get(mark).is_some())
}

fn of_error(answer: &Answer, status: u16, json: Option<&Value>, html: bool) -> Fault {
    let said = json.map(words_of).unwrap_or_default();
    let after = answer.retry_after();
    match status {
        401 => return Fault::Login("401"),
        300..=399 if leads_to_login(answer) => return Fault::Login("a redirect to the login page"),
        300..=399 => return Fault::Elsewhere,
        408 | 425 | 429 => return Fault::Busy { why: format!("status {status}"), after },
        // A gateway's page: with a time it means "not so fast", without one it is a refusal.
        403 if after.is_some() => return Fault::Busy { why: "status 403 with a wait".to_owned(), after },
        _ => {}
    }
    if let Some(fault) = of_words(&said) {
        return fault;
    }
    match status {
        403 => Fault::Forbidden(redact(&said)),
        404 | 410 => Fault::Missing,
        500..=599 => {
            let page = if html { " with a page instead of data" } else { "" };
            let said = if said.is_empty() { String::new() } else { format!(": {}", redact(&said)) };
            Fault::Busy { why: format!("status {status}{page}{said}"), after }
        }
        _ => Fault::Rejected(format!("status {status}: {}", redact(&said))),
    }
}

/// What the words say whatever the status is. Texts of the product, of PostgreSQL, SQL Server and of OData libraries.
fn of_words(said: &str) -> Option<Fault> {
    let lower = said.to_ascii_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| lower.contains(sign));
    if has(&[
        "no type was found that matches the controller",
        "no http resource was found",
        "invalid resource path",
    ]) {
        return Some(Fault::NoSuchSet);
    }
    if has(&["23503", "foreign key constraint"]) {
        return Some(Fault::ForeignKey(said.to_owned()));
    }
    if has(&["column by path", "does not exist on type", "not found in schema"])
        || (has(&["property"]) && has(&["does not exist in"]))
    {
        return Some(Fault::UnknownColumn(said.to_owned()));
    }
    if has(&[
        "securityexception",
        "sufficient permission",
        "insufficient rights",
        "not have permission",
        "access denied",
    ]) {
        return Some(Fault::Forbidden(redact(said)));
    }
    None
}

/// All that an error body says, in whichever of its shapes.
fn words_of(body: &Value) -> String {
    let places =
        ["/error/message", "/error/innererror/message", "/ExceptionMessage", "/MessageDetail", "/Message"];
    let mut said: Vec<&str> = Vec::new();
    for place in places {
        if let Some(text) = body.pointer(place).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
            && !said.contains(&text)
        {
            said.push(text);
        }
    }
    said.join(" / ")
}

fn leads_to_login(answer: &Answer) -> bool {
    let target = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    target.to_ascii_lowercase().contains("login")
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
