//! Model turns: who works on one, and what came of it. The words are stored before they are used.

use async_trait::async_trait;
use jiff::Timestamp;
use shared::agent::Verdict;
use shared::{OrgId, SessionId};

use super::PortResult;

/// The store of turns.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Takes a turn until `until`, unless it has a verdict or another worker has it at `now`.
    async fn claim(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> PortResult<Claim>;
    /// Stores the verdict unless one is stored, and returns the one that stands: a retry never says something else.
    async fn conclude(
        &self,
        org: &OrgId,
        session: SessionId,
        turn: u32,
        verdict: &Verdict,
    ) -> PortResult<Verdict>;
}

/// What came of claiming a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours; so many claims came before, each of which may have called the model.
    Ours {
        /// Earlier claims.
        earlier: u32,
    },
    /// Another worker is at it.
    Taken,
    /// It is over; this came of it.
    Concluded(Verdict),
}
