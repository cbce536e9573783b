//! The rows of the stand-in for Creatio, with the columns, defaults and refusals of a real site: own ids are taken,
//! a second row under an id and an id that names nothing are refused, an empty value is never `null`.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A row. A column without a value holds `null` here and something else on the wire.
pub type Row = Map<String, Value>;

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
const COMMON: &[(&str, Kind)] = &[
    ("CreatedOn", Date),
    ("CreatedById", Lookup("Contact")),
    ("ModifiedOn", Date),
    ("ModifiedById", Lookup("Contact")),
];

/// The columns of each set that this site has.
const SETS: &[(&str, &[(&str, Kind)])] = &[
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
const SEED: &[(&str, &[(&str, &str)])] = &[
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

/// Why a write is refused: HTTP status and message.
pub type Refused = (u16, String);

/// All rows of the site.
pub struct Site {
    sets: BTreeMap<&'static str, Vec<Row>>,
    numbered: u32,
}

impl Site {
    /// A site with nothing but the rows that it ships with.
    pub fn new() -> Self {
        let mut site = Self { sets: SETS.iter().map(|(set, _)| (*set, Vec::new())).collect(), numbered: 100 };
        for (set, rows) in SEED {
            for (name, id) in *rows {
                let mut row = empty(set);
                row.insert("Id".to_owned(), json!(id));
                row.insert("Name".to_owned(), json!(name));
                row.insert("CreatedOn".to_owned(), json!("2019-07-15T23:02:55.97914Z"));
                if *set == "CaseStatus" {
                    row.insert("IsFinal".to_owned(), json!(*id == CLOSED));
                    row.insert("IsResolved".to_owned(), json!(*id == RESOLVED));
                }
                site.sets.get_mut(set).unwrap().push(row);
            }
        }
        site
    }

    /// Whether the site has this set.
    pub fn has(&self, set: &str) -> bool {
        self.sets.contains_key(set)
    }

    /// The rows of a set, oldest first.
    pub fn rows(&self, set: &str) -> &[Row] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// A row by its id.
    pub fn find(&self, set: &str, id: &str) -> Option<&Row> {
        self.rows(set).iter().find(|row| is(&row["Id"], id))
    }

    /// The row that a lookup of this row names.
    pub fn follow(&self, set: &str, row: &Row, path: &str) -> Option<(&'static str, &Row)> {
        let target = target(set, path)?;
        let id = row[&format!("{path}Id")].as_str()?;
        Some((target, self.find(target, id)?))
    }

    /// Inserts what a body says as this contact, with the server's own columns. The written row is returned.
    pub fn insert(&mut self, set: &str, body: &Row, by: &str) -> Result<Row, Refused> {
        let mut row = empty(set);
        row.insert("Id".to_owned(), json!(Uuid::from_u128(self.draw())));
        self.fill(set, &mut row, by);
        self.write(set, &mut row, body)?;
        let id = row["Id"].as_str().unwrap();
        if self.find(set, id).is_some() {
            return Err((500, format!("23505: duplicate key value violates unique constraint \"PK_{set}\"")));
        }
        let (known, rows) = self.sets.iter_mut().find(|(known, _)| **known == set).unwrap();
        debug_assert_eq!(*known, set);
        rows.push(row.clone());
        Ok(row)
    }

    /// Changes the columns that a body names.
    pub fn update(&mut self, set: &str, id: &str, body: &Row) -> Result<(), Refused> {
        let Some(mut row) = self.find(set, id).cloned() else { return Err((404, "not found".to_owned())) };
        self.write(set, &mut row, body)?;
        row.insert("ModifiedOn".to_owned(), json!(now()));
        let rows = self.sets.get_mut(set).unwrap();
        let at = rows.iter().position(|row| is(&row["Id"], id)).unwrap();
        rows[at] = row;
        Ok(())
    }

    fn draw(&mut self) -> u128 {
        self.numbered += 1;
        0x00aa_0000_0000_4000_8000_0000_0000_0000 + u128::from(self.numbered)
    }

    /// The columns that the server fills by itself.
    fn fill(&mut self, set: &str, row: &mut Row, by: &str) {
        for (name, value) in [("CreatedOn", now()), ("ModifiedOn", now())] {
            row.insert(name.to_owned(), json!(value));
        }
        let mut defaults = vec![("CreatedById", by), ("ModifiedById", by)];
        match set {
            "Case" => {
                row.insert("Number".to_owned(), json!(format!("SR{:08}", self.numbered)));
                row.insert("RegisteredOn".to_owned(), json!(now()));
                defaults.extend([
                    ("StatusId", NEW),
                    ("PriorityId", "d9bd322c-f46b-1410-ee8c-0050ba5d6c38"),
                    ("OriginId", "5e5e202a-f46b-1410-3692-0050ba5d6c38"),
                ]);
            }
            "Activity" => defaults.extend([
                ("AuthorId", by),
                ("OwnerId", by),
                ("TypeId", TASK),
                ("ActivityCategoryId", "f51c4643-58e6-df11-971b-001d60e938c6"),
                ("StatusId", "384d4b84-58e6-df11-971b-001d60e938c6"),
                ("PriorityId", "ab96fa02-7fe6-df11-971b-001d60e938c6"),
            ]),
            _ => {}
        }
        for (name, value) in defaults {
            row.insert(name.to_owned(), json!(value));
        }
    }

    /// Copies a body into a row, as the server would: what is no column is refused, a lookup must name a row.
    fn write(&self, set: &str, row: &mut Row, body: &Row) -> Result<(), Refused> {
        for (name, value) in body {
            // A path in a body is passed over in silence, and the lookup stays empty.
            if value.is_object() && target(set, name).is_some() {
                continue;
            }
            let value = match (name.as_str(), column(set, name)) {
                ("Id", _) => self.guid(value)?,
                (_, Some(Lookup(target))) => self.lookup(target, name, value)?,
                (_, Some(Text | Flag | Date | Number)) => value.clone(),
                (_, None) => {
                    return Err((400, format!("The property '{name}' does not exist on type '{set}'")));
                }
            };
            row.insert(name.clone(), value);
        }
        if set == "Case" && row["Subject"].as_str().is_none_or(str::is_empty) {
            return Err((500, "Subject: a value is required".to_owned()));
        }
        if let Some(number) =
            body.get("Number").and_then(Value::as_str).filter(|_| set == "ContactCommunication")
        {
            row.insert("SearchNumber".to_owned(), json!(search_number(number)));
        }
        Ok(())
    }

    fn guid(&self, value: &Value) -> Result<Value, Refused> {
        let id = value.as_str().and_then(|text| Uuid::parse_str(text).ok());
        match id {
            Some(id) if id.is_nil() => Ok(Value::Null),
            Some(id) => Ok(json!(id)),
            None if value.is_null() => Ok(Value::Null),
            None => Err((400, "Cannot convert the literal to the expected type 'Edm.Guid'".to_owned())),
        }
    }

    fn lookup(&self, target: &str, name: &str, value: &Value) -> Result<Value, Refused> {
        let id = self.guid(value)?;
        let dangling = id.as_str().is_some_and(|id| self.find(target, id).is_none());
        if dangling {
            return Err((
                500,
                format!("23503: insert or update violates foreign key constraint on column \"{name}\""),
            ));
        }
        Ok(id)
    }

    /// A row as it stands on the wire, where an empty lookup is a zero GUID and an empty date lies in year 1.
    pub fn without_nulls(&self, set: &str, row: &Row) -> Vec<(String, Value)> {
        let empty = |name: &str| match column(set, name) {
            Some(Text) => json!(""),
            Some(Flag) => json!(false),
            Some(Number) => json!(0),
            Some(Date) => json!("0001-01-01T00:00:00Z"),
            Some(Lookup(_)) | None => json!(Uuid::nil()),
        };
        let shown = |(name, value): (&String, &Value)| {
            (name.clone(), if value.is_null() { empty(name) } else { value.clone() })
        };
        row.iter().map(shown).collect()
    }
}

fn empty(set: &str) -> Row {
    let own = SETS.iter().find(|(known, _)| *known == set).unwrap().1;
    own.iter().chain(COMMON).map(|(name, _)| ((*name).to_owned(), Value::Null)).collect()
}

fn is(value: &Value, id: &str) -> bool {
    value.as_str().is_some_and(|own| own.eq_ignore_ascii_case(id))
}

/// The digits of a number backwards, or an address in lower case.
pub fn search_number(number: &str) -> String {
    if number.contains('@') {
        return number.to_lowercase();
    }
    number.chars().filter(char::is_ascii_digit).rev().collect()
}

/// The server's time, as fine as a real site's: seven digits, zeros at the end left out.
fn now() -> String {
    let now = Timestamp::now();
    let tenths = now.as_nanosecond() / 100 * 100;
    Timestamp::from_nanosecond(tenths).or_else(|_| now.round(Unit::Millisecond)).unwrap().to_string()
}
