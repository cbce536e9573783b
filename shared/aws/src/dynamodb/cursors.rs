//! Cursors by compare-and-set, the counter beside them, and the way from a case to its session.

use async_trait::async_trait;
use shared::crm::Cursor;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Cursors, PortResult};
use uuid::Uuid;

use super::errors::failed;
use super::record::{Asked, CursorRecord, ToSession, from_body};
use super::transact::Condition;
use super::{Table, keys, number};

#[async_trait]
impl Cursors for Table {
    async fn load(&self, org: &OrgId, session: SessionId) -> PortResult<Cursor> {
        let cursor: Option<CursorRecord> = self.get(keys::cursor(org, session)).await?;
        cursor.map_or_else(|| Ok(Cursor::default()), |cursor| from_body(&cursor.body))
    }

    async fn save(&self, org: &OrgId, session: SessionId, to: &Cursor) -> PortResult<bool> {
        let before = match to.rev.checked_sub(1) {
            // Nothing comes before the revision of what is absent.
            None => return Ok(false),
            Some(0) => Condition::absent(),
            Some(before) => Condition::new("rev = :before", vec![(":before", number(before))]),
        };
        self.put_alone(keys::cursor(org, session), &CursorRecord::of(session, to)?, before).await
    }

    async fn ask(&self, org: &OrgId, session: SessionId) -> PortResult<()> {
        let key = keys::asked(org, session).attributes();
        let request = self.client.update_item().table_name(&self.name).set_key(Some(key));
        let request = request.update_expression("ADD asked :one");
        request.expression_attribute_values(":one", number(1)).send().await.map_err(failed)?;
        Ok(())
    }

    async fn asked(&self, org: &OrgId, session: SessionId) -> PortResult<u64> {
        let asked: Option<Asked> = self.get(keys::asked(org, session)).await?;
        Ok(asked.map_or(0, |asked| asked.asked))
    }

    async fn session_of_case(&self, org: &OrgId, case: Uuid) -> PortResult<Option<SessionId>> {
        let to: Option<ToSession> = self.get(keys::case(org, case)).await?;
        Ok(to.map(|to| to.session_id))
    }
}
