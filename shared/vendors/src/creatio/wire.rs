//! The rows we read, as they stand on the wire, where nothing is ever null: an empty lookup is a zero GUID, an empty
//! text `""`, an empty date lies in year 1. Here all of these become `None`.
//!
//! Columns differ from site to site, so a missing or odd one is an empty one, never an unreadable row.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

/// A row of which only the id matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AnyRow {
    #[serde(deserialize_with = "guid")]
    pub id: Option<Uuid>,
}

/// `Case`.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CaseRow {
    #[serde(deserialize_with = "text")]
    pub number: Option<String>,
    #[serde(deserialize_with = "text")]
    pub symptoms: Option<String>,
    #[serde(deserialize_with = "guid")]
    pub created_by_id: Option<Uuid>,
    pub status: Option<StatusRow>,
}

/// `CaseStatus`. Names are translated and edited; the two flags are what counts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StatusRow {
    #[serde(deserialize_with = "flag")]
    pub is_final: bool,
    #[serde(deserialize_with = "flag")]
    pub is_resolved: bool,
}

/// `Activity`: tasks and e-mails alike.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ActivityRow {
    #[serde(deserialize_with = "guid")]
    pub id: Option<Uuid>,
    #[serde(deserialize_with = "date")]
    pub created_on: Option<Timestamp>,
    #[serde(deserialize_with = "guid")]
    pub created_by_id: Option<Uuid>,
    #[serde(deserialize_with = "guid")]
    pub author_id: Option<Uuid>,
    #[serde(deserialize_with = "guid")]
    pub type_id: Option<Uuid>,
    #[serde(deserialize_with = "guid")]
    pub message_type_id: Option<Uuid>,
    #[serde(deserialize_with = "text")]
    pub title: Option<String>,
    #[serde(deserialize_with = "text")]
    pub body: Option<String>,
    #[serde(deserialize_with = "text")]
    pub detailed_result: Option<String>,
    #[serde(deserialize_with = "text")]
    pub notes: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub is_html_body: bool,
    #[serde(deserialize_with = "flag")]
    pub is_auto_submitted: bool,
    #[serde(deserialize_with = "flag")]
    pub is_not_published: bool,
}

/// `Contact`.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContactRow {
    #[serde(deserialize_with = "guid")]
    pub id: Option<Uuid>,
    #[serde(deserialize_with = "date")]
    pub created_on: Option<Timestamp>,
    #[serde(deserialize_with = "text")]
    pub mobile_phone: Option<String>,
    #[serde(deserialize_with = "text")]
    pub phone: Option<String>,
}

/// `ContactCommunication`: one way to reach a contact.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CommunicationRow {
    #[serde(deserialize_with = "guid")]
    pub contact_id: Option<Uuid>,
    #[serde(deserialize_with = "text")]
    pub number: Option<String>,
    /// Somebody marked the number as out of date.
    #[serde(deserialize_with = "flag")]
    pub non_actual: bool,
    pub contact: Option<ContactRow>,
}

/// A row of a lookup.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct LookupRow {
    #[serde(deserialize_with = "guid")]
    pub id: Option<Uuid>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
}

/// The rows of a collection's answer; a row that is no object is skipped.
pub(super) fn rows<T: DeserializeOwned>(answer: Value) -> Vec<T> {
    let Value::Object(mut object) = answer else { return Vec::new() };
    let Some(Value::Array(values)) = object.remove("value") else { return Vec::new() };
    values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect()
}

fn guid<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Uuid>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(value.as_str().and_then(|text| Uuid::parse_str(text.trim()).ok()).filter(|id| !id.is_nil()))
}

fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) if !text.trim().is_empty() => Ok(Some(text)),
        _ => Ok(None),
    }
}

fn date<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let value = Value::deserialize(from)?;
    let at = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    // Year 1, in whatever zone it was shifted to, is Creatio's empty date.
    Ok(at.filter(|at| at.as_second() > YEAR_1000))
}

/// Long before any CRM.
const YEAR_1000: i64 = -30_610_224_000;

fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(from)?.as_bool().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn creatios_empty_values_are_none() {
        let row: ActivityRow = serde_json::from_str(include_str!("fixtures/activity_empty.json")).unwrap();
        assert!(row.id.is_some() && row.created_on.is_some());
        assert_eq!((row.author_id, row.type_id, row.message_type_id), (None, None, None));
        assert_eq!((row.title, row.body, row.detailed_result, row.notes), (None, None, None, None));
        let empty: ContactRow = serde_json::from_value(json!({"CreatedOn": "0001-01-01T00:00:00Z"})).unwrap();
        assert_eq!(empty.created_on, None);
    }

    #[test]
    fn an_odd_column_costs_only_itself() {
        let row: ActivityRow = serde_json::from_value(json!({
            "Id": "not a guid", "Title": 7, "IsHtmlBody": null, "CreatedOn": "soon", "Notes": "kept", "UsrNew": []
        }))
        .unwrap();
        assert_eq!((row.id, row.title, row.is_html_body, row.created_on), (None, None, false, None));
        assert_eq!(row.notes.as_deref(), Some("kept"));
    }

    #[test]
    fn all_fractions_of_a_second_are_read() {
        for text in ["2019-07-15T23:02:55Z", "2019-07-15T23:02:55.9Z", "2019-07-15T23:02:55.9791412Z"] {
            let row: ContactRow = serde_json::from_value(json!({ "CreatedOn": text })).unwrap();
            assert!(row.created_on.is_some(), "{text}");
        }
    }

    #[test]
    fn what_is_no_collection_has_no_rows() {
        assert!(rows::<AnyRow>(json!({"Id": "x"})).is_empty());
        assert_eq!(rows::<AnyRow>(json!({"value": [{"Id": Uuid::max()}, 7]})).len(), 1);
    }
}
