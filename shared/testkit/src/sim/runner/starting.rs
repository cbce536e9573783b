//! Who comes to work: a worker for an entry, a webhook, a request or the clock, on a machine with its own idea of time.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use shared_flow::ports::{Job, Waking};

use super::{Role, Runner, Running, SKEW_MS};
use crate::memory::Ticket;
use crate::sim::agenda::{Due, Post};
use crate::sim::fault::Fault;
use crate::sim::history::{Event, short};
use crate::sim::jobs::{Work, function, lasts};
use crate::sim::world::{Worker, World, later};

/// How long a queue hides an entry that a worker has.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);
impl Runner {
    /// The clock of the line looks once a minute; a look that would find nothing is left out.
    pub(super) fn tick(&mut self) {
        let (now, skew) = {
            let mut world = self.world.lock();
            let next = world.in_ms(60_000);
            world.agenda.add(next, Due::Tick);
            (world.now, world.skewed)
        };
        let ahead = later(now, SignedDuration::from_millis(if skew { SKEW_MS } else { 0 }));
        if self.has_due(ahead) {
            let flows = self.flows.clone();
            self.start("auto-resolve", None, Role::Alone, move |_| {
                Box::pin(async move { flows.tick().await })
            });
        }
    }

    fn has_due(&self, now: Timestamp) -> bool {
        let mut look = self.store.due(now, 1);
        match look.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(found) => found.is_ok_and(|found| !found.is_empty()),
            Poll::Pending => true,
        }
    }

    pub(super) fn start_entry(&mut self, id: u64) {
        let Some(ticket) = self.queues.take(id, VISIBILITY) else {
            self.world.lock().queues_moved = true;
            return;
        };
        let unreadable = self.draw_entry_faults(&ticket);
        let flows = self.flows.clone();
        let job = Arc::new(ticket.job.clone());
        self.start(function(&ticket.job), Some(job), Role::Entry(id), move |who| {
            Box::pin(async move { flows.attend(&ticket, unreadable, who).await })
        });
    }

    /// What goes wrong with an entry as a whole; returns whether it cannot be read.
    fn draw_entry_faults(&mut self, ticket: &Ticket) -> bool {
        let mut world = self.world.lock();
        world.queues_moved = true;
        let is_command = matches!(ticket.job, Job::Command { .. });
        if !is_command && world.strike(&[Fault::EarlyRedelivery], "the queues").is_some() {
            let ms = world.faults.between(0, 5_000);
            self.queues.nack(ticket.id, SignedDuration::from_millis(ms));
        }
        if ticket.receives == 1 && world.strike(&[Fault::Unreadable], "the queues").is_some() {
            self.unreadable.insert(ticket.id);
        }
        self.unreadable.contains(&ticket.id)
    }

    pub(super) fn start_post(&mut self, post: Post) {
        let flows = self.flows.clone();
        let role = Role::Post(Box::new(post.clone()));
        self.start("whatsapp-ingress", None, role, move |_| Box::pin(async move { flows.post(&post).await }));
    }

    /// Somebody outside puts a job on a queue; whether they try again when it fails.
    pub(super) fn start_request(&mut self, name: &'static str, job: Job, again: bool) {
        let flows = self.flows.clone();
        let role = if again { Role::Request(Box::new(job.clone())) } else { Role::Alone };
        self.start(name, None, role, move |_| Box::pin(async move { flows.enqueue(job).await }));
    }

    pub(super) fn start(
        &mut self,
        name: &'static str,
        job: Option<Arc<Job>>,
        role: Role,
        work: impl FnOnce(String) -> Work,
    ) {
        self.last_worker += 1;
        let id = self.last_worker;
        let mut world = self.world.lock();
        let skew = if world.skewed { world.draw_skew(name) } else { SignedDuration::ZERO };
        let lasts = job.as_deref().map_or(SignedDuration::from_secs(60), lasts);
        let (resume_at, ends_at) = (world.now, later(world.now, lasts));
        let on = if world.history.records() { describe(job.as_deref()) } else { String::new() };
        world.workers.insert(id, Worker { name, skew, job, ..Worker::default() });
        world.current = id;
        let skew_ms = i64::try_from(skew.as_millis()).unwrap_or(0);
        world.note(Event::Began { skew_ms, on });
        world.current = 0;
        drop(world);
        self.running.push(Running { id, work: work(format!("{name}-{id}")), role, resume_at, ends_at });
    }
}

impl World {
    /// The clock of the machine that a worker of this name happens to run on. There are two of each.
    fn draw_skew(&mut self, name: &str) -> SignedDuration {
        let machine = self.rng.random_range(0..2_u8);
        let drawn =
            shared::ids::derive("clock", &[name, &machine.to_string(), &self.scenario.stop.to_string()]);
        let span = u128::try_from(2 * SKEW_MS).unwrap_or(1);
        let ms = i64::try_from(drawn.as_u128() % span).unwrap_or(0) - SKEW_MS;
        SignedDuration::from_millis(ms)
    }
}

/// What an entry is about, for the timeline.
fn describe(job: Option<&Job>) -> String {
    match job {
        None => String::new(),
        Some(Job::Command { envelope, .. }) => {
            format!("{} {}", envelope.command.name(), envelope.key.as_deref().unwrap_or(""))
        }
        Some(Job::Status(note)) => format!("status {:?} of {}", note.receipt, note.vendor_id),
        Some(Job::Deliver { session, .. } | Job::SyncCrm { session, .. }) => short(*session),
        Some(Job::LookAtCase { case, .. }) => format!("case {case}"),
        Some(Job::Turn { session, number, .. }) => format!("{} turn {number}", short(*session)),
    }
}
