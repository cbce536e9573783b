//! The CRM's side: keeps contacts, cases and activities by id, and has reps who write in them.

mod port;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;
use shared::OrgId;
use shared::crm::{ActivityDraft, ActivityKind, CaseDraft};
use shared::ids::derive;
use shared_flow::ports::{CaseActivity, CaseNews, CrmError};
use uuid::Uuid;

use super::agenda::Due;
use super::fault::Fault;
use super::history::Event;
use super::sabotage::Sabotage;
use super::world::World;

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
    /// How often in a row setting the status failed.
    status_failures: u32,
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

impl Case {
    /// Whether the line was turned away so often that it may leave the status as it is.
    pub(super) fn refuses_its_status(&self) -> bool {
        self.status_failures >= 8
    }
}

impl Activity {
    /// Whether there is nothing to read in it.
    pub(super) fn is_blank(&self) -> bool {
        shared::channel::render::is_blank(&self.text)
    }
}

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
        let cases =
            self.creatio.cases.iter().filter(|((o, _), case)| o == org && !case.deleted && tells(case));
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
        if let Entry::Vacant(free) = self.creatio.cases.entry((org.clone(), draft.id)) {
            free.insert(Case { description: draft.description.clone(), ..Case::default() });
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
        let shown = case
            .activities
            .iter()
            .filter(|a| a.visible_at <= now && since.is_none_or(|since| a.created >= since));
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
