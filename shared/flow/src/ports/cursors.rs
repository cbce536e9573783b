//! How far the CRM's copies have got, and which session a case belongs to.

use async_trait::async_trait;
use shared::crm::Cursor;
use shared::{OrgId, SessionId};
use uuid::Uuid;

use super::PortResult;

/// The store of cursors.
#[async_trait]
pub trait Cursors: Send + Sync {
    /// The session's cursor; the default when there is none yet.
    async fn load(&self, org: &OrgId, session: SessionId) -> PortResult<Cursor>;
    /// Stores `to` if the stored `rev` is one below `to.rev` (0 when absent). `false` when another writer was first.
    async fn save(&self, org: &OrgId, session: SessionId, to: &Cursor) -> PortResult<bool>;
    /// Notes that somebody wants the case read, whoever has the cursor.
    async fn ask(&self, org: &OrgId, session: SessionId) -> PortResult<()>;
    /// How many times somebody asked.
    async fn asked(&self, org: &OrgId, session: SessionId) -> PortResult<u64>;
    /// The session whose case this is.
    async fn session_of_case(&self, org: &OrgId, case: Uuid) -> PortResult<Option<SessionId>>;
}
