//! The rows of the stand-in for Creatio, with the columns, defaults and refusals of a real site: own ids are taken,
//! a second row under an id and an id that names nothing are refused, an empty value is never `null`.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::columns::Kind::{Date, Flag, Lookup, Number, Text};
use super::columns::{CLOSED, COMMON, NEW, RESOLVED, SEED, SETS, TASK, column, target};

/// A row. A column without a value holds `null` here and something else on the wire.
pub type Row = Map<String, Value>;

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
