//! Turns in memory.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::agent::Verdict;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Claim, PortResult, Turns};

use super::MemoryStore;

#[async_trait]
impl Turns for MemoryStore {
    async fn claim(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<Claim> {
        let mut tables = self.lock();
        let turn = tables.record_mut(org, session).turns.entry(turn).or_default();
        if let Some(verdict) = &turn.verdict {
            return Ok(Claim::Concluded(verdict.clone()));
        }
        if turn.until.is_some_and(|end| end > now) {
            return Ok(Claim::Taken);
        }
        let earlier = turn.claims;
        turn.claims += 1;
        turn.until = Some(until);
        Ok(Claim::Ours { earlier })
    }

    async fn conclude(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        verdict: &Verdict,
    ) -> PortResult<Verdict> {
        let mut tables = self.lock();
        let turn = tables.record_mut(org, session).turns.entry(turn).or_default();
        Ok(turn.verdict.get_or_insert_with(|| verdict.clone()).clone())
    }
}
