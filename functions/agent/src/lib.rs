//! `agent`: one turn of the assistant. It is the only function that talks to a model.

use shared::{OrgId, SessionId};
use shared_flow::Shift;
use shared_flow::ports::PortResult;
use shared_flow::take_turn::TakeTurn;
use shared_lambda::Done;

/// Takes a turn if it is still the one that is due.
pub async fn handle(flow: &TakeTurn, org: &OrgId, session: SessionId, number: u32, shift: &Shift) -> PortResult<Done> {
    let outcome = flow.handle(org, session, number, shift).await?;
    tracing::info!(%org, session.id = %session, turn = number, ?outcome, "turn");
    Ok(Done::Finished)
}
