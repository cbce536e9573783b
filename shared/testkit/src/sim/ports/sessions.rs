//! Sessions behind the wire: what was committed, and what it was decided from.

use async_trait::async_trait;
use shared::channel::LineKey;
use shared::{ContactId, Message, OrgId, Policy, Session, SessionId};
use shared_flow::ports::settings::policy;
use shared_flow::ports::{
    Commit, Committed, Job, LineSettings, OrgSettings, PortResult, Sessions, Target as Whose,
};

use super::SimPorts;
use crate::sim::history::{Committing, Event};
use crate::sim::sabotage::Sabotage;
use crate::sim::scenario::Target::Table;
use crate::sim::world::World;

#[async_trait]
impl Sessions for SimPorts {
    async fn latest_session(
        &self,
        org: &OrgId,
        contact: ContactId,
        line: &LineKey,
    ) -> PortResult<Option<SessionId>> {
        let found = self.through(Table, self.store.latest_session(org, contact, line)).await?;
        self.world.lock().forget_read();
        Ok(found)
    }

    async fn head(&self, org: &OrgId, session: SessionId) -> PortResult<Option<Session>> {
        let mut found = self.through(Table, self.store.head(org, session)).await?;
        let mut world = self.world.lock();
        world.forget_read();
        if world.sabotage == Some(Sabotage::OpenWindow) {
            let now = world.now;
            found.iter_mut().for_each(|head| head.last_inbound_at = Some(now));
        }
        Ok(found)
    }

    async fn messages(
        &self,
        org: &OrgId,
        session: SessionId,
        from: u64,
        limit: usize,
    ) -> PortResult<Vec<Message>> {
        let mut found = self.through(Table, self.store.messages(org, session, from, limit)).await?;
        self.forget_epochs(org, session, &mut found).await?;
        let mut world = self.world.lock();
        if world.is_worker("conversation")
            && let Some(read) = world.read()
        {
            read.open = found.iter().filter(|message| message.is_open()).cloned().collect();
        }
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> PortResult<Committed> {
        self.through(Table, async {
            let written = sabotaged(&mut self.world.lock(), commit);
            let outcome = self.store.commit(written.as_ref().unwrap_or(commit)).await?;
            self.world.lock().committed(commit, outcome);
            Ok(outcome)
        })
        .await
    }

    async fn recent(&self, org: &OrgId, limit: usize) -> PortResult<Vec<Session>> {
        self.through(Table, self.store.recent(org, limit)).await
    }
}

impl SimPorts {
    /// A planted mistake: the delivery worker takes every word for one of now.
    async fn forget_epochs(&self, org: &OrgId, session: SessionId, found: &mut [Message]) -> PortResult<()> {
        let blind = {
            let world = self.world.lock();
            world.sabotage == Some(Sabotage::SpeakAfterTakeover) && world.is_worker("delivery")
        };
        if blind && let Some(head) = self.store.head(org, session).await? {
            found.iter_mut().for_each(|message| message.epoch = head.epoch);
        }
        Ok(())
    }
}

/// What is written instead of the commit, if a planted mistake strikes.
fn sabotaged(world: &mut World, commit: &Commit) -> Option<Commit> {
    world.sabotage?;
    let mut written = commit.clone();
    if !commit.messages.is_empty() && world.sabotages(Sabotage::DropMessage, 4) {
        written.messages.clear();
    } else if world.sabotages(Sabotage::ForgetMark, 1) {
        written.mark = None;
    } else if !commit.changes.is_empty() && world.sabotages(Sabotage::SpeakAfterTakeover, 1) {
        written.changes.clear();
    } else if commit.before > 1 && world.sabotages(Sabotage::SkipVersion, 1) {
        written.session.version += 1;
    } else {
        return None;
    }
    Some(written)
}

impl World {
    pub(in crate::sim) fn is_worker(&self, name: &str) -> bool {
        self.workers.get(&self.current).is_some_and(|worker| worker.name == name)
    }

    fn forget_read(&mut self) {
        if let Some(read) = self.read() {
            read.open.clear();
        }
    }

    /// Writes down a commit and what it was decided from.
    fn committed(&mut self, commit: &Commit, outcome: Committed) {
        let Some(worker) = self.workers.get(&self.current) else { return };
        let Some(Job::Command { envelope, .. }) = worker.job.as_deref() else { return };
        let read = &worker.read;
        let state = self.state_of(commit.session.id);
        let customer = match &envelope.target {
            Whose::Customer { customer, .. } => Some(customer.clone()),
            Whose::Session(_) => None,
        };
        let event = Committing {
            commit: commit.clone(),
            outcome,
            command: envelope.command.clone(),
            key: envelope.key.clone(),
            customer,
            policy: believed_policy(worker.read.org.as_ref(), read.line.as_ref(), &commit.session.org),
            open: read.open.clone(),
        };
        let fact = envelope.command.name();
        self.counters.decided(state, fact);
        if outcome == Committed::Done {
            self.states.insert(commit.session.id, commit.session.state.name());
            let moved = commit.messages.iter().filter_map(|message| message.delivery.as_ref());
            for delivery in moved.chain(commit.changes.iter().map(|change| &change.delivery)) {
                self.counters.moved(delivery.state);
            }
        }
        self.note(Event::Committed(Box::new(event)));
    }
}

/// The policy that follows from what was read; a line that is gone leaves the machine off.
fn believed_policy(org: Option<&OrgSettings>, line: Option<&LineSettings>, whose: &OrgId) -> Policy {
    let line = line.filter(|line| &line.org == whose);
    match (org, line) {
        (Some(org), Some(line)) => policy(org, line),
        (org, _) => Policy { ai_enabled: false, crm: org.and_then(|org| org.crm), ..Policy::default() },
    }
}
