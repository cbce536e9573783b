//! `delivery`: takes a session's messages to the customer. It is the only function that sends.

use shared::{OrgId, SessionId};
use shared_flow::Shift;
use shared_flow::deliver::Deliver;
use shared_flow::ports::PortResult;
use shared_lambda::Done;

/// Works a session's lane until nothing can be done now.
pub async fn handle(flow: &Deliver, org: &OrgId, session: SessionId, shift: &Shift) -> PortResult<Done> {
    flow.handle(org, session, shift).await?;
    Ok(Done::Finished)
}
