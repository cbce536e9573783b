//! `conversation`: the only function that decides. It takes one fact from its queue and changes one session.

use shared_flow::converse::{Converse, Outcome};
use shared_flow::ports::{Envelope, PortResult};
use shared_lambda::Done;

/// Applies one fact. An error means that nothing was written; the fact comes back and its key absorbs a repeat.
pub async fn handle(flow: &Converse, envelope: &Envelope) -> PortResult<Done> {
    let outcome = flow.handle(envelope).await?;
    let command = envelope.command.name();
    match outcome {
        Outcome::Changed(id) => tracing::info!(org = %envelope.org, session.id = %id, command, "changed"),
        Outcome::Unchanged(id, because) => {
            tracing::info!(org = %envelope.org, session.id = %id, command, ?because, "unchanged");
        }
        Outcome::Duplicate => tracing::info!(org = %envelope.org, command, "known already"),
        Outcome::Ignored(why) => tracing::warn!(org = %envelope.org, command, why, "ignored"),
    }
    Ok(Done::Finished)
}
