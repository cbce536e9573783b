//! What a channel's webhook carried, put on the queues before it is acknowledged. Nothing slow, nothing fragile.

use std::collections::HashMap;
use std::sync::Arc;

use shared::OrgId;
use shared::channel::LineKey;
use shared::session::{Command, CustomerMessage};

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
        let customer = message.customer.clone();
        let lane = shared::session::state::lane(&org, &line, &customer);
        let envelope = Envelope {
            org,
            target: Target::Customer { line, customer },
            key: Some(key),
            command: Command::CustomerWrote(message),
            at: self.clock.now(),
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
