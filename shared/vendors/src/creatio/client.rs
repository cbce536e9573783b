//! Creatio as crm-sync uses it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::OrgId;
use shared::crm::{ActivityDraft, CaseDraft, ContactDraft};
use shared_flow::ports::{ActivityMade, CaseMade, CaseNews, Crm, CrmError};
use uuid::Uuid;

use super::account::Accounts;
use super::fault::Fault;
use super::odata::with_query;
use super::site::{Site, Sites};
use super::wire::{LookupRow, rows};
use super::{cases, people};
use crate::http::Http;

/// How long one operation may take with all its calls. A healthy site needs one to five calls of well under a second;
/// a worker must not outlive its lease because a site is slow.
pub const OPERATION_LIMIT: Duration = Duration::from_secs(30);
/// Names by which a site's origin of chat cases is recognised, best first.
const CHAT_ORIGINS: [&str; 3] = ["whatsapp", "messenger", "chat"];

/// Creatio, for every organisation that has a connection.
pub struct Creatio {
    sites: Sites,
    limit: Duration,
    /// Each site's origin for chat cases, once looked up.
    origins: Mutex<HashMap<String, Option<Uuid>>>,
}

impl Creatio {
    /// A client that asks `accounts` anew for each operation, so that a corrected setting counts at once.
    #[must_use]
    pub fn new(http: Http, accounts: Arc<dyn Accounts>) -> Self {
        Self { sites: Sites::new(http, accounts), limit: OPERATION_LIMIT, origins: Mutex::default() }
    }

    /// Gives the work its time and no more. What was under way then has an unknown outcome, as after any time-out:
    /// repeating it is harmless, since we choose the ids.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, CrmError>> + Send,
    ) -> Result<T, CrmError> {
        let late = |_| {
            let why = format!("the site needed more than {} s for one step", self.limit.as_secs());
            Err(CrmError::Later { why, after: None })
        };
        tokio::time::timeout(self.limit, work).await.unwrap_or_else(late)
    }

    /// The site's origin for chat cases, if it has one. A failure is no reason to have no case.
    async fn origin(&self, site: &Site<'_>) -> Option<Uuid> {
        if let Some(known) = self.origins.lock().unwrap_or_else(PoisonError::into_inner).get(&site.address) {
            return *known;
        }
        let origin = match site.get(&with_query("CaseOrigin", &[("select", "Id,Name"), ("top", "200")])).await
        {
            Ok(answer) => chat_origin(&answer.map(rows).unwrap_or_default()),
            Err(Fault::Missing | Fault::NoSuchSet | Fault::Forbidden(_)) => None,
            // Asked again with the next case.
            Err(_) => return None,
        };
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).insert(site.address.clone(), origin);
        origin
    }
}

fn chat_origin(origins: &[LookupRow]) -> Option<Uuid> {
    let named = |part: &&str| {
        let has =
            |row: &&LookupRow| row.name.as_ref().is_some_and(|name| name.to_lowercase().contains(*part));
        origins.iter().find(has).and_then(|row| row.id)
    };
    CHAT_ORIGINS.iter().find_map(named)
}

#[async_trait]
impl Crm for Creatio {
    async fn contact(&self, org: &OrgId, draft: &ContactDraft) -> Result<String, CrmError> {
        self.in_time(async {
            let site = self.sites.of(org).await?;
            Ok(people::contact(&site, draft).await?.to_string())
        })
        .await
    }

    async fn create_case(&self, org: &OrgId, draft: &CaseDraft) -> Result<CaseMade, CrmError> {
        self.in_time(async {
            let site = self.sites.of(org).await?;
            cases::create(&site, draft, self.origin(&site).await).await
        })
        .await
    }

    async fn add_activity(&self, org: &OrgId, draft: &ActivityDraft) -> Result<ActivityMade, CrmError> {
        self.in_time(async { cases::add_activity(&self.sites.of(org).await?, draft).await }).await
    }

    async fn describe(&self, org: &OrgId, case: Uuid, from: &str, to: &str) -> Result<(), CrmError> {
        self.in_time(async { cases::describe(&self.sites.of(org).await?, case, from, to).await }).await
    }

    async fn resolve(&self, org: &OrgId, case: Uuid) -> Result<(), CrmError> {
        self.in_time(async { cases::resolve(&self.sites.of(org).await?, case).await }).await
    }

    async fn read_case(
        &self,
        org: &OrgId,
        case: Uuid,
        since: Option<Timestamp>,
    ) -> Result<CaseNews, CrmError> {
        self.in_time(async { cases::read(&self.sites.of(org).await?, case, since).await }).await
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
