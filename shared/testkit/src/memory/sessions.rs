//! The commit in memory: every condition is checked before anything is written.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::channel::LineKey;
use shared::{ContactId, Message, OrgId, Session, SessionId};
use shared_flow::ports::{Commit, Committed, PortError, PortResult, Sessions};

use super::{MemoryStore, Record, Tables};

/// How long a fact counts as seen.
const MARK_LASTS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// What one transaction of the real table takes; the simulation must not get away with more.
const MOST_ACTIONS: usize = 100;

#[async_trait]
impl Sessions for MemoryStore {
    async fn latest_session(
        &self,
        org: &OrgId,
        contact: ContactId,
        line: &LineKey,
    ) -> PortResult<Option<SessionId>> {
        Ok(self.lock().pointers.get(&(org.clone(), contact, line.clone())).copied())
    }

    async fn head(&self, org: &OrgId, session: SessionId) -> PortResult<Option<Session>> {
        Ok(self.lock().record(org, session).and_then(|record| record.head.clone()))
    }

    async fn messages(
        &self,
        org: &OrgId,
        session: SessionId,
        from: u64,
        limit: usize,
    ) -> PortResult<Vec<Message>> {
        let tables = self.lock();
        let messages = tables.record(org, session).into_iter().flat_map(|r| r.messages.range(from..));
        Ok(messages.take(limit).map(|(_, message)| message.clone()).collect())
    }

    async fn commit(&self, commit: &Commit) -> PortResult<Committed> {
        refuse_impossible(commit)?;
        let mut tables = self.lock();
        if tables.has_mark(commit) {
            return Ok(Committed::Duplicate);
        }
        if !tables.allows(commit) {
            return Ok(Committed::Stale);
        }
        tables.write(commit);
        Ok(Committed::Done)
    }

    async fn recent(&self, org: &OrgId, limit: usize) -> PortResult<Vec<Session>> {
        let tables = self.lock();
        let heads = tables.sessions.values().filter_map(|record| record.head.as_ref());
        let mut found: Vec<Session> = heads.filter(|head| &head.org == org).cloned().collect();
        found.sort_by(|a, b| b.last_activity_at.cmp(&a.last_activity_at).then(a.id.cmp(&b.id)));
        found.truncate(limit);
        Ok(found)
    }
}

/// The real table refuses a transaction that is too large or names an item twice; so does this one.
fn refuse_impossible(commit: &Commit) -> PortResult<()> {
    // The head, and at most a mark, a pointer and a case.
    let actions = commit.messages.len() + commit.changes.len() + 4;
    let messages = commit.messages.iter().map(|message| message.seq);
    let items: Vec<u64> = messages.chain(commit.changes.iter().map(|change| change.seq)).collect();
    let distinct: BTreeSet<u64> = items.iter().copied().collect();
    let why = if actions > MOST_ACTIONS {
        format!("a commit of {actions} writes; one transaction takes {MOST_ACTIONS}")
    } else if distinct.len() < items.len() {
        "a commit that writes one message twice".to_owned()
    } else {
        return Ok(());
    };
    Err(PortError::Unreadable { what: "the table", why })
}

impl Tables {
    fn has_mark(&self, commit: &Commit) -> bool {
        let key = commit.mark.as_ref().map(|mark| (commit.session.org.clone(), mark.clone()));
        // Expired marks stay readable until somebody removes them, so the time decides, not the presence.
        key.and_then(|key| self.marks.get(&key)).is_some_and(|until| *until >= commit.now)
    }

    fn allows(&self, commit: &Commit) -> bool {
        let record = self.record(&commit.session.org, commit.session.id);
        let version = record.and_then(|r| r.head.as_ref()).map_or(0, |head| head.version);
        let exists = record.is_some_and(|r| r.head.is_some());
        version == commit.before
            && exists == (commit.before > 0)
            && self.follows_the_newest(commit)
            && commit.messages.iter().all(|m| !record.is_some_and(|r| r.messages.contains_key(&m.seq)))
            && commit.changes.iter().all(|c| rev_of(record, c.seq) == c.delivery.rev.checked_sub(1))
    }

    /// Two first messages of one person must not open two sessions.
    fn follows_the_newest(&self, commit: &Commit) -> bool {
        commit.before > 0 || self.pointers.get(&pointer(&commit.session)).copied() == commit.session.previous
    }

    fn write(&mut self, commit: &Commit) {
        let session = &commit.session;
        let record = self.record_mut(&session.org, session.id);
        record.head = Some(session.clone());
        record.messages.extend(commit.messages.iter().map(|message| (message.seq, message.clone())));
        for change in &commit.changes {
            if let Some(message) = record.messages.get_mut(&change.seq) {
                message.delivery = Some(change.delivery.clone());
            }
        }
        if commit.before == 0 {
            self.pointers.insert(pointer(session), session.id);
        }
        if let Some(mark) = &commit.mark {
            let until = commit.now.saturating_add(MARK_LASTS).unwrap_or(Timestamp::MAX);
            self.marks.insert((session.org.clone(), mark.clone()), until);
        }
        if let Some(case) = commit.case {
            self.cases.insert((session.org.clone(), case), session.id);
        }
    }
}

fn pointer(session: &Session) -> (OrgId, ContactId, LineKey) {
    (session.org.clone(), session.contact, session.line.clone())
}

fn rev_of(record: Option<&Record>, seq: u64) -> Option<u32> {
    record?.messages.get(&seq)?.delivery.as_ref().map(|delivery| delivery.rev)
}
