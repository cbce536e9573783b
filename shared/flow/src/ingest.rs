//! What a channel's webhook carried, put on the queues before it is acknowledged. Nothing slow, nothing fragile.

use std::collections::HashMap;
use std::sync::Arc;

use shared::channel::LineKey;
use shared::channel::window::believed_time;
use shared::session::{Command, CustomerMessage};
use shared::{OrgId, Timestamp};

use crate::ports::{Clock, Envelope, Job, Parked, Parking, PortResult, Queues, Settings, StatusNote, Target};

/// What intake may do: look lines up, queue, park. It can read no conversation.
#[derive(Clone)]
pub struct Ingest {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whose line it is.
    pub settings: Arc<dyn Settings>,
    /// Where facts go.
    pub queues: Arc<dyn Queues>,
    /// Where the unreadable goes.
    pub parking: Arc<dyn Parking>,
}

/// A verified customer message and its key.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The line it came in on.
    pub line: LineKey,
    /// The fact's key.
    pub key: String,
    /// The message.
    pub message: CustomerMessage,
}

/// What a webhook carried.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Customer messages, in the order they stood in the body.
    pub messages: Vec<Inbound>,
    /// Statuses of our messages.
    pub statuses: Vec<StatusNote>,
    /// What could not be read, byte for byte.
    pub unreadable: Vec<Vec<u8>>,
}

/// What became of a webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Facts and statuses queued.
    pub queued: usize,
    /// Messages for lines that nobody configured.
    pub unknown_line: usize,
    /// Items parked.
    pub parked: usize,
}

impl Ingest {
    /// Queues everything, then returns. After an error the sender repeats the webhook, and the keys absorb what is in.
    pub async fn take(&self, delivery: Delivery) -> PortResult<Taken> {
        let mut taken = Taken::default();
        let mut jobs = Vec::with_capacity(delivery.messages.len() + delivery.statuses.len());
        let mut orgs: HashMap<LineKey, Option<OrgId>> = HashMap::new();
        for inbound in delivery.messages {
            if !orgs.contains_key(&inbound.line) {
                let line = self.settings.line(&inbound.line).await?;
                orgs.insert(inbound.line.clone(), line.map(|line| line.org));
            }
            match orgs.get(&inbound.line).cloned().flatten().map(|org| self.command(org, inbound)) {
                Some(job) => jobs.push(job),
                None => taken.unknown_line += 1,
            }
        }
        jobs.extend(delivery.statuses.into_iter().map(Job::Status));
        taken.queued = jobs.len();
        if !jobs.is_empty() {
            self.queues.send(&jobs).await?;
        }
        for original in delivery.unreadable {
            self.park(original).await?;
            taken.parked += 1;
        }
        Ok(taken)
    }

    fn command(&self, org: OrgId, inbound: Inbound) -> Job {
        let Inbound { line, key, message } = inbound;
        let now = self.clock.now();
        let message = believed(message, now);
        let customer = message.customer.clone();
        let lane = shared::session::state::lane(&org, &line, &customer);
        let envelope = Envelope {
            org,
            target: Target::Customer { line, customer },
            key: Some(key),
            command: Command::CustomerWrote(message),
            at: now,
        };
        Job::Command { lane, envelope: Box::new(envelope) }
    }

    async fn park(&self, original: Vec<u8>) -> PortResult<()> {
        metrics::counter!("Parked").increment(1);
        let parked = Parked {
            org: None,
            source: "webhooks/whatsapp".to_owned(),
            reason: "genuine (the signature is right) but unreadable".to_owned(),
            original,
            at: self.clock.now(),
        };
        self.parking.park(&parked).await
    }
}

/// The message with the time at which we believe it was written. From here on its age is known, however long it lies
/// in a queue: a wrong clock cannot make it new again.
fn believed(message: CustomerMessage, now: Timestamp) -> CustomerMessage {
    CustomerMessage { at: believed_time(Some(message.at), now), ..message }
}

#[cfg(test)]
mod tests {
    use shared::CustomerAddress;
    use shared::message::Kind;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(minutes + 100_000)
    }

    #[test]
    fn a_time_that_cannot_be_is_the_time_of_receipt() {
        let wrote = |written: Timestamp| CustomerMessage {
            source: "wamid.1".to_owned(),
            kind: Kind::Text,
            text: "hello".to_owned(),
            at: written,
            customer: CustomerAddress::Whatsapp { user_id: None, phone: None },
            name: None,
        };
        for (written, thought) in [(at(-30), at(-30)), (at(90), at(0)), (at(-9 * 24 * 60), at(0))] {
            assert_eq!(believed(wrote(written), at(0)).at, thought);
        }
    }
}
