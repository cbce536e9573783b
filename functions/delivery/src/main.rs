//! The Lambda `delivery`: sessions with something to send, to the handler and the channel.

use std::sync::Arc;

use shared_flow::deliver::Deliver;
use shared_flow::ports::Job;
use shared_lambda::{CannotStart, Queue, Record, Secret};
use shared_vendors::whatsapp::client::CloudApi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("delivery").await?;
    let (table, http) = (start.line_table()?, start.http()?);
    let graph = start.whatsapp_url(&http)?;
    let flow = Deliver {
        clock: start.clock(),
        sessions: table.clone(),
        deliveries: table,
        settings: start.settings()?,
        channel: Arc::new(CloudApi::new(http, graph, start.accounts(Secret::Whatsapp)?)),
        queues: start.queues()?,
    };
    let handler = async |record: Record| match &record.job {
        Job::Deliver { org, session } => delivery::handle(&flow, org, *session, &record.shift).await,
        _ => Err(record.misplaced()),
    };
    start.serve_queue(Queue::Deliveries, handler).await
}
