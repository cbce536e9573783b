//! The Lambda `crm-sync`: sessions whose copy is behind and cases to look at, to the handler and the CRM.

use std::sync::Arc;

use shared_flow::ports::Job;
use shared_flow::sync_crm::SyncCrm;
use shared_lambda::{CannotStart, Queue, Record, Secret};
use shared_vendors::creatio::client::Creatio;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("crm-sync").await?;
    let table = start.line_table()?;
    let flow = SyncCrm {
        clock: start.clock(),
        sessions: table.clone(),
        cursors: table,
        settings: start.settings()?,
        crm: Arc::new(Creatio::new(start.http()?, start.accounts(Secret::Creatio)?)),
        queues: start.queues()?,
    };
    let handler = async |record: Record| match &record.job {
        Job::SyncCrm { org, session } => crm_sync::sync(&flow, org, *session, &record.shift).await,
        Job::LookAtCase { org, case } => crm_sync::look(&flow, org, *case, &record.shift).await,
        _ => Err(record.misplaced()),
    };
    start.serve_queue(Queue::CrmSync, handler).await
}
