//! Session heads, transcripts and the one transaction that changes them.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::channel::LineKey;
use shared::session::Change;
use shared::{ContactId, Message, OrgId, Session, SessionId};
use uuid::Uuid;

use super::PortResult;

/// The store of sessions. Every read sees every earlier write.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// The newest session between this person and this line, open or resolved.
    async fn latest_session(
        &self,
        org: &OrgId,
        contact: ContactId,
        line: &LineKey,
    ) -> PortResult<Option<SessionId>>;
    /// A session's head; a session of another organisation is absent.
    async fn head(&self, org: &OrgId, session: SessionId) -> PortResult<Option<Session>>;
    /// Messages from a place on, in order, at most `limit`.
    async fn messages(
        &self,
        org: &OrgId,
        session: SessionId,
        from: u64,
        limit: usize,
    ) -> PortResult<Vec<Message>>;
    /// Writes a decision: head, messages, moves, mark, pointer and case mapping, all or nothing.
    async fn commit(&self, commit: &Commit) -> PortResult<Committed>;
    /// The sessions of an organisation, the most recently active first. May lag behind a little.
    async fn recent(&self, org: &OrgId, limit: usize) -> PortResult<Vec<Session>>;
}

/// A decision to write. All conditions hold or nothing is written.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The version that was read; 0 when the session is new. Then it must not exist, and the newest session of its
    /// person and line must be its `previous`: of two first messages at once, one opens a session and one waits for it.
    pub before: u64,
    /// The head afterwards.
    pub session: Session,
    /// New messages.
    pub messages: Vec<Message>,
    /// Moves of earlier messages; each needs the stored `rev` to be one below its own.
    pub changes: Vec<Change>,
    /// The key of the fact, if it must count only once. An unexpired mark makes the commit a duplicate.
    pub mark: Option<String>,
    /// For a new session: the case it will have in the CRM, so that a webhook about it finds the session.
    pub case: Option<Uuid>,
    /// Now: marks expire 30 days from here.
    pub now: Timestamp,
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is written.
    Done,
    /// The fact was written before.
    Duplicate,
    /// Something moved since it was read: read and decide again.
    Stale,
}
