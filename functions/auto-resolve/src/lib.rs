//! `auto-resolve`: runs on a schedule and wakes whatever is due: quiet sessions, late turns, waiting messages, sweeps.

use shared_flow::ports::PortResult;
use shared_flow::wake::Wake;

/// Wakes what is due now and returns how much that was.
pub async fn handle(flow: &Wake) -> PortResult<usize> {
    let woken = flow.tick().await?;
    if woken > 0 {
        tracing::debug!(woken, "the clock woke what was due");
    }
    Ok(woken)
}
