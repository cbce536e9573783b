//! The person who works on cases, in the site's own pages: what they see, and their two acts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::CreatioSandbox;
use super::process;
use super::records::is_closed;
use super::refusal::Refusal;
use super::schema::{Entity, entity, ids};
use super::store::{Row, Store, guid_in, text_in};

/// A case with what happened in it.
#[derive(Debug, Clone, Serialize)]
pub struct CasePage {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// One line.
    pub subject: String,
    /// The description.
    pub description: String,
    /// The status's name.
    pub status: String,
    /// Whether that is final or resolved.
    pub closed: bool,
    /// The customer's name.
    pub contact: Option<String>,
    /// The customer's mobile number.
    pub phone: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// What happened, oldest first.
    pub activities: Vec<ActivityEntry>,
}

/// One activity.
#[derive(Debug, Clone, Serialize)]
pub struct ActivityEntry {
    /// Its id.
    pub id: Uuid,
    /// A short line.
    pub title: String,
    /// The words.
    pub text: String,
    /// Who wrote it.
    pub author: String,
    /// Whether that is the integration.
    pub ours: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// In which form a reply is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A task with a result.
    #[default]
    Task,
    /// An outgoing e-mail with an HTML body.
    Email,
    /// A task that is not published: a note for colleagues.
    Internal,
}

/// All cases, the newest first, at most so many.
pub fn cases(store: &Store, most: usize) -> Vec<CasePage> {
    store.all("Case").rev().take(most).filter_map(|row| page(store, row)).collect()
}

/// One case.
pub fn case(store: &Store, id: Uuid) -> Option<CasePage> {
    page(store, store.get("Case", id)?)
}

fn page(store: &Store, row: &Row) -> Option<CasePage> {
    let id = guid_in(row, "Id")?;
    let named = |table: &str, column: &str| guid_in(row, column).and_then(|id| store.get(table, id));
    let contact = named("Contact", "ContactId");
    let activities = store.all("Activity").filter(|activity| guid_in(activity, "CaseId") == Some(id));
    let mut activities: Vec<ActivityEntry> =
        activities.filter_map(|activity| entry(store, activity)).collect();
    activities.sort_by_key(|activity| activity.created);
    Some(CasePage {
        id,
        number: text_in(row, "Number").to_owned(),
        subject: text_in(row, "Subject").to_owned(),
        description: text_in(row, "Symptoms").to_owned(),
        status: named("CaseStatus", "StatusId")
            .map(|row| text_in(row, "Name").to_owned())
            .unwrap_or_default(),
        closed: is_closed(store, row),
        contact: contact.map(|row| text_in(row, "Name").to_owned()),
        phone: contact.map(|row| text_in(row, "MobilePhone").to_owned()).filter(|phone| !phone.is_empty()),
        created: text_in(row, "CreatedOn").parse().ok(),
        activities,
    })
}

fn entry(store: &Store, row: &Row) -> Option<ActivityEntry> {
    let author = guid_in(row, "AuthorId").or_else(|| guid_in(row, "CreatedById"));
    let name = author.and_then(|id| store.get("Contact", id)).map(|row| text_in(row, "Name").to_owned());
    let text = ["DetailedResult", "Body", "Notes"].iter().map(|column| text_in(row, column));
    Some(ActivityEntry {
        id: guid_in(row, "Id")?,
        title: text_in(row, "Title").to_owned(),
        text: text.into_iter().find(|text| !text.is_empty()).unwrap_or_default().to_owned(),
        author: name.unwrap_or_default(),
        ours: author == Some(ids::INTEGRATION),
        created: text_in(row, "CreatedOn").parse().ok(),
    })
}

/// Writes to the customer. Returns the activity's id.
pub fn reply(sandbox: &CreatioSandbox, case: Uuid, text: &str, form: Form) -> Result<Uuid, Refusal> {
    let contact = {
        let store = sandbox.store();
        guid_in(store.get("Case", case).ok_or_else(Refusal::missing)?, "ContactId")
    };
    let mut columns =
        json!({"CaseId": case, "ContactId": contact, "StatusId": ids::COMPLETED, "Title": "Reply"});
    let further = match form {
        Form::Task => json!({ "DetailedResult": text }),
        Form::Internal => json!({"Title": "Note", "DetailedResult": text, "IsNotPublished": true}),
        Form::Email => json!({
            "TypeId": ids::EMAIL, "MessageTypeId": ids::OUTGOING, "Body": html(text), "IsHtmlBody": true,
        }),
    };
    merge(&mut columns, further);
    let (row, event) = sandbox.create(known("Activity")?, &row_of(columns), ids::REP)?;
    process::run(sandbox, event);
    guid_in(&row, "Id").ok_or_else(Refusal::missing)
}

/// Closes a case; a closed one stays as it is.
pub fn close(sandbox: &CreatioSandbox, case: Uuid) -> Result<(), Refusal> {
    let closed = {
        let store = sandbox.store();
        is_closed(&store, store.get("Case", case).ok_or_else(Refusal::missing)?)
    };
    if !closed {
        let columns = row_of(json!({ "StatusId": ids::CLOSED }));
        process::run(sandbox, sandbox.change(known("Case")?, case, &columns, ids::REP)?);
    }
    Ok(())
}

fn known(name: &str) -> Result<&'static Entity, Refusal> {
    entity(name).ok_or_else(Refusal::missing)
}

fn row_of(columns: Value) -> Row {
    match columns {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

fn merge(into: &mut Value, further: Value) {
    if let (Value::Object(into), Value::Object(further)) = (into, further) {
        into.extend(further);
    }
}

/// As an editor for rich text leaves it.
fn html(text: &str) -> String {
    let safe = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let paragraphs = safe.split("\n\n").map(|part| format!("<p>{}</p>", part.replace('\n', "<br/>")));
    paragraphs.collect()
}
