//! Creating a record so that it exists once, whatever happens on the way.
//!
//! We choose the `Id`, so a repetition cannot make a second record; and as a site may write the row and still answer
//! with an error (an event handler that throws after the insert), every failure is followed by a look whether the
//! record is there.

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::fault::{Fault, Verb};
use super::odata::{record, with_query};
use super::site::{Row, Site};
use super::wire::AnyRow;
use shared_flow::ports::CrmError;

/// A record to create.
pub(super) struct New {
    /// Its object.
    pub entity: &'static str,
    /// Its id.
    pub id: Uuid,
    /// Its columns, `Id` included.
    pub row: Row,
    /// Columns without which it is still worth having.
    pub optional: &'static [&'static str],
    /// Columns to read when it turns out to exist.
    pub select: &'static str,
}

/// How many times optional columns are given up before the site's refusal is final: first the one it names, then all.
const CONCESSIONS: usize = 2;

/// Creates the record unless it exists, and returns its row.
pub(super) async fn ensure<T: DeserializeOwned>(site: &Site<'_>, mut new: New) -> Result<T, Fault> {
    let mut concessions = 0;
    loop {
        let fault = match site.post(new.entity, &new.row).await {
            Ok(Some(shown)) => return accept(&new, shown),
            Ok(None) => Fault::Odd("nothing"),
            Err(fault) => fault,
        };
        if fault.wrote_nothing() {
            return Err(fault);
        }
        if let Some(found) = find(site, new.entity, new.id, new.select).await? {
            return decode(found);
        }
        if concessions == CONCESSIONS || !concede(&fault, &mut new) {
            return Err(fault);
        }
        concessions += 1;
    }
}

/// The record, or `None` when it does not exist.
pub(super) async fn find(
    site: &Site<'_>,
    entity: &str,
    id: Uuid,
    select: &str,
) -> Result<Option<Value>, Fault> {
    match site.get(&with_query(&record(entity, id), &[("select", select)])).await {
        Ok(found) => Ok(found),
        Err(Fault::Missing) => Ok(None),
        Err(other) => Err(Fault::Known(other.into_crm(Verb::Read, entity))),
    }
}

/// A site that gives records ids of its own would get a new one with every repetition: better none at all.
fn accept<T: DeserializeOwned>(new: &New, shown: Value) -> Result<T, Fault> {
    let id = serde_json::from_value::<AnyRow>(shown.clone()).ok().and_then(|row| row.id);
    if id.is_some_and(|id| id != new.id) {
        return Err(Fault::Known(CrmError::Broken(format!(
            "the site gives new {} records ids of its own, so that repeating would double them: remove the process or \
             handler that changes Id",
            new.entity
        ))));
    }
    decode(shown)
}

fn decode<T: DeserializeOwned>(row: Value) -> Result<T, Fault> {
    serde_json::from_value(row).map_err(|_| Fault::Odd("a record of another shape"))
}

/// Gives up what the site stumbles over, if it can be done without. Returns whether there was something.
fn concede(fault: &Fault, new: &mut New) -> bool {
    let (said, only_lookups) = match fault {
        Fault::ForeignKey(said) => (said.to_ascii_lowercase(), true),
        Fault::UnknownColumn(said) => (said.to_ascii_lowercase(), false),
        _ => return false,
    };
    let may_be_meant = |column: &&String| {
        *column != "Id"
            && (!only_lookups || column.ends_with("Id"))
            && said.contains(&column.to_ascii_lowercase())
    };
    // The longest name is meant: one column's name may be part of another's.
    let named = new.row.keys().filter(may_be_meant).max_by_key(|column| column.len()).cloned();
    let dropped: Vec<String> = match named {
        Some(column) => vec![column],
        // A database may name only its constraint.
        None if only_lookups => new.row.keys().filter(|column| column.ends_with("Id")).cloned().collect(),
        None => Vec::new(),
    };
    let dropped: Vec<String> =
        dropped.into_iter().filter(|column| new.optional.contains(&column.as_str())).collect();
    for column in &dropped {
        tracing::warn!(
            object = new.entity,
            column,
            "Creatio does not accept this column's value; the record is written without it: check the settings"
        );
        new.row.remove(column);
    }
    !dropped.is_empty()
}
