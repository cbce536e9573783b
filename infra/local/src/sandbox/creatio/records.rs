//! Making, changing and deleting records, with what the platform does on its own at that: checks, defaults, numbers,
//! search numbers, mirrored phone numbers.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::refusal::Refusal;
use super::schema::{Column, Entity, Kind, entity, ids};
use super::store::{Row, Store, flag_in, guid_in, text_in};

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::new(503, format!("the sandbox cannot write its folder: {error}"))
    }
}

/// Makes a record as `actor`, a contact.
pub fn create(store: &mut Store, of: &'static Entity, body: &Row, actor: Uuid) -> Result<Row, Refusal> {
    let mut row = Row::new();
    take(&mut row, store, of, body)?;
    let id = guid_in(&row, "Id").unwrap_or_else(|| new_id(store, of));
    if store.get(of.name, id).is_some() {
        return Err(Refusal::thrown(format!(
            "23505: duplicate key value violates unique constraint \"PK_{}_Id\"",
            of.name
        )));
    }
    let now = json!(store.now());
    for (column, value) in [
        ("Id", json!(id)),
        ("CreatedOn", now.clone()),
        ("ModifiedOn", now.clone()),
        ("ModifiedById", json!(actor)),
    ] {
        row.insert(column.to_owned(), value);
    }
    row.entry("CreatedById").or_insert(json!(actor));
    for (column, value) in defaults(store, of, &now, actor) {
        row.entry(column).or_insert(value);
    }
    derive(&mut row, of);
    store.put(of, id, row.clone())?;
    mirror(store, of, &row, actor)?;
    Ok(row)
}

/// Changes a record as `actor`. Returns it as it was and as it is.
pub fn change(
    store: &mut Store,
    of: &'static Entity,
    id: Uuid,
    body: &Row,
    actor: Uuid,
) -> Result<(Row, Row), Refusal> {
    let before = store.get(of.name, id).cloned().ok_or_else(Refusal::missing)?;
    let mut row = before.clone();
    take(&mut row, store, of, body)?;
    row.insert("Id".to_owned(), json!(id));
    row.insert("ModifiedOn".to_owned(), json!(store.now()));
    row.insert("ModifiedById".to_owned(), json!(actor));
    derive(&mut row, of);
    store.put(of, id, row.clone())?;
    mirror(store, of, &row, actor)?;
    Ok((before, row))
}

/// Deletes a record. What looked up to it looks up to nothing afterwards.
pub fn delete(store: &mut Store, of: &'static Entity, id: Uuid) -> Result<(), Refusal> {
    if store.get(of.name, id).is_none() {
        return Err(Refusal::missing());
    }
    store.remove(of, id)?;
    for other in super::schema::ENTITIES {
        for column in other.columns().filter(|column| column.kind == Kind::Lookup(of.name)) {
            let orphans: Vec<Row> =
                store.all(other.name).filter(|row| guid_in(row, column.name) == Some(id)).cloned().collect();
            for mut row in orphans {
                row.remove(column.name);
                if let Some(orphan) = guid_in(&row, "Id") {
                    store.put(other, orphan, row)?;
                }
            }
        }
    }
    Ok(())
}

/// Whether a case stands in a final or resolved status.
pub fn is_closed(store: &Store, case: &Row) -> bool {
    let status = guid_in(case, "StatusId").and_then(|id| store.get("CaseStatus", id));
    status.is_some_and(|status| flag_in(status, "IsFinal") || flag_in(status, "IsResolved"))
}

/// Takes over a body's columns. A navigation property in a body is ignored, silently, as on a real site.
fn take(row: &mut Row, store: &Store, of: &'static Entity, body: &Row) -> Result<(), Refusal> {
    for (name, value) in body {
        if name.starts_with('@') || name.contains("@odata") || of.lookup(name).is_some() {
            continue;
        }
        let column = of.column(name).ok_or_else(|| {
            Refusal::bad(format!(
                "The property '{name}' does not exist on type 'Terrasoft.Configuration.OData.{}'. Make sure to only \
                 use property names that are defined by the type.",
                of.name
            ))
        })?;
        match stored(column, value, store, of)? {
            Some(value) => drop(row.insert(name.clone(), value)),
            None => drop(row.remove(name)),
        }
    }
    Ok(())
}

/// A value as it is kept; `None` for an empty one.
fn stored(column: &Column, value: &Value, store: &Store, of: &Entity) -> Result<Option<Value>, Refusal> {
    let wrong =
        || Refusal::bad(format!("The value of column {} is not a valid {:?}.", column.name, column.kind));
    if value.is_null() || *value == column.kind.empty() {
        return Ok(None);
    }
    match column.kind {
        Kind::Guid | Kind::Lookup(_) => {
            let id = value.as_str().and_then(|text| Uuid::parse_str(text).ok()).ok_or_else(wrong)?;
            if let Kind::Lookup(target) = column.kind
                && store.get(target, id).is_none()
            {
                return Err(Refusal::thrown(format!(
                    "23503: insert or update on table \"{}\" violates foreign key constraint \"FK_{}_{}_{target}_Id\"",
                    of.name, of.name, column.name
                )));
            }
            Ok(Some(json!(id)))
        }
        Kind::Text(most) => {
            let text = value.as_str().ok_or_else(wrong)?;
            if most > 0 && text.chars().count() > most {
                let says = format!("22001: value too long for type character varying({most})");
                return Err(Refusal::thrown(says));
            }
            Ok(Some(value.clone()))
        }
        Kind::Date => {
            let at: Timestamp = value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
            Ok(Some(json!(at)))
        }
        Kind::Bool => value.as_bool().map(|flag| Some(json!(flag))).ok_or_else(wrong),
        Kind::Int => value.as_i64().map(|number| Some(json!(number))).ok_or_else(wrong),
    }
}

fn defaults(store: &Store, of: &Entity, now: &Value, actor: Uuid) -> Vec<(&'static str, Value)> {
    match of.name {
        "Case" => vec![
            ("Number", json!(format!("SR{:08}", store.made("Case") + 1))),
            ("RegisteredOn", now.clone()),
            ("StatusId", json!(ids::NEW)),
            ("PriorityId", json!(ids::MEDIUM)),
            ("OriginId", json!(ids::CALL)),
        ],
        "Activity" => vec![
            ("StartDate", now.clone()),
            ("DueDate", now.clone()),
            ("TypeId", json!(ids::TASK)),
            ("ActivityCategoryId", json!(ids::TO_DO)),
            ("StatusId", json!(ids::NOT_STARTED)),
            ("PriorityId", json!(ids::NORMAL)),
            ("AuthorId", json!(actor)),
            ("OwnerId", json!(actor)),
        ],
        _ => Vec::new(),
    }
}

/// Columns that the platform computes.
fn derive(row: &mut Row, of: &Entity) {
    if of.name == "ContactCommunication" {
        let search = search_number(text_in(row, "Number"));
        row.insert("SearchNumber".to_owned(), json!(search));
    }
}

/// Digits backwards, or an address in small letters.
fn search_number(number: &str) -> String {
    if number.contains('@') {
        number.to_lowercase()
    } else {
        number.chars().rev().filter(char::is_ascii_digit).collect()
    }
}

/// A contact's mobile number also becomes a communication option, as the platform keeps the two alike.
fn mirror(store: &mut Store, of: &Entity, row: &Row, actor: Uuid) -> Result<(), Refusal> {
    let number = text_in(row, "MobilePhone").to_owned();
    let (Some(contact), Some(options)) = (guid_in(row, "Id"), entity("ContactCommunication")) else {
        return Ok(());
    };
    if of.name != "Contact" || number.is_empty() {
        return Ok(());
    }
    let wanted = search_number(&number);
    let known = store
        .all(options.name)
        .any(|row| guid_in(row, "ContactId") == Some(contact) && text_in(row, "SearchNumber") == wanted);
    if !known {
        let body = json!({"ContactId": contact, "CommunicationTypeId": ids::MOBILE, "Number": number});
        create(store, options, body.as_object().unwrap_or(&Row::new()), actor)?;
    }
    Ok(())
}

fn new_id(store: &mut Store, of: &Entity) -> Uuid {
    // Moments never repeat, so neither do these.
    shared::ids::derive("creatio sandbox", &[of.name, &store.now().to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(store: &mut Store, of: &str, body: Value) -> Result<Row, Refusal> {
        create(store, entity(of).unwrap(), body.as_object().unwrap(), ids::INTEGRATION)
    }

    #[test]
    fn a_case_gets_what_the_site_gives_it() {
        let mut store = Store::open(None).unwrap();
        let first =
            made(&mut store, "Case", json!({"Subject": "x", "OwnerId": null, "Status": {"Id": 7}})).unwrap();
        assert_eq!(text_in(&first, "Number"), "SR00000001");
        assert_eq!(guid_in(&first, "StatusId"), Some(ids::NEW));
        assert_eq!(guid_in(&first, "CreatedById"), Some(ids::INTEGRATION));
        assert!(!first.contains_key("OwnerId") && !is_closed(&store, &first));
        let second = made(&mut store, "Case", json!({"StatusId": ids::CLOSED})).unwrap();
        assert_eq!(text_in(&second, "Number"), "SR00000002");
        assert!(is_closed(&store, &second));
    }

    #[test]
    fn what_a_site_refuses() {
        let mut store = Store::open(None).unwrap();
        let id = Uuid::from_u128(9);
        made(&mut store, "Case", json!({"Id": id})).unwrap();
        for (body, status, part) in [
            (json!({"Id": id}), 500, "23505"),
            (json!({"OwnerId": Uuid::from_u128(5)}), 500, "23503"),
            (json!({"OwnerId": "abc"}), 400, "OwnerId"),
            (json!({"UsrNope": 1}), 400, "does not exist on type"),
            (json!({"Subject": "x".repeat(501)}), 500, "22001"),
            (json!({"Subject": 7}), 400, "Subject"),
            (json!({"RegisteredOn": "soon"}), 400, "RegisteredOn"),
        ] {
            let refusal = made(&mut store, "Case", body.clone()).unwrap_err();
            assert_eq!(refusal.status, status, "{body}");
            assert!(refusal.says.contains(part), "{}", refusal.says);
        }
        assert_eq!(store.all("Case").count(), 1);
    }

    #[test]
    fn numbers_are_kept_backwards_and_a_mobile_number_is_mirrored_once() {
        let mut store = Store::open(None).unwrap();
        let contact =
            made(&mut store, "Contact", json!({"Name": "Jo", "MobilePhone": "+1 (202) 555-0111"})).unwrap();
        let id = guid_in(&contact, "Id").unwrap();
        let body = json!({"Name": "Joe"});
        change(&mut store, entity("Contact").unwrap(), id, body.as_object().unwrap(), ids::REP).unwrap();
        let options: Vec<&Row> = store.all("ContactCommunication").collect();
        assert_eq!(options.len(), 1);
        assert_eq!(text_in(options[0], "SearchNumber"), "11105552021");
        assert_eq!(guid_in(options[0], "ContactId"), Some(id));
        assert_eq!(search_number("A@B.example"), "a@b.example");
    }

    #[test]
    fn an_empty_value_empties_and_a_deleted_record_leaves_no_trace() {
        let mut store = Store::open(None).unwrap();
        let case = made(&mut store, "Case", json!({"OwnerId": ids::REP})).unwrap();
        let id = guid_in(&case, "Id").unwrap();
        let made_task = made(&mut store, "Activity", json!({"CaseId": id})).unwrap();
        let body = json!({"OwnerId": super::super::schema::ZERO});
        let (before, after) =
            change(&mut store, entity("Case").unwrap(), id, body.as_object().unwrap(), ids::REP).unwrap();
        assert!(before.contains_key("OwnerId") && !after.contains_key("OwnerId"));
        assert_eq!(guid_in(&after, "ModifiedById"), Some(ids::REP));
        delete(&mut store, entity("Case").unwrap(), id).unwrap();
        let task = store.get("Activity", guid_in(&made_task, "Id").unwrap()).unwrap();
        assert!(!task.contains_key("CaseId"));
        assert_eq!(delete(&mut store, entity("Case").unwrap(), id), Err(Refusal::missing()));
    }
}
