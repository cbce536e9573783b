//! The CRM as the line sees it: keeps contacts, cases and activities by id, and has reps who write in them.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::OrgId;
use shared::crm::{ActivityDraft, ActivityKind, CaseDraft, ContactDraft};
use shared::ids::derive;
use shared_flow::ports::{ActivityMade, CaseActivity, CaseMade, CaseNews, Crm, CrmError};
use uuid::Uuid;

use super::agenda::Due;
use super::fault::Fault;
use super::history::Event;
use super::ports::SimPorts;
use super::sabotage::Sabotage;
use super::scenario::Target;
use super::world::World;

/// How long the line waits for an answer.
const LIMIT_MS: i64 = 12_000;
/// The contact under which the line writes.
const US: &str = "contact-of-the-integration";

/// The CRM's own books. The same record ids occur in every organisation.
#[derive(Default)]
pub(super) struct Creatio {
    pub(super) cases: BTreeMap<(OrgId, Uuid), Case>,
    contacts: BTreeMap<(OrgId, String), String>,
    written: BTreeMap<OrgId, u32>,
    broken: BTreeMap<OrgId, Timestamp>,
}

/// A case.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    pub(super) description: String,
    pub(super) closed: bool,
    pub(super) closed_by_us: bool,
    pub(super) deleted: bool,
    /// In the order in which they were written.
    pub(super) activities: Vec<Activity>,
}

/// A record of a case.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) ours: bool,
    pub(super) text: String,
    pub(super) for_customer: bool,
    pub(super) created: Timestamp,
    visible_at: Timestamp,
}

impl Activity {
    /// Whether there is nothing to read in it.
    pub(super) fn is_blank(&self) -> bool {
        shared::channel::render::is_blank(&self.text)
    }
}

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

impl World {
    /// What a rep does in the newest case about a customer, if there is one.
    pub(super) fn rep_acts(&mut self, customer: usize, what: &'static str) {
        let Some((org, id)) = self.newest_case(customer) else { return };
        let tag = self.scenario.customers.get(customer).map(|c| c.tag.clone()).unwrap_or_default();
        let number = self.creatio.written.entry(org.clone()).or_default();
        *number += 1;
        let record = derive("rep", &[&number.to_string()]).to_string();
        let late = self.strike(&[Fault::RecordLate], "the CRM").is_some();
        let delay = if late { self.faults.between(1_000, 400_000) } else { 0 };
        let (created, visible_at) = (self.now, self.in_ms(delay));
        let Some(case) = self.creatio.cases.get_mut(&(org.clone(), id)) else { return };
        match what {
            "closed" => case.closed = true,
            "deleted" => case.deleted = true,
            _ => case.activities.push(Activity {
                id: record.clone(),
                ours: false,
                text: if what == "said nothing" {
                    "\u{200B}".to_owned()
                } else {
                    format!("rep [{tag}/rep] says {record}")
                },
                for_customer: what == "replied" || what == "said nothing",
                created,
                visible_at,
            }),
        }
        self.note(Event::Rep { org: org.clone(), case: id, record, what });
        if what != "deleted" {
            self.hook(&org, id);
        }
    }

    /// The newest case that tells of this customer.
    fn newest_case(&self, customer: usize) -> Option<(OrgId, Uuid)> {
        let org = &self.scenario.line_of(customer)?.org;
        let tag = format!("[{}/", self.scenario.customers.get(customer)?.tag);
        let tells = |case: &&Case| case.activities.iter().any(|a| a.text.contains(&tag));
        let cases = self.creatio.cases.iter().filter(|((o, _), case)| o == org && !case.deleted && tells(case));
        let newest = cases.max_by_key(|(key, case)| (case.activities.first().map(|a| a.created), key.1));
        newest.map(|(key, _)| key.clone())
    }

    /// The CRM's business process tells the line, unless it does not.
    fn hook(&mut self, org: &OrgId, case: Uuid) {
        if self.strike(&[Fault::CrmHookLost], "the CRM").is_none() {
            let due = Due::Hook { org: org.clone(), case };
            let wait = 500 + self.usual_wait() * 20;
            self.agenda.add(self.in_ms(wait), due.clone());
            if self.strike(&[Fault::CrmHookRepeated], "the CRM").is_some() {
                let again = self.faults.between(0, 60_000);
                self.agenda.add(self.in_ms(again), due);
            }
        }
    }

    fn file(&mut self, org: &OrgId, draft: &ActivityDraft) {
        let mut record = draft.id.to_string();
        if self.sabotages(Sabotage::FreshRecords, 4) {
            record = derive("sabotage", &[&record, &self.sabotaged.to_string()]).to_string();
        }
        let (created, now) = (self.now, self.now);
        let Some(case) = self.creatio.cases.get_mut(&(org.clone(), draft.case)) else { return };
        if case.activities.iter().any(|known| known.id == record) {
            return;
        }
        case.activities.push(Activity {
            id: record.clone(),
            ours: true,
            text: draft.text.clone(),
            for_customer: matches!(draft.kind, ActivityKind::FromAssistant | ActivityKind::FromRep),
            created,
            visible_at: now,
        });
        self.note(Event::Filed { org: org.clone(), case: draft.case, record, text: draft.text.clone() });
        // The business process does not know whose record it is.
        self.hook(org, draft.case);
    }

    fn open_case(&mut self, org: &OrgId, draft: &CaseDraft) {
        let key = (org.clone(), draft.id);
        if !self.creatio.cases.contains_key(&key) {
            let case = Case { description: draft.description.clone(), ..Case::default() };
            self.creatio.cases.insert(key, case);
            self.note(Event::CaseOpened { org: org.clone(), case: draft.id });
        }
    }

    /// The case, unless a rep deleted it.
    fn case(&mut self, org: &OrgId, case: Uuid) -> Result<&mut Case, CrmError> {
        let found = self.creatio.cases.get_mut(&(org.clone(), case)).filter(|case| !case.deleted);
        found.ok_or_else(|| CrmError::Gone("the case is not there".to_owned()))
    }

    fn read_news(&mut self, org: &OrgId, case: Uuid, since: Option<Timestamp>) -> Result<CaseNews, CrmError> {
        let (now, names_us) = (self.now, self.scenario.crm_names_us);
        let echo = self.sabotage == Some(Sabotage::Echo);
        let case = self.case(org, case)?;
        let shown = case.activities.iter().filter(|a| {
            a.visible_at <= now && since.is_none_or(|since| a.created >= since)
        });
        let activities = shown.map(|a| CaseActivity {
            id: if echo && a.ours { a.id.replace('-', "0") } else { a.id.clone() },
            author: author(a.ours, names_us && !echo),
            created: Some(a.created),
            reply: a.for_customer.then(|| a.text.clone()),
        });
        Ok(CaseNews { closed: case.closed, activities: activities.collect() })
    }

    fn crm_accepts_us(&self, org: &OrgId) -> bool {
        !self.faults.on() || self.creatio.broken.get(org).is_none_or(|until| *until <= self.now)
    }
}

fn author(ours: bool, names_us: bool) -> Option<String> {
    match (ours, names_us) {
        (true, true) => Some(US.to_owned()),
        (true, false) => None,
        (false, _) => Some("contact-of-a-rep".to_owned()),
    }
}

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
        self.crm(org, |world| {
            let case = world.case(org, case)?;
            case.closed_by_us |= !case.closed;
            case.closed = true;
            Ok(())
        })
        .await
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
