//! The Lambda `conversation`: one fact after another from its queue, in order, to the handler.

use shared_flow::converse::Converse;
use shared_flow::ports::Job;
use shared_lambda::{CannotStart, Queue, Record};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("conversation").await?;
    let table = start.line_table()?;
    let flow = Converse {
        clock: start.clock(),
        sessions: table.clone(),
        contacts: table,
        settings: start.settings()?,
        queues: start.queues()?,
    };
    let handler = async |record: Record| match &record.job {
        Job::Command { envelope, .. } => conversation::handle(&flow, envelope).await,
        _ => Err(record.misplaced()),
    };
    start.serve_queue(Queue::Conversation, handler).await
}
