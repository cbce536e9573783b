//! Finding the customer among a site's contacts by phone number, and creating the contact when nobody is found.

use shared::crm::ContactDraft;
use shared_flow::ports::CrmError;
use uuid::Uuid;

use super::create::{New, ensure, find};
use super::fault::{Fault, Verb};
use super::map;
use super::odata::{quoted, with_query};
use super::phone::{self, Candidate, Match};
use super::site::Site;
use super::wire::{AnyRow, CommunicationRow, ContactRow, rows};

/// More people than this never share the end of a number.
const MOST: &str = "50";

/// The customer's contact.
pub(super) async fn contact(site: &Site<'_>, draft: &ContactDraft) -> Result<Uuid, CrmError> {
    let digits = draft.phone.as_deref().map(phone::digits).filter(|digits| !digits.is_empty());
    let known = match &digits {
        Some(digits) => by_phone(site, digits).await?,
        None => None,
    };
    let id = match known {
        Some(id) if id != draft.id => return Ok(id),
        Some(id) => id,
        None => by_our_id(site, draft, digits.as_deref()).await?,
    };
    // Ours: a crash may have come between the contact and its number.
    if let Some(digits) = &digits {
        ensure_number(site, id, digits).await?;
    }
    Ok(id)
}

/// Looks into the communication options first, where numbers are kept in a form that can be searched, and at the
/// contacts' own columns, which the platform mirrors there sooner or later.
async fn by_phone(site: &Site<'_>, digits: &str) -> Result<Option<Uuid>, CrmError> {
    let mut candidates = among_numbers(site, digits).await?;
    if !candidates.iter().any(|candidate| candidate.by == Match::Full) {
        candidates.extend(among_contacts(site, digits).await?);
    }
    Ok(phone::choose(&candidates))
}

async fn among_numbers(site: &Site<'_>, digits: &str) -> Result<Vec<Candidate>, CrmError> {
    let filter = format!("startswith(SearchNumber,{})", quoted(&phone::reversed_tail(digits)));
    let options = [("filter", filter.as_str()), ("expand", "Contact($select=Id,CreatedOn)"), ("top", MOST)];
    let found: Vec<CommunicationRow> = list(site, "ContactCommunication", &options).await?;
    let candidates = found.into_iter().filter(|row| !row.non_actual).filter_map(|row| {
        let by = phone::compare(row.number.as_deref()?, digits)?;
        let contact = row.contact.unwrap_or_default();
        Some(Candidate { contact: contact.id.or(row.contact_id)?, created: contact.created_on, by })
    });
    Ok(candidates.collect())
}

async fn among_contacts(site: &Site<'_>, digits: &str) -> Result<Vec<Candidate>, CrmError> {
    let tail = quoted(phone::tail(digits));
    let filter = format!("endswith(MobilePhone,{tail}) or endswith(Phone,{tail})");
    let options = [("filter", filter.as_str()), ("select", "Id,CreatedOn,MobilePhone,Phone"), ("top", MOST)];
    let found: Vec<ContactRow> = list(site, "Contact", &options).await?;
    let candidates = found.into_iter().filter_map(|row| {
        let stored = [row.mobile_phone, row.phone].into_iter().flatten();
        let matches: Vec<Match> = stored.filter_map(|number| phone::compare(&number, digits)).collect();
        let best = matches.iter().find(|by| **by == Match::Full).or_else(|| matches.first())?;
        Some(Candidate { contact: row.id?, created: row.created_on, by: *best })
    });
    Ok(candidates.collect())
}

async fn list<T: serde::de::DeserializeOwned>(
    site: &Site<'_>,
    entity: &str,
    options: &[(&str, &str)],
) -> Result<Vec<T>, CrmError> {
    let answer = site.get(&with_query(entity, options)).await;
    let answer = answer.map_err(|fault| fault.into_crm(Verb::Read, entity))?;
    Ok(answer.map(rows).unwrap_or_default())
}

/// The contact that we create, unless we did so before and its number was changed since.
async fn by_our_id(site: &Site<'_>, draft: &ContactDraft, digits: Option<&str>) -> Result<Uuid, CrmError> {
    let known = find(site, "Contact", draft.id, "Id").await;
    if known.map_err(|fault| fault.into_crm(Verb::Read, "Contact"))?.is_some() {
        return Ok(draft.id);
    }
    let row = map::contact(draft, digits);
    let new = New { entity: "Contact", id: draft.id, row, optional: &["MobilePhone"], select: "Id" };
    let made: Result<AnyRow, Fault> = ensure(site, new).await;
    made.map(|_| draft.id).map_err(|fault| fault.into_crm(Verb::Create, "Contact"))
}

/// Writes the number's own row, unless the platform did so from the contact's column.
async fn ensure_number(site: &Site<'_>, contact: Uuid, digits: &str) -> Result<(), CrmError> {
    let filter = format!("Contact/Id eq {contact}");
    let known: Vec<CommunicationRow> =
        list(site, "ContactCommunication", &[("filter", filter.as_str()), ("top", MOST)]).await?;
    let is_there = |row: &CommunicationRow| row.number.as_deref().is_some_and(|n| phone::digits(n) == digits);
    if known.iter().any(is_there) {
        return Ok(());
    }
    let row = map::communication(contact, digits);
    let id = map::communication_id(contact);
    let new =
        New { entity: "ContactCommunication", id, row, optional: &["CommunicationTypeId"], select: "Id" };
    match ensure::<AnyRow>(site, new)
        .await
        .map_err(|fault| fault.into_crm(Verb::Create, "ContactCommunication"))
    {
        // The contact itself carries the number: a site that wants no such row loses nothing that matters.
        Err(CrmError::Refused(why)) => {
            tracing::warn!(why, "Creatio refused the contact's communication option");
            Ok(())
        }
        other => other.map(drop),
    }
}
