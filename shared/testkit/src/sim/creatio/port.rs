//! Calls to the CRM as the line makes them: every way in which they go wrong, and what the caller learns.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::OrgId;
use shared::crm::{ActivityDraft, CaseDraft, ContactDraft};
use shared_flow::ports::{ActivityMade, CaseMade, CaseNews, Crm, CrmError};
use uuid::Uuid;

use super::US;
use crate::sim::fault::Fault;
use crate::sim::history::Event;
use crate::sim::ports::SimPorts;
use crate::sim::scenario::Target;
use crate::sim::world::World;

/// How long the line waits for an answer.
const LIMIT_MS: i64 = 12_000;
/// What can go wrong with a call.
const CALL: &[Fault] = &[
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Frozen,
    Fault::NeverSent,
    Fault::Throttled,
    Fault::LostRequest,
    Fault::LostAnswer,
    Fault::ServerError,
    Fault::Malformed,
    Fault::Slow,
    Fault::AuthBroken,
];

impl SimPorts {
    /// A call to the CRM. Whatever it does may be done twice and counts once.
    async fn crm<T>(
        &self,
        org: &OrgId,
        effect: impl Fn(&mut World) -> Result<T, CrmError> + Send + Sync,
    ) -> Result<T, CrmError> {
        let result = self.crm_call(org, effect).await;
        let class = match &result {
            Ok(_) => "ok",
            Err(CrmError::Later { after: None, .. }) => "later",
            Err(CrmError::Later { after: Some(_), .. }) => "later-after",
            Err(CrmError::Broken(_)) => "broken",
            Err(CrmError::Refused(_)) => "refused",
            Err(CrmError::Gone(_)) => "gone",
        };
        self.world.lock().counters.count("crm", class);
        result
    }

    async fn crm_call<T>(
        &self,
        org: &OrgId,
        effect: impl Fn(&mut World) -> Result<T, CrmError> + Send + Sync,
    ) -> Result<T, CrmError> {
        let (cut_off, fault) = {
            let mut world = self.world.lock();
            let cut_off = world.is_cut_off(Target::Crm);
            let fault = if cut_off { None } else { world.strike(CALL, "the CRM") };
            (cut_off, if world.crm_accepts_us(org) { fault } else { Some(Fault::AuthBroken) })
        };
        let usual = 100 + self.world.lock().usual_wait() * 10;
        if cut_off {
            self.wait(LIMIT_MS).await;
            return Err(later("no connection"));
        }
        let does = |wait: i64| async move { self.wait(wait).await };
        match fault {
            None => {
                does(usual).await;
                effect(&mut self.world.lock())
            }
            Some(Fault::Slow | Fault::Frozen) => {
                does(LIMIT_MS - 500).await;
                effect(&mut self.world.lock())
            }
            Some(Fault::CrashBefore) => {
                self.die().await;
                Err(later("dead"))
            }
            Some(Fault::CrashAfter | Fault::LostAnswer | Fault::Malformed) => {
                does(usual).await;
                let _ = effect(&mut self.world.lock());
                if fault == Some(Fault::CrashAfter) {
                    self.die().await;
                }
                does(if fault == Some(Fault::LostAnswer) { LIMIT_MS - usual } else { 0 }).await;
                Err(later("the answer was cut off"))
            }
            Some(fault) => self.refuse_crm(org, fault, usual).await,
        }
    }

    async fn refuse_crm<T>(&self, org: &OrgId, fault: Fault, usual: i64) -> Result<T, CrmError> {
        self.wait(if fault == Fault::LostRequest { LIMIT_MS } else { usual }).await;
        let mut world = self.world.lock();
        match fault {
            Fault::Throttled => {
                let after = SignedDuration::from_secs(world.faults.between(1, 60));
                Err(CrmError::Later { why: "too fast".to_owned(), after: Some(after) })
            }
            Fault::AuthBroken => {
                if world.crm_accepts_us(org) {
                    let ms = world.faults.between(1_000, 180_000);
                    let until = world.in_ms(ms);
                    world.creatio.broken.insert(org.clone(), until);
                }
                Err(CrmError::Broken("the credentials are not accepted".to_owned()))
            }
            _ => Err(later("status 500")),
        }
    }

    fn refuses(&self, draft: &ActivityDraft) -> bool {
        let mut world = self.world.lock();
        let refuses = world.strike(&[Fault::Refused], "the CRM").is_some();
        if refuses {
            let record = draft.id.to_string();
            world.note(Event::CrmRefused { record });
        }
        refuses
    }
}

fn later(why: &str) -> CrmError {
    CrmError::Later { why: why.to_owned(), after: None }
}

#[async_trait]
impl Crm for SimPorts {
    async fn contact(&self, org: &OrgId, draft: &ContactDraft) -> Result<String, CrmError> {
        let key = (org.clone(), draft.phone.clone().unwrap_or_else(|| draft.id.to_string()));
        self.crm(org, |world| {
            let known = world.creatio.contacts.entry(key.clone());
            Ok(known.or_insert_with(|| draft.id.to_string()).clone())
        })
        .await
    }

    async fn create_case(&self, org: &OrgId, draft: &CaseDraft) -> Result<CaseMade, CrmError> {
        self.crm(org, |world| {
            world.open_case(org, draft);
            let our_author = world.scenario.crm_names_us.then(|| US.to_owned());
            Ok(CaseMade { number: Some("SR00000001".to_owned()), our_author })
        })
        .await
    }

    async fn add_activity(&self, org: &OrgId, draft: &ActivityDraft) -> Result<ActivityMade, CrmError> {
        let refuses = self.refuses(draft);
        self.crm(org, |world| {
            world.case(org, draft.case)?;
            if refuses {
                return Err(CrmError::Refused("this text is not accepted".to_owned()));
            }
            world.file(org, draft);
            Ok(ActivityMade { our_author: world.scenario.crm_names_us.then(|| US.to_owned()) })
        })
        .await
    }

    async fn describe(&self, org: &OrgId, case: Uuid, from: &str, to: &str) -> Result<(), CrmError> {
        self.crm(org, |world| {
            let case = world.case(org, case)?;
            if case.description.is_empty() || case.description == from {
                case.description = to.to_owned();
            }
            Ok(())
        })
        .await
    }

    async fn resolve(&self, org: &OrgId, case: Uuid) -> Result<(), CrmError> {
        let result = self
            .crm(org, |world| {
                let case = world.case(org, case)?;
                case.closed_by_us |= !case.closed;
                case.closed = true;
                Ok(())
            })
            .await;
        let mut world = self.world.lock();
        if let Some(case) = world.creatio.cases.get_mut(&(org.clone(), case)) {
            case.status_failures += u32::from(result.is_err());
        }
        result
    }

    async fn read_case(
        &self,
        org: &OrgId,
        case: Uuid,
        since: Option<Timestamp>,
    ) -> Result<CaseNews, CrmError> {
        self.crm(org, |world| world.read_news(org, case, since)).await
    }
}
