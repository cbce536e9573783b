//! The Lambda `agent`: turns that are due, to the handler and the model.

use std::sync::Arc;

use shared_flow::ports::Job;
use shared_flow::take_turn::TakeTurn;
use shared_lambda::{CannotStart, Queue, Record, Secret};
use shared_vendors::llm::client::OpenAi;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("agent").await?;
    let table = start.line_table()?;
    let flow = TakeTurn {
        clock: start.clock(),
        sessions: table.clone(),
        settings: start.settings()?,
        turns: table,
        model: Arc::new(OpenAi::new(start.http()?, start.accounts(Secret::Model)?)),
        queues: start.queues()?,
    };
    let handler = async |record: Record| match &record.job {
        Job::Turn { org, session, number, .. } => {
            agent::handle(&flow, org, *session, *number, record.receives, &record.shift).await
        }
        _ => Err(record.misplaced()),
    };
    start.serve_queue(Queue::Turns, handler).await
}
