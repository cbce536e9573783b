//! The sets and columns of the stand-in for Creatio, and the rows that every site ships with, under their well-known ids.
//! Names are translated, as on a site that does not speak English.

/// The contact as whom the integration's calls run.
pub const INTEGRATION: &str = "76929f8c-7e15-4c64-bdb0-adc62d383727";
/// A rep's contact.
pub const REP: &str = "410006e1-ca4e-4502-a9ec-e54d922d2c00";
/// The group of all employees.
pub const GROUP: &str = "a29a3ba5-4b0d-de11-9a51-005056c00008";
/// `CaseStatus` New.
pub const NEW: &str = "ae5f2f10-f46b-1410-fd9a-0050ba5d6c38";
/// `CaseStatus` Resolved.
pub const RESOLVED: &str = "ae7f411e-f46b-1410-009b-0050ba5d6c38";
/// `CaseStatus` Closed.
pub const CLOSED: &str = "3e7f420c-f46b-1410-fc9a-0050ba5d6c38";
/// `ActivityType` Task.
pub const TASK: &str = "fbe0acdc-cfc0-df11-b00f-001d60e938c6";
/// `ActivityType` Email.
pub const EMAIL: &str = "e2831dec-cfc0-df11-b00f-001d60e938c6";
/// A `CaseOrigin` that an administrator added.
pub const CHAT: &str = "0c5b7f7e-1111-4222-8333-944455566677";
/// `EmailType` Outgoing.
pub const OUTGOING: &str = "7f6d3f94-f36b-1410-068c-20cf30b39373";

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Flag,
    Date,
    Number,
    /// The id of a row of this set; the column's name has `Id` at its end.
    Lookup(&'static str),
}
use Kind::{Date, Flag, Lookup, Number, Text};

/// Columns of every set, besides `Id`.
pub const COMMON: &[(&str, Kind)] = &[
    ("CreatedOn", Date),
    ("CreatedById", Lookup("Contact")),
    ("ModifiedOn", Date),
    ("ModifiedById", Lookup("Contact")),
];

/// The columns of each set that this site has.
pub const SETS: &[(&str, &[(&str, Kind)])] = &[
    (
        "Case",
        &[
            ("Number", Text),
            ("Subject", Text),
            ("Symptoms", Text),
            ("Notes", Text),
            ("RegisteredOn", Date),
            ("StatusId", Lookup("CaseStatus")),
            ("PriorityId", Lookup("CasePriority")),
            ("OriginId", Lookup("CaseOrigin")),
            ("CategoryId", Lookup("CaseCategory")),
            ("ContactId", Lookup("Contact")),
            ("OwnerId", Lookup("Contact")),
            ("GroupId", Lookup("SysAdminUnit")),
        ],
    ),
    (
        "Activity",
        &[
            ("Title", Text),
            ("StartDate", Date),
            ("DueDate", Date),
            ("TypeId", Lookup("ActivityType")),
            ("ActivityCategoryId", Lookup("ActivityCategory")),
            ("StatusId", Lookup("ActivityStatus")),
            ("PriorityId", Lookup("ActivityPriority")),
            ("AuthorId", Lookup("Contact")),
            ("OwnerId", Lookup("Contact")),
            ("DetailedResult", Text),
            ("Notes", Text),
            ("Body", Text),
            ("IsHtmlBody", Flag),
            ("Sender", Text),
            ("Recepient", Text),
            ("MessageTypeId", Lookup("EmailType")),
            ("IsAutoSubmitted", Flag),
            ("IsNotPublished", Flag),
            ("ShowInScheduler", Flag),
            ("ContactId", Lookup("Contact")),
            ("CaseId", Lookup("Case")),
            ("SendDate", Date),
        ],
    ),
    (
        "Contact",
        &[
            ("Name", Text),
            ("GivenName", Text),
            ("Surname", Text),
            ("Phone", Text),
            ("MobilePhone", Text),
            ("HomePhone", Text),
            ("Email", Text),
            ("Notes", Text),
            ("OwnerId", Lookup("Contact")),
        ],
    ),
    (
        "ContactCommunication",
        &[
            ("ContactId", Lookup("Contact")),
            ("CommunicationTypeId", Lookup("CommunicationType")),
            ("Number", Text),
            ("SearchNumber", Text),
            ("Primary", Flag),
            ("NonActual", Flag),
            ("Position", Number),
        ],
    ),
    (
        "CaseStatus",
        &[
            ("Name", Text),
            ("IsFinal", Flag),
            ("IsResolved", Flag),
            ("IsPaused", Flag),
            ("StageNumber", Number),
        ],
    ),
    ("CasePriority", &[("Name", Text)]),
    ("CaseOrigin", &[("Name", Text)]),
    ("CaseCategory", &[("Name", Text)]),
    ("ActivityType", &[("Name", Text)]),
    ("ActivityCategory", &[("Name", Text)]),
    ("ActivityStatus", &[("Name", Text)]),
    ("ActivityPriority", &[("Name", Text)]),
    ("CommunicationType", &[("Name", Text)]),
    ("EmailType", &[("Name", Text)]),
    ("SysAdminUnit", &[("Name", Text), ("ContactId", Lookup("Contact"))]),
];

/// Rows that every site ships with.
pub const SEED: &[(&str, &[(&str, &str)])] = &[
    (
        "CaseStatus",
        &[
            ("Neu", NEW),
            ("In Bearbeitung", "7e9f1204-f46b-1410-fb9a-0050ba5d6c38"),
            ("Wartet", "3859c6e7-cbcb-486b-ba53-77808fe6e593"),
            ("Gelöst", RESOLVED),
            ("Geschlossen", CLOSED),
        ],
    ),
    ("CasePriority", &[("Mittel", "d9bd322c-f46b-1410-ee8c-0050ba5d6c38")]),
    (
        "CaseOrigin",
        &[
            ("E-Mail", "7f9e1f1e-f46b-1410-3492-0050ba5d6c38"),
            ("Anruf", "5e5e202a-f46b-1410-3692-0050ba5d6c38"),
            ("Messenger und Chat", CHAT),
        ],
    ),
    ("CaseCategory", &[("Störung", "1b0bc159-150a-e111-a31b-00155d04c01d")]),
    (
        "ActivityType",
        &[("Aufgabe", TASK), ("E-Mail", EMAIL), ("Anruf", "e1831dec-cfc0-df11-b00f-001d60e938c6")],
    ),
    ("ActivityCategory", &[("Zu erledigen", "f51c4643-58e6-df11-971b-001d60e938c6")]),
    (
        "ActivityStatus",
        &[
            ("Nicht begonnen", "384d4b84-58e6-df11-971b-001d60e938c6"),
            ("Abgeschlossen", "4bdbb88f-58e6-df11-971b-001d60e938c6"),
        ],
    ),
    ("ActivityPriority", &[("Mittel", "ab96fa02-7fe6-df11-971b-001d60e938c6")]),
    (
        "CommunicationType",
        &[
            ("E-Mail", "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"),
            ("Mobil", "d4a2dc80-30ca-df11-9b2a-001d60e938c6"),
            ("Weiteres", "21c0d693-9a52-43fa-b7f1-c6d8b53975d4"),
        ],
    ),
    ("EmailType", &[("Eingehend", "7f9d1f86-f36b-1410-068c-20cf30b39373"), ("Ausgehend", OUTGOING)]),
    ("SysAdminUnit", &[("Alle Mitarbeiter", GROUP)]),
    ("Contact", &[("Switchboard", INTEGRATION), ("Supervisor", REP)]),
];

/// What a column of a set holds; `None` when the set has no such column.
pub fn column(set: &str, name: &str) -> Option<Kind> {
    let own = SETS.iter().find(|(known, _)| *known == set)?.1;
    own.iter().chain(COMMON).find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// The set that a navigation property leads to.
pub fn target(set: &str, path: &str) -> Option<&'static str> {
    match column(set, &format!("{path}Id"))? {
        Lookup(target) => Some(target),
        Text | Flag | Date | Number => None,
    }
}
