//! The Lambda `receipts`: the channel's statuses, to the handler.

use shared_flow::ports::Job;
use shared_flow::receipts::Receipts;
use shared_lambda::{CannotStart, Queue, Record};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("receipts").await?;
    let table = start.line_table()?;
    let flow = Receipts {
        clock: start.clock(),
        sessions: table.clone(),
        deliveries: table,
        queues: start.queues()?,
    };
    let handler = async |record: Record| match &record.job {
        Job::Status(note) => receipts::handle(&flow, note, record.receives).await,
        _ => Err(record.misplaced()),
    };
    start.serve_queue(Queue::Receipts, handler).await
}
