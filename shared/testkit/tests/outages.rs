//! What goes wrong outside must not cost anybody's words: two outages, told with the real verbs over memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use shared::channel::LineKey;
use shared::crm::{ActivityDraft, CaseDraft, ContactDraft};
use shared::policy::CrmMode;
use shared::session::{By, CustomerMessage};
use shared::{Command, CustomerAddress, Kind, OrgId, SessionId, SignedDuration};
use shared_flow::Shift;
use shared_flow::converse::{Converse, Outcome};
use shared_flow::ports::{
    ActivityMade, CaseActivity, CaseMade, CaseNews, Crm, CrmError, Envelope, Job, PortError, Target,
};
use shared_flow::sync_crm::SyncCrm;
use shared_testkit::memory::{MemoryQueues, MemorySettings, MemoryStore, VirtualClock, org_settings};
use uuid::Uuid;

/// A site that takes everything but a new description, or is away.
#[derive(Default)]
struct Stubborn {
    /// Whether a rep has answered there.
    answered: AtomicBool,
    /// Whether it does not even let itself be read.
    away: AtomicBool,
    /// How often a description was tried.
    described: AtomicU32,
}

#[async_trait]
impl Crm for Stubborn {
    async fn contact(&self, _: &OrgId, draft: &ContactDraft) -> Result<String, CrmError> {
        Ok(draft.id.to_string())
    }
    async fn create_case(&self, _: &OrgId, _: &CaseDraft) -> Result<CaseMade, CrmError> {
        Ok(CaseMade { number: None, our_author: Some("us".to_owned()) })
    }
    async fn add_activity(&self, _: &OrgId, _: &ActivityDraft) -> Result<ActivityMade, CrmError> {
        Ok(ActivityMade::default())
    }
    async fn describe(&self, _: &OrgId, _: Uuid, _: &str, _: &str) -> Result<(), CrmError> {
        self.described.fetch_add(1, Ordering::Relaxed);
        Err(later())
    }
    async fn resolve(&self, _: &OrgId, _: Uuid) -> Result<(), CrmError> {
        Ok(())
    }
    async fn read_case(&self, _: &OrgId, _: Uuid, _: Option<Timestamp>) -> Result<CaseNews, CrmError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(later());
        }
        if !self.answered.load(Ordering::Relaxed) {
            return Ok(CaseNews::default());
        }
        let reply = Some("I will look into it.".to_owned());
        let rep = CaseActivity { id: "r1".to_owned(), author: Some("rep".to_owned()), created: None, reply };
        Ok(CaseNews { closed: false, activities: vec![rep] })
    }
}

fn later() -> CrmError {
    CrmError::Later { why: "not now".to_owned(), after: None }
}

struct Stage {
    store: MemoryStore,
    queues: MemoryQueues,
    settings: MemorySettings,
    clock: VirtualClock,
}

impl Stage {
    fn new(org: &OrgId) -> Self {
        let clock = VirtualClock::new(Timestamp::from_second(1_794_819_600).unwrap());
        let mut settings = org_settings(org);
        settings.crm = Some(CrmMode::EveryConversation);
        let settings = MemorySettings::new().with_org(settings).with_line(org, line());
        Self { store: MemoryStore::new(), queues: MemoryQueues::new(clock.clone()), settings, clock }
    }

    fn converse(&self) -> Converse {
        Converse {
            clock: Arc::new(self.clock.clone()),
            sessions: Arc::new(self.store.clone()),
            contacts: Arc::new(self.store.clone()),
            settings: Arc::new(self.settings.clone()),
            queues: Arc::new(self.queues.clone()),
        }
    }

    async fn opened(&self, org: &OrgId) -> SessionId {
        match self.converse().handle(&wrote(org)).await.unwrap() {
            Outcome::Changed(id) => id,
            other => panic!("{other:?}"),
        }
    }
}

fn line() -> LineKey {
    LineKey::whatsapp("880200000000011")
}

fn wrote(org: &OrgId) -> Envelope {
    let at = Timestamp::from_second(1_794_819_600).unwrap();
    let customer = CustomerAddress::Whatsapp { user_id: None, phone: Some("12025550142".to_owned()) };
    let message = CustomerMessage {
        source: "wamid.1".to_owned(),
        kind: Kind::Text,
        text: "Hello?".to_owned(),
        at,
        customer: customer.clone(),
        name: None,
    };
    let target = Target::Customer { line: line(), customer };
    let key = Some("wa:880200000000011:wamid.1".to_owned());
    Envelope { org: org.clone(), target, key, command: Command::CustomerWrote(message), at }
}

#[tokio::test]
async fn a_description_that_the_site_refuses_does_not_keep_the_reps_words_from_the_customer() {
    let org = OrgId::new("acme").unwrap();
    let stage = Stage::new(&org);
    let session = stage.opened(&org).await;
    let site = Arc::new(Stubborn::default());
    let sync = SyncCrm {
        clock: Arc::new(stage.clock.clone()),
        sessions: Arc::new(stage.store.clone()),
        cursors: Arc::new(stage.store.clone()),
        settings: Arc::new(stage.settings.clone()),
        crm: site.clone(),
        queues: Arc::new(stage.queues.clone()),
    };
    let shift = |who: &str| {
        Shift::new(who, Timestamp::from_second(1_794_819_600).unwrap(), SignedDuration::from_hours(1))
    };
    sync.sync(&org, session, &shift("first")).await.unwrap();
    let handoff = Command::HandoffRequested(By { via: "a test".to_owned() });
    let now = Timestamp::from_second(1_794_819_600).unwrap();
    let target = Target::Session(session);
    let envelope = Envelope { org: org.clone(), target, key: None, command: handoff, at: now };
    stage.converse().handle(&envelope).await.unwrap();
    assert_eq!(replies(&stage), 0);
    site.answered.store(true, Ordering::Relaxed);
    let case = shared::crm::case_id(&org, session);
    stage.clock.advance(SignedDuration::from_mins(2));
    sync.look_at_case(&org, case, &shift("second")).await.unwrap();
    assert_eq!(replies(&stage), 1, "the rep's words are on their way");
}

/// How often a description is tried in thirty wakes of the clock, a quarter of an hour apart.
async fn tried(away: bool) -> u32 {
    let org = OrgId::new("acme").unwrap();
    let stage = Stage::new(&org);
    let session = stage.opened(&org).await;
    let site = Arc::new(Stubborn::default());
    let sync = SyncCrm {
        clock: Arc::new(stage.clock.clone()),
        sessions: Arc::new(stage.store.clone()),
        cursors: Arc::new(stage.store.clone()),
        settings: Arc::new(stage.settings.clone()),
        crm: site.clone(),
        queues: Arc::new(stage.queues.clone()),
    };
    let start = Timestamp::from_second(1_794_819_600).unwrap();
    let shift = Shift::new("w", start, SignedDuration::from_hours(24));
    sync.sync(&org, session, &shift).await.unwrap();
    let handoff = Command::HandoffRequested(By { via: "a test".to_owned() });
    let target = Target::Session(session);
    let envelope = Envelope { org: org.clone(), target, key: None, command: handoff, at: start };
    stage.converse().handle(&envelope).await.unwrap();
    site.away.store(away, Ordering::Relaxed);
    for _ in 0..30 {
        stage.clock.advance(SignedDuration::from_mins(15));
        sync.sync(&org, session, &shift).await.unwrap();
    }
    site.described.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_site_that_is_away_costs_no_summary_and_one_that_refuses_it_is_believed() {
    assert_eq!(tried(true).await, 30, "it is tried as long as the site is away");
    assert_eq!(tried(false).await, 9, "a site that answers and refuses is believed");
}

fn replies(stage: &Stage) -> usize {
    let is_reply = |job: &Job| matches!(job, Job::Command { envelope, .. } if matches!(envelope.command, Command::RepReplied(_)));
    stage.queues.all().iter().filter(|ticket| is_reply(&ticket.job)).count()
}

#[tokio::test]
async fn a_message_for_an_organisation_that_is_not_configured_waits_for_it() {
    let (acme, gone) = (OrgId::new("acme").unwrap(), OrgId::new("gone").unwrap());
    let stage = Stage::new(&acme);
    let refused = stage.converse().handle(&wrote(&gone)).await;
    assert!(matches!(refused, Err(PortError::Unavailable { .. })), "{refused:?}");
    let woke = Envelope { command: Command::Woke, key: None, ..wrote(&gone) };
    assert!(matches!(stage.converse().handle(&woke).await, Ok(Outcome::Ignored(_))));
}
