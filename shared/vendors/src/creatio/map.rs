//! Our drafts as Creatio's rows, and Creatio's activities as what a rep did.
//!
//! The GUIDs are rows of lookups that ship with the product and that its own code refers to.

use serde_json::{Value, json};
use shared::channel::render::shorten;
use shared::crm::{ActivityDraft, CaseDraft, ContactDraft};
use shared::ids::derive;
use shared_flow::ports::CaseActivity;
use uuid::{Uuid, uuid};

use super::account::Account;
use super::site::Row;
use super::text;
use super::wire::ActivityRow;

/// `ActivityType` Task.
const TASK: Uuid = uuid!("fbe0acdc-cfc0-df11-b00f-001d60e938c6");
/// `ActivityType` Email.
const EMAIL: Uuid = uuid!("e2831dec-cfc0-df11-b00f-001d60e938c6");
/// `ActivityStatus` Completed: a log entry is nothing to do.
const COMPLETED: Uuid = uuid!("4bdbb88f-58e6-df11-971b-001d60e938c6");
/// `EmailType` Incoming.
const INCOMING: Uuid = uuid!("7f9d1f86-f36b-1410-068c-20cf30b39373");
/// `CommunicationType` Mobile.
const MOBILE: Uuid = uuid!("d4a2dc80-30ca-df11-9b2a-001d60e938c6");

/// Longer texts are refused by the column instead of cut.
const LONGEST_LINE: usize = 500;
/// The same for names.
const LONGEST_NAME: usize = 250;

fn row(columns: Value) -> Row {
    match columns {
        // An empty value is left out: the site then applies its own default.
        Value::Object(columns) => columns.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Row::new(),
    }
}

/// A lookup from an id that came back from the CRM earlier.
fn lookup(id: Option<&String>) -> Option<Uuid> {
    id.and_then(|id| Uuid::parse_str(id).ok()).filter(|id| !id.is_nil())
}

/// A contact. The phone number is given with `+`, as the platform's own telephony writes it.
pub(super) fn contact(draft: &ContactDraft, digits: Option<&str>) -> Row {
    row(json!({
        "Id": draft.id,
        "Name": shorten(&draft.name, LONGEST_NAME),
        "MobilePhone": digits.map(|digits| format!("+{digits}")),
    }))
}

/// The id of the row by which our contact's number is found. Computed, so that it is written once.
pub(super) fn communication_id(contact: Uuid) -> Uuid {
    derive("crm communication", &[&contact.to_string()])
}

/// That row.
pub(super) fn communication(contact: Uuid, digits: &str) -> Row {
    row(json!({
        "Id": communication_id(contact),
        "ContactId": contact,
        "CommunicationTypeId": MOBILE,
        "Number": format!("+{digits}"),
    }))
}

/// A case. `origin` is left to the site's default when absent, as are status, priority, number and times: the
/// service levels count from when the case reached the reps.
pub(super) fn case(draft: &CaseDraft, account: &Account, origin: Option<Uuid>) -> Row {
    row(json!({
        "Id": draft.id,
        "Subject": shorten(&draft.subject, LONGEST_LINE),
        "Symptoms": draft.description,
        "ContactId": lookup(draft.contact.as_ref()),
        "OwnerId": account.default_owner_id,
        "GroupId": account.default_group_id,
        "OriginId": origin,
    }))
}

/// A message as a finished task. Never an incoming e-mail: stock processes open and reopen cases from those.
pub(super) fn activity(draft: &ActivityDraft) -> Row {
    let at = super::odata::moment(draft.at);
    row(json!({
        "Id": draft.id,
        "Title": shorten(&draft.title, LONGEST_LINE),
        "DetailedResult": draft.text,
        "TypeId": TASK,
        "StatusId": COMPLETED,
        "StartDate": at,
        "DueDate": at,
        "ShowInScheduler": false,
        "CaseId": draft.case,
        "ContactId": lookup(draft.contact.as_ref()),
    }))
}

/// What a rep did, if the row says who and when; a row without an id is nothing that could be remembered.
pub(super) fn case_activity(row: &ActivityRow) -> Option<CaseActivity> {
    Some(CaseActivity {
        id: row.id?.to_string(),
        author: author(row),
        created: row.created_on,
        reply: reply(row),
    })
}

/// Who speaks: the author where one is set, else whoever created the record.
pub(super) fn author(row: &ActivityRow) -> Option<String> {
    row.author_id.or(row.created_by_id).map(|id| id.to_string())
}

/// The words for the customer. None for what comes from the customer or a machine, is not published, or is another
/// kind of activity than those a rep writes to somebody.
fn reply(row: &ActivityRow) -> Option<String> {
    let is_ours_to_pass = row.type_id.is_none_or(|kind| kind == TASK || kind == EMAIL);
    if !is_ours_to_pass
        || row.message_type_id == Some(INCOMING)
        || row.is_auto_submitted
        || row.is_not_published
    {
        return None;
    }
    let body = row.body.as_deref().and_then(|body| words(body, row.is_html_body));
    let others = [&row.detailed_result, &row.notes, &row.title];
    body.or_else(|| others.iter().find_map(|column| words(column.as_deref()?, false)))
}

fn words(column: &str, is_html: bool) -> Option<String> {
    if is_html || text::looks_like_html(column) { text::from_html(column) } else { text::plain(column) }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
