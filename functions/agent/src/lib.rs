//! `agent`: one turn of the assistant. It is the only function that talks to a model.

use shared::{OrgId, SessionId, SignedDuration};
use shared_flow::Shift;
use shared_flow::ports::PortResult;
use shared_flow::take_turn::{Outcome, TakeTurn};
use shared_lambda::Done;

/// How long until a turn that another worker has is looked at again: that worker may have died with it.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked at. Four looks outlast the longest claim.
const LOOKS: u32 = 4;

/// Takes a turn if it is still the one that is due. `receives` counts how often the nudge came, this time included.
pub async fn handle(
    flow: &TakeTurn,
    org: &OrgId,
    session: SessionId,
    number: u32,
    receives: u32,
    shift: &Shift,
) -> PortResult<Done> {
    let outcome = flow.handle(org, session, number, shift).await?;
    tracing::info!(%org, session.id = %session, turn = number, ?outcome, "turn");
    match outcome {
        Outcome::Taken if receives <= LOOKS => Ok(Done::Again(LOOK_AGAIN)),
        Outcome::Taken | Outcome::Concluded | Outcome::NotWanted | Outcome::Postponed => Ok(Done::Finished),
    }
}
