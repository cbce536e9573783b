//! CRM cursors in memory.

use async_trait::async_trait;
use shared::crm::Cursor;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Cursors, PortResult};
use uuid::Uuid;

use super::MemoryStore;

#[async_trait]
impl Cursors for MemoryStore {
    async fn load(&self, org: &OrgId, session: SessionId) -> PortResult<Cursor> {
        Ok(self.cursor(org, session).unwrap_or_default())
    }

    async fn save(&self, org: &OrgId, session: SessionId, to: &Cursor) -> PortResult<bool> {
        let mut tables = self.lock();
        let cursor = &mut tables.record_mut(org, session).cursor;
        let rev = cursor.as_ref().map_or(0, |stored| stored.rev);
        let wins = Some(rev) == to.rev.checked_sub(1);
        if wins {
            *cursor = Some(to.clone());
        }
        Ok(wins)
    }

    async fn ask(&self, org: &OrgId, session: SessionId) -> PortResult<()> {
        self.lock().record_mut(org, session).asked += 1;
        Ok(())
    }

    async fn asked(&self, org: &OrgId, session: SessionId) -> PortResult<u64> {
        Ok(self.lock().record(org, session).map_or(0, |record| record.asked))
    }

    async fn session_of_case(&self, org: &OrgId, case: Uuid) -> PortResult<Option<SessionId>> {
        Ok(self.lock().cases.get(&(org.clone(), case)).copied())
    }
}
