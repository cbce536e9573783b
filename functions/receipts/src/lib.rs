//! `receipts`: the channel's word on what we sent raises delivery states.

use shared::SignedDuration;
use shared_flow::ports::{PortResult, StatusNote};
use shared_flow::receipts::{Outcome, Receipts};
use shared_lambda::Done;

/// How often a status that no message is known for is tried again: it may have overtaken our record of the send.
const TRIES: u32 = 6;

/// Applies one status. `receives` counts how often it came, this time included.
pub async fn handle(flow: &Receipts, note: &StatusNote, receives: u32) -> PortResult<Done> {
    match flow.handle(note).await? {
        Outcome::Unknown if receives < TRIES => {
            Ok(Done::Again(SignedDuration::from_secs(1_i64 << receives.min(6))))
        }
        Outcome::Unknown => {
            // Another system may send through the same number; its statuses are none of ours.
            tracing::info!(org = %note.org, "a status for a message that we did not send");
            Ok(Done::Finished)
        }
        Outcome::Moved | Outcome::Nothing => Ok(Done::Finished),
    }
}
