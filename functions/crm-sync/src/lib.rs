//! `crm-sync`: keeps the CRM's copy of a session true and reads what people did there. Only it reads CRM secrets.

use shared::{OrgId, SessionId};
use shared_flow::Shift;
use shared_flow::ports::PortResult;
use shared_flow::sync_crm::SyncCrm;
use shared_lambda::Done;
use uuid::Uuid;

/// Brings the copy of one session up to date.
pub async fn sync(flow: &SyncCrm, org: &OrgId, session: SessionId, shift: &Shift) -> PortResult<Done> {
    let outcome = flow.sync(org, session, shift).await?;
    tracing::info!(%org, session.id = %session, ?outcome, "crm sync");
    Ok(Done::Finished)
}

/// Reads a case that somebody changed in the CRM. A case that is not ours is ignored.
pub async fn look(flow: &SyncCrm, org: &OrgId, case: Uuid, shift: &Shift) -> PortResult<Done> {
    let outcome = flow.look_at_case(org, case, shift).await?;
    tracing::info!(%org, %case, ?outcome, "crm look");
    Ok(Done::Finished)
}
