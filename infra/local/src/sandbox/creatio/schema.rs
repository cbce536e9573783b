//! Which objects the site has, with Creatio's own names of columns, and the rows that ship with the product.
//!
//! The GUIDs of shipped rows are the same on every real site, so that what works here works there.

use serde_json::{Value, json};
use uuid::Uuid;

use super::store::Row;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A GUID of no particular object.
    Guid,
    /// A lookup: the id of a row of this object. Its navigation property is the name without `Id`.
    Lookup(&'static str),
    /// Text of at most so many characters; 0 means any.
    Text(usize),
    /// A moment.
    Date,
    /// Yes or no.
    Bool,
    /// A whole number.
    Int,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct Entity {
    /// Its name, which is also the name of its OData set.
    pub name: &'static str,
    own: &'static [Column],
}

/// What Creatio sends for an empty lookup.
pub const ZERO: &str = "00000000-0000-0000-0000-000000000000";
/// What it sends for an empty date.
const YEAR_1: &str = "0001-01-01T00:00:00Z";

impl Kind {
    /// What stands on the wire when there is nothing: never null.
    pub fn empty(self) -> Value {
        match self {
            Self::Guid | Self::Lookup(_) => json!(ZERO),
            Self::Text(_) => json!(""),
            Self::Date => json!(YEAR_1),
            Self::Bool => json!(false),
            Self::Int => json!(0),
        }
    }
}

impl Entity {
    /// All columns, those that every object has first.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> {
        BASE.iter().chain(self.own)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns().find(|column| column.name == name)
    }

    /// The lookup column behind a navigation property, and the object it leads to.
    pub fn lookup(&self, navigation: &str) -> Option<(&'static str, &'static Entity)> {
        let column = self.columns().find(|column| column.name.strip_suffix("Id") == Some(navigation))?;
        match column.kind {
            Kind::Lookup(target) => Some((column.name, entity(target)?)),
            Kind::Guid | Kind::Text(_) | Kind::Date | Kind::Bool | Kind::Int => None,
        }
    }
}

/// The object of this name.
pub fn entity(name: &str) -> Option<&'static Entity> {
    ENTITIES.iter().find(|entity| entity.name == name)
}

const fn c(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

use Kind::{Bool, Date, Guid, Int, Lookup, Text};

const BASE: &[Column] = &[
    c("Id", Guid),
    c("CreatedOn", Date),
    c("CreatedById", Lookup("Contact")),
    c("ModifiedOn", Date),
    c("ModifiedById", Lookup("Contact")),
    c("ProcessListeners", Int),
];

const LOOKUP: &[Column] = &[c("Name", Text(250)), c("Description", Text(250))];

const CONTACT: &[Column] = &[
    c("Name", Text(250)),
    c("GivenName", Text(250)),
    c("Surname", Text(250)),
    c("Dear", Text(250)),
    c("JobTitle", Text(250)),
    c("Phone", Text(250)),
    c("MobilePhone", Text(250)),
    c("HomePhone", Text(250)),
    c("Email", Text(250)),
    c("Notes", Text(0)),
    c("DoNotUseSms", Bool),
    c("OwnerId", Lookup("Contact")),
];

const COMMUNICATION: &[Column] = &[
    c("ContactId", Lookup("Contact")),
    c("CommunicationTypeId", Lookup("CommunicationType")),
    c("Number", Text(250)),
    c("SearchNumber", Text(250)),
    c("Position", Int),
    c("Primary", Bool),
    c("NonActual", Bool),
];

const CASE: &[Column] = &[
    c("Number", Text(50)),
    c("RegisteredOn", Date),
    c("Subject", Text(500)),
    c("Symptoms", Text(0)),
    c("Notes", Text(0)),
    c("Solution", Text(0)),
    c("ResponseDate", Date),
    c("SolutionDate", Date),
    c("RespondedOn", Date),
    c("ClosureDate", Date),
    c("ResponseOverdue", Bool),
    c("SolutionOverdue", Bool),
    c("StatusId", Lookup("CaseStatus")),
    c("PriorityId", Lookup("CasePriority")),
    c("OriginId", Lookup("CaseOrigin")),
    c("CategoryId", Lookup("CaseCategory")),
    c("ContactId", Lookup("Contact")),
    c("OwnerId", Lookup("Contact")),
    c("GroupId", Lookup("SysAdminUnit")),
    c("ParentCaseId", Lookup("Case")),
];

const CASE_STATUS: &[Column] = &[
    c("Name", Text(250)),
    c("Description", Text(250)),
    c("IsFinal", Bool),
    c("IsResolved", Bool),
    c("IsPaused", Bool),
    c("IsDisplayed", Bool),
    c("StageNumber", Int),
];

const ACTIVITY: &[Column] = &[
    c("Title", Text(500)),
    c("StartDate", Date),
    c("DueDate", Date),
    c("DetailedResult", Text(0)),
    c("Notes", Text(0)),
    c("Body", Text(0)),
    c("IsHtmlBody", Bool),
    c("Sender", Text(250)),
    c("Recepient", Text(0)),
    c("SendDate", Date),
    c("ShowInScheduler", Bool),
    c("IsAutoSubmitted", Bool),
    c("IsNotPublished", Bool),
    c("ServiceProcessed", Bool),
    c("TypeId", Lookup("ActivityType")),
    c("ActivityCategoryId", Lookup("ActivityCategory")),
    c("StatusId", Lookup("ActivityStatus")),
    c("PriorityId", Lookup("ActivityPriority")),
    c("MessageTypeId", Lookup("EmailType")),
    c("AuthorId", Lookup("Contact")),
    c("OwnerId", Lookup("Contact")),
    c("ContactId", Lookup("Contact")),
    c("CaseId", Lookup("Case")),
];

const SYS_ADMIN_UNIT: &[Column] = &[
    c("Name", Text(250)),
    c("SysAdminUnitTypeValue", Int),
    c("Active", Bool),
    c("ContactId", Lookup("Contact")),
];

const fn e(name: &'static str, own: &'static [Column]) -> Entity {
    Entity { name, own }
}

/// All objects.
pub const ENTITIES: &[Entity] = &[
    e("Contact", CONTACT),
    e("ContactCommunication", COMMUNICATION),
    e("CommunicationType", LOOKUP),
    e("Case", CASE),
    e("CaseStatus", CASE_STATUS),
    e("CasePriority", LOOKUP),
    e("CaseOrigin", LOOKUP),
    e("CaseCategory", LOOKUP),
    e("Activity", ACTIVITY),
    e("ActivityType", LOOKUP),
    e("ActivityStatus", LOOKUP),
    e("ActivityCategory", LOOKUP),
    e("ActivityPriority", LOOKUP),
    e("EmailType", LOOKUP),
    e("SysAdminUnit", SYS_ADMIN_UNIT),
];

/// Ids of shipped rows that the site's own behaviour refers to.
pub mod ids {
    use uuid::{Uuid, uuid};

    /// The contact of the OAuth application's system user: whatever comes over OData was created by it.
    pub const INTEGRATION: Uuid = uuid!("1d6b4c2e-7f30-4c5a-8e91-3a2b5c7d9e10");
    /// The contact of the person who works on cases.
    pub const REP: Uuid = uuid!("1d6b4c2e-7f30-4c5a-8e91-3a2b5c7d9e20");
    /// Case status New, the default.
    pub const NEW: Uuid = uuid!("ae5f2f10-f46b-1410-fd9a-0050ba5d6c38");
    /// Case status Closed.
    pub const CLOSED: Uuid = uuid!("3e7f420c-f46b-1410-fc9a-0050ba5d6c38");
    /// Case priority Medium, the default.
    pub const MEDIUM: Uuid = uuid!("d9bd322c-f46b-1410-ee8c-0050ba5d6c38");
    /// Case origin Call, the default.
    pub const CALL: Uuid = uuid!("5e5e202a-f46b-1410-3692-0050ba5d6c38");
    /// Communication type Mobile phone.
    pub const MOBILE: Uuid = uuid!("d4a2dc80-30ca-df11-9b2a-001d60e938c6");
    /// Activity type Task, the default.
    pub const TASK: Uuid = uuid!("fbe0acdc-cfc0-df11-b00f-001d60e938c6");
    /// Activity type Email.
    pub const EMAIL: Uuid = uuid!("e2831dec-cfc0-df11-b00f-001d60e938c6");
    /// Activity category To do, the default.
    pub const TO_DO: Uuid = uuid!("f51c4643-58e6-df11-971b-001d60e938c6");
    /// Activity status Not started, the default.
    pub const NOT_STARTED: Uuid = uuid!("384d4b84-58e6-df11-971b-001d60e938c6");
    /// Activity status Completed.
    pub const COMPLETED: Uuid = uuid!("4bdbb88f-58e6-df11-971b-001d60e938c6");
    /// Activity priority Medium, the default.
    pub const NORMAL: Uuid = uuid!("ab96fa02-7fe6-df11-971b-001d60e938c6");
    /// E-mail type Outgoing.
    pub const OUTGOING: Uuid = uuid!("7f6d3f94-f36b-1410-068c-20cf30b39373");
}

/// The rows that a new site has. Only the two people, the group and the chat origin are this sandbox's own.
pub fn shipped() -> Vec<(&'static str, Row)> {
    let mut rows = vec![
        row("Contact", ids::INTEGRATION, json!({"Name": "Switchboard (integration)"})),
        row("Contact", ids::REP, json!({"Name": "Support representative"})),
        row(
            "SysAdminUnit",
            guid(GROUP),
            json!({"Name": "1st-line support", "SysAdminUnitTypeValue": 3, "Active": true}),
        ),
    ];
    for (id, name, extra) in STATUSES {
        let mut columns = json!({"Name": name, "IsDisplayed": true});
        if let (Some(columns), false) = (columns.as_object_mut(), extra.is_empty()) {
            columns.insert((*extra).to_owned(), json!(true));
        }
        rows.push(row("CaseStatus", guid(id), columns));
    }
    rows.extend(NAMED.iter().map(|(entity, id, name)| row(entity, guid(id), json!({ "Name": name }))));
    rows
}

fn row(entity: &'static str, id: Uuid, columns: Value) -> (&'static str, Row) {
    let mut row = columns.as_object().cloned().unwrap_or_default();
    row.insert("Id".to_owned(), json!(id));
    (entity, row)
}

fn guid(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap_or_default()
}

const GROUP: &str = "1d6b4c2e-7f30-4c5a-8e91-3a2b5c7d9e30";

const STATUSES: &[(&str, &str, &str)] = &[
    ("ae5f2f10-f46b-1410-fd9a-0050ba5d6c38", "New", ""),
    ("7e9f1204-f46b-1410-fb9a-0050ba5d6c38", "In progress", ""),
    ("3859c6e7-cbcb-486b-ba53-77808fe6e593", "Waiting for response", "IsPaused"),
    ("f063ebbe-fdc6-4982-8431-d8cfa52fedcf", "Reopened", ""),
    ("ae7f411e-f46b-1410-009b-0050ba5d6c38", "Resolved", "IsResolved"),
    ("3e7f420c-f46b-1410-fc9a-0050ba5d6c38", "Closed", "IsFinal"),
    ("6e5f4218-f46b-1410-fe9a-0050ba5d6c38", "Canceled", "IsFinal"),
];

const NAMED: &[(&str, &str, &str)] = &[
    ("CasePriority", "d9bd322c-f46b-1410-ee8c-0050ba5d6c38", "Medium"),
    ("CaseOrigin", "7f9e1f1e-f46b-1410-3492-0050ba5d6c38", "Email"),
    ("CaseOrigin", "debf4124-f46b-1410-3592-0050ba5d6c38", "Portal"),
    ("CaseOrigin", "5e5e202a-f46b-1410-3692-0050ba5d6c38", "Call"),
    ("CaseOrigin", "1d6b4c2e-7f30-4c5a-8e91-3a2b5c7d9e40", "Chat"),
    ("CaseCategory", "1b0bc159-150a-e111-a31b-00155d04c01d", "Incident"),
    ("CaseCategory", "1c0bc159-150a-e111-a31b-00155d04c01d", "Service request"),
    ("ActivityType", "fbe0acdc-cfc0-df11-b00f-001d60e938c6", "Task"),
    ("ActivityType", "e2831dec-cfc0-df11-b00f-001d60e938c6", "Email"),
    ("ActivityType", "e1831dec-cfc0-df11-b00f-001d60e938c6", "Call"),
    ("ActivityType", "e3831dec-cfc0-df11-b00f-001d60e938c6", "Visit"),
    ("ActivityStatus", "384d4b84-58e6-df11-971b-001d60e938c6", "Not started"),
    ("ActivityStatus", "394d4b84-58e6-df11-971b-001d60e938c6", "In progress"),
    ("ActivityStatus", "4bdbb88f-58e6-df11-971b-001d60e938c6", "Completed"),
    ("ActivityStatus", "201cfba8-58e6-df11-971b-001d60e938c6", "Canceled"),
    ("ActivityCategory", "f51c4643-58e6-df11-971b-001d60e938c6", "To do"),
    ("ActivityCategory", "42c74c49-58e6-df11-971b-001d60e938c6", "Appointment"),
    ("ActivityCategory", "8038a396-7825-e011-8165-00155d043204", "Email"),
    ("ActivityPriority", "ab96fa02-7fe6-df11-971b-001d60e938c6", "Medium"),
    ("ActivityPriority", "ac96fa02-7fe6-df11-971b-001d60e938c6", "Low"),
    ("EmailType", "7f9d1f86-f36b-1410-068c-20cf30b39373", "Incoming"),
    ("EmailType", "7f6d3f94-f36b-1410-068c-20cf30b39373", "Outgoing"),
    ("CommunicationType", "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "Email"),
    ("CommunicationType", "d4a2dc80-30ca-df11-9b2a-001d60e938c6", "Mobile phone"),
    ("CommunicationType", "3dddb3cc-53ee-49c4-a71f-e9e257f59e49", "Business phone"),
    ("CommunicationType", "0da6a26b-d7bc-df11-b00f-001d60e938c6", "Home phone"),
    ("CommunicationType", "21c0d693-9a52-43fa-b7f1-c6d8b53975d4", "Other phone"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lookup_leads_to_an_object_and_every_shipped_row_has_an_id() {
        for entity in ENTITIES {
            for column in entity.columns() {
                if let Kind::Lookup(target) = column.kind {
                    assert!(super::entity(target).is_some(), "{}.{}", entity.name, column.name);
                    assert!(column.name.ends_with("Id"));
                }
            }
        }
        let rows = shipped();
        let mut ids: Vec<&str> = rows.iter().map(|(_, row)| row["Id"].as_str().unwrap()).collect();
        assert!(!ids.contains(&ZERO));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), rows.len());
        for (entity, row) in &rows {
            assert!(row.keys().all(|name| super::entity(entity).unwrap().column(name).is_some()), "{entity}");
        }
    }

    #[test]
    fn a_navigation_property_leads_to_its_object() {
        let (column, target) = entity("Case").unwrap().lookup("Status").unwrap();
        assert_eq!((column, target.name), ("StatusId", "CaseStatus"));
        assert!(entity("Case").unwrap().lookup("Subject").is_none());
    }
}
