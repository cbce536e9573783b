//! What workers do: the flow's verbs over the simulated ports, and what their host makes of how they end.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::SignedDuration;
use shared_flow::Shift;
use shared_flow::converse::{Converse, Outcome};
use shared_flow::deliver::Deliver;
use shared_flow::ingest::{Delivery, Ingest};
use shared_flow::ports::{Clock, Job, Parked, Parking, PortError, PortResult, Queues};
use shared_flow::receipts::{self, Receipts};
use shared_flow::sync_crm::SyncCrm;
use shared_flow::take_turn::TakeTurn;
use shared_flow::wake::Wake;

use super::agenda::Post;
use super::history::Event;
use super::ports::SimPorts;
use crate::memory::Ticket;

/// A worker at work.
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Done {
    /// The entry is dealt with.
    Finished(String),
    /// The entry comes back after the wait.
    Again(SignedDuration, String),
}

/// The receive on which what cannot be read is put aside.
const PARK_AT: u32 = 3;
/// How often a status that names no message we know is looked at again.
const STATUS_MOST: u32 = 6;

/// The verbs.
pub(super) struct Flows {
    ports: Arc<SimPorts>,
    ingest: Ingest,
    converse: Converse,
    deliver: Deliver,
    receipts: Receipts,
    sync_crm: SyncCrm,
    take_turn: TakeTurn,
    wake: Wake,
}

impl Flows {
    pub(super) fn new(ports: &Arc<SimPorts>) -> Self {
        let p = || ports.clone();
        Self {
            ingest: Ingest { clock: p(), settings: p(), queues: p(), parking: p() },
            converse: Converse { clock: p(), sessions: p(), contacts: p(), settings: p(), queues: p() },
            deliver: Deliver {
                clock: p(),
                sessions: p(),
                deliveries: p(),
                settings: p(),
                channel: p(),
                queues: p(),
            },
            receipts: Receipts { clock: p(), sessions: p(), deliveries: p(), queues: p() },
            sync_crm: SyncCrm {
                clock: p(),
                sessions: p(),
                cursors: p(),
                settings: p(),
                crm: p(),
                queues: p(),
            },
            take_turn: TakeTurn {
                clock: p(),
                sessions: p(),
                settings: p(),
                turns: p(),
                model: p(),
                queues: p(),
            },
            wake: Wake { clock: p(), waking: p(), sessions: p(), queues: p() },
            ports: p(),
        }
    }

    /// Handles an entry of a queue as the functions' host does: an outage brings it back, and what cannot be read is
    /// parked on the third receive.
    pub(super) async fn attend(&self, ticket: &Ticket, unreadable: bool, who: String) -> Done {
        let result = if unreadable {
            Err(PortError::Unreadable { what: "the queue", why: "not a job".to_owned() })
        } else {
            self.handle(&ticket.job, ticket.receives, who).await
        };
        match result {
            Ok(done) => done,
            Err(PortError::Unreadable { why, .. }) if ticket.receives >= PARK_AT => {
                self.park(&ticket.job, why, ticket.receives).await
            }
            Err(error) => Done::Again(wait(ticket.receives), error.to_string()),
        }
    }

    async fn handle(&self, job: &Job, receives: u32, who: String) -> PortResult<Done> {
        let shift = Shift::new(who, self.ports.now(), lasts(job));
        let how = match job {
            Job::Command { envelope, .. } => {
                let outcome = self.converse.handle(envelope).await?;
                if let Outcome::Unchanged(session, because) = outcome {
                    let command = envelope.command.name();
                    self.ports.unchanged(session, because, command);
                }
                self.say(&outcome)
            }
            Job::Status(note) => match self.receipts.handle(note).await? {
                receipts::Outcome::Unknown if receives < STATUS_MOST => {
                    return Ok(Done::Again(wait(receives), "no such message yet".to_owned()));
                }
                outcome => self.say(&outcome),
            },
            Job::Deliver { org, session } => self.say(&self.deliver.handle(org, *session, &shift).await?),
            Job::SyncCrm { org, session } => self.say(&self.sync_crm.sync(org, *session, &shift).await?),
            Job::LookAtCase { org, case } => self.say(&self.sync_crm.look_at_case(org, *case, &shift).await?),
            Job::Turn { org, session, number, .. } => {
                self.say(&self.take_turn.handle(org, *session, *number, &shift).await?)
            }
        };
        Ok(Done::Finished(how))
    }

    /// How a run ended, in words, where somebody will read them.
    fn say(&self, outcome: &dyn Debug) -> String {
        if self.ports.world.lock().history.records() { format!("{outcome:?}") } else { String::new() }
    }

    async fn park(&self, job: &Job, reason: String, receives: u32) -> Done {
        let original = serde_json::to_vec(job).unwrap_or_default();
        let (source, at) = ("queue".to_owned(), self.ports.now());
        let parked = Parked { org: None, source, reason, original, at };
        match self.ports.park(&parked).await {
            Ok(()) => {
                self.ports.world.lock().note(Event::Parked { key: key_of(job) });
                Done::Finished("parked".to_owned())
            }
            Err(error) => Done::Again(wait(receives), error.to_string()),
        }
    }

    /// Answers a WhatsApp webhook: 200 when it finishes.
    pub(super) async fn post(&self, post: &Post) -> Done {
        let delivery = Delivery {
            messages: post.messages.iter().map(|(_, inbound)| inbound.clone()).collect(),
            statuses: post.statuses.clone(),
            unreadable: post.garbage.clone(),
        };
        self.answer(self.ingest.take(delivery).await.map(|_| ()))
    }

    /// Puts a job on a queue for somebody outside: the CRM's webhook, a person's request.
    pub(super) async fn enqueue(&self, job: Job) -> Done {
        self.answer(self.ports.send(&[job]).await)
    }

    /// The clock looks.
    pub(super) async fn tick(&self) -> Done {
        self.answer(self.wake.tick().await.map(|_| ()))
    }

    fn answer(&self, result: PortResult<()>) -> Done {
        match result {
            Ok(()) => Done::Finished("200".to_owned()),
            Err(error) => Done::Again(SignedDuration::ZERO, error.to_string()),
        }
    }
}

impl SimPorts {
    /// Writes down that a decision changed nothing.
    fn unchanged(
        &self,
        session: shared::SessionId,
        because: shared::session::Because,
        command: &'static str,
    ) {
        let mut world = self.world.lock();
        let state = world.state_of(session);
        world.counters.unchanged(because);
        world.counters.decided(state, command);
        world.note(Event::Unchanged { session, because, command, state });
    }
}

/// How long a run may take, by what it does.
pub(super) fn lasts(job: &Job) -> SignedDuration {
    match job {
        Job::Turn { .. } => SignedDuration::from_secs(120),
        Job::Command { .. }
        | Job::Status(_)
        | Job::Deliver { .. }
        | Job::SyncCrm { .. }
        | Job::LookAtCase { .. } => SignedDuration::from_secs(60),
    }
}

/// The name of the function that an entry is for.
pub(super) fn function(job: &Job) -> &'static str {
    match job {
        Job::Command { .. } => "conversation",
        Job::Status(_) => "receipts",
        Job::Deliver { .. } => "delivery",
        Job::SyncCrm { .. } | Job::LookAtCase { .. } => "crm-sync",
        Job::Turn { .. } => "agent",
    }
}

/// The key of the fact that a job carries, if it carries one.
pub(super) fn key_of(job: &Job) -> Option<String> {
    match job {
        Job::Command { envelope, .. } => envelope.key.clone(),
        Job::Status(_)
        | Job::Deliver { .. }
        | Job::SyncCrm { .. }
        | Job::LookAtCase { .. }
        | Job::Turn { .. } => None,
    }
}

/// How long a failed entry stays away: half a second, doubling, at most half a minute.
fn wait(receives: u32) -> SignedDuration {
    SignedDuration::from_millis((250_i64 << receives.min(10)).min(30_000))
}
