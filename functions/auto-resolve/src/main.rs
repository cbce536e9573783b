//! The Lambda `auto-resolve`: the schedule's minute, to the handler.

use shared_flow::wake::Wake;
use shared_lambda::CannotStart;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CannotStart> {
    let start = shared_lambda::start("auto-resolve").await?;
    let table = start.line_table()?;
    let flow = Wake { clock: start.clock(), waking: table.clone(), sessions: table, queues: start.queues()? };
    start.serve_clock(async || auto_resolve::handle(&flow).await).await
}
