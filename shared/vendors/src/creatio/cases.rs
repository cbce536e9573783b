//! Cases and their activities: making them, changing what is ours in them, and reading what people did.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::crm::{ActivityDraft, CaseDraft};
use shared_flow::ports::{ActivityMade, CaseActivity, CaseMade, CaseNews, CrmError};
use uuid::Uuid;

use super::create::{New, ensure, find};
use super::fault::{Fault, Verb};
use super::map;
use super::odata::{moment, record, with_query};
use super::site::{Row, Site};
use super::wire::{ActivityRow, AnyRow, CaseRow, rows};

/// Activities per page.
const PAGE: usize = 100;
/// The most pages of one reading; a case with more activities than that is read on from where it ended.
const PAGES: usize = 50;

/// Creates the case unless it exists.
pub(super) async fn create(
    site: &Site<'_>,
    draft: &CaseDraft,
    origin: Option<Uuid>,
) -> Result<CaseMade, CrmError> {
    let new = New {
        entity: "Case",
        id: draft.id,
        row: map::case(draft, &site.account, origin),
        optional: &["OwnerId", "GroupId", "OriginId", "ContactId"],
        select: "Id,Number,CreatedById",
    };
    let made: Result<CaseRow, Fault> = ensure(site, new).await;
    let mut made = made.map_err(|fault| fault.into_crm(Verb::Create, "Case"))?;
    if made.number.is_none() || made.created_by_id.is_none() {
        made = complete(site, draft.id).await.unwrap_or(made);
    }
    Ok(CaseMade { number: made.number, our_author: made.created_by_id.map(|id| id.to_string()) })
}

/// What the answer to a create did not show: the number is given by a handler that some sites run afterwards.
async fn complete(site: &Site<'_>, case: Uuid) -> Option<CaseRow> {
    let row = find(site, "Case", case, "Id,Number,CreatedById").await.ok()??;
    serde_json::from_value(row).ok()
}

/// Adds the activity unless it exists.
pub(super) async fn add_activity(site: &Site<'_>, draft: &ActivityDraft) -> Result<ActivityMade, CrmError> {
    let new = New {
        entity: "Activity",
        id: draft.id,
        row: map::activity(draft),
        optional: &["ContactId", "StatusId", "TypeId", "ShowInScheduler"],
        select: "Id,CreatedById,AuthorId",
    };
    match ensure::<ActivityRow>(site, new).await {
        Ok(row) => Ok(ActivityMade { our_author: map::author(&row) }),
        Err(Fault::ForeignKey(_)) if is_gone(site, draft.case).await? => Err(gone(draft.case)),
        Err(fault) => Err(fault.into_crm(Verb::Create, "Activity")),
    }
}

/// Puts `to` into the description if it is empty or says what we wrote before; anything else is a person's.
pub(super) async fn describe(site: &Site<'_>, case: Uuid, from: &str, to: &str) -> Result<(), CrmError> {
    let now = read_row(site, case, &[("select", "Id,Symptoms")]).await?.symptoms.unwrap_or_default();
    let is_ours = now.trim().is_empty() || same_words(&now, from);
    if is_ours && !same_words(&now, to) {
        change(site, case, json!({ "Symptoms": to })).await?;
    }
    Ok(())
}

/// Sets the configured status, if there is one and the case is not closed.
pub(super) async fn resolve(site: &Site<'_>, case: Uuid) -> Result<(), CrmError> {
    let Some(resolved) = site.account.resolved_status_id else { return Ok(()) };
    if is_closed(&read_row(site, case, &[("expand", "Status")]).await?) {
        return Ok(());
    }
    change(site, case, json!({ "StatusId": resolved })).await
}

/// Reads whether the case is closed, and what was added to it.
pub(super) async fn read(
    site: &Site<'_>,
    case: Uuid,
    since: Option<Timestamp>,
) -> Result<CaseNews, CrmError> {
    let closed = is_closed(&read_row(site, case, &[("expand", "Status")]).await?);
    Ok(CaseNews { closed, activities: activities(site, case, since).await? })
}

/// The case's activities from `since` on, oldest first. All columns are read: which ones exist differs.
async fn activities(
    site: &Site<'_>,
    case: Uuid,
    since: Option<Timestamp>,
) -> Result<Vec<CaseActivity>, CrmError> {
    let mut filter = format!("Case/Id eq {case}");
    if let Some(since) = since {
        filter.push_str(&format!(" and CreatedOn ge {}", moment(since)));
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for page in 0..PAGES {
        let skip = (page * PAGE).to_string();
        let options =
            [("filter", filter.as_str()), ("orderby", "CreatedOn"), ("top", "100"), ("skip", skip.as_str())];
        let answer = site.get(&with_query("Activity", &options)).await;
        let answer = answer.map_err(|fault| fault.into_crm(Verb::Read, "Activity"))?;
        let rows: Vec<ActivityRow> = answer.map(rows).unwrap_or_default();
        let before = found.len();
        found.extend(rows.iter().filter_map(map::case_activity).filter(|one| seen.insert(one.id.clone())));
        // A short page is the last; a page without anything new comes from a site that does not know `$skip`.
        if rows.len() < PAGE || found.len() == before {
            break;
        }
    }
    Ok(found)
}

/// Whether the case is closed for good or resolved. Never by the status's name, which is translated.
fn is_closed(case: &CaseRow) -> bool {
    case.status.as_ref().is_some_and(|status| status.is_final || status.is_resolved)
}

/// Reads a case. A 404 alone does not prove that it is gone, as gateways answer so too: the collection is asked again.
async fn read_row(site: &Site<'_>, id: Uuid, options: &[(&str, &str)]) -> Result<CaseRow, CrmError> {
    let broken = |fault: Fault| fault.into_crm(Verb::Read, "Case");
    match site.get(&with_query(&record("Case", id), options)).await {
        Ok(Some(row)) => {
            serde_json::from_value(row).map_err(|_| broken(Fault::Odd("a case of another shape")))
        }
        Ok(None) | Err(Fault::Missing) if is_gone(site, id).await? => Err(gone(id)),
        Ok(None) | Err(Fault::Missing) => Err(broken(Fault::Odd("404 for a case that it lists"))),
        Err(fault) => Err(broken(fault)),
    }
}

async fn is_gone(site: &Site<'_>, case: Uuid) -> Result<bool, CrmError> {
    let filter = format!("Id eq {case}");
    let answer = site.get(&with_query("Case", &[("filter", &filter), ("select", "Id"), ("top", "1")])).await;
    let answer = answer.map_err(|fault| fault.into_crm(Verb::Read, "Case"))?;
    Ok(answer.is_some_and(|answer| rows::<AnyRow>(answer).is_empty()))
}

fn gone(case: Uuid) -> CrmError {
    CrmError::Gone(format!(
        "the case {case} was deleted in Creatio, or is hidden from the OAuth application's user"
    ))
}

async fn change(site: &Site<'_>, id: Uuid, columns: Value) -> Result<(), CrmError> {
    let row: Row = columns.as_object().cloned().unwrap_or_default();
    match site.patch("Case", id, &row).await {
        Err(Fault::Missing) if is_gone(site, id).await? => Err(gone(id)),
        other => other.map_err(|fault| fault.into_crm(Verb::Change, "Case")),
    }
}

/// Line ends differ after a round trip; words do not.
fn same_words(a: &str, b: &str) -> bool {
    a.lines().map(str::trim_end).eq(b.trim_end().lines().map(str::trim_end))
}
