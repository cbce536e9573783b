//! The scheduler: one thread, one step at a time. The seed chooses who moves; time passes only when nobody can.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use shared_flow::ports::{Job, Waking};

use super::agenda::{Due, Post};
use super::fault::Fault;
use super::history::Event;
use super::jobs::{Done, Flows, Work, function, lasts};
use super::owed::{Ledger, Owed};
use super::ports::SimPorts;
use super::world::{Shared, Signal, Worker, World, later};
use crate::memory::{MemoryQueues, MemorySettings, MemoryStore, Ticket};

/// How long a queue hides an entry that a worker has.
const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);
/// The most that clocks differ from the true time, in milliseconds.
pub(super) const SKEW_MS: i64 = 600_000;
/// How long what is owed may take once nothing goes wrong any more.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// The declared deadlines on top: the waits of two unknown outcomes, a lost worker's queue entry and leases, the
/// check that workers missed nothing, the clock's own minute.
const DECLARED: SignedDuration = SignedDuration::from_secs(2 * 110 + 360 + 120 + 60);
/// How long the CRM's case of a quiet session may go unread.
const SWEEP: SignedDuration = SignedDuration::from_mins(61);

/// Who is at work and how to go on when they end.
struct Running {
    id: u32,
    work: Work,
    role: Role,
    resume_at: Timestamp,
    ends_at: Timestamp,
}

/// Why somebody is at work.
enum Role {
    /// An entry of a queue.
    Entry(u64),
    /// A WhatsApp webhook.
    Post(Box<Post>),
    /// A person's request.
    Request(Box<Job>),
    /// Nobody waits for the end.
    Alone,
}

/// A run under way.
pub(super) struct Runner {
    pub(super) world: Shared,
    pub(super) store: MemoryStore,
    pub(super) queues: MemoryQueues,
    ports: Arc<SimPorts>,
    flows: Arc<Flows>,
    running: Vec<Running>,
    ready: Vec<u64>,
    unreadable: BTreeSet<u64>,
    redriven: BTreeSet<Vec<u8>>,
    last_worker: u32,
    end: Timestamp,
    converges: bool,
    /// What was owed at each mark.
    pub(super) ledger: Ledger,
}

impl Runner {
    pub(super) fn new(world: Shared, ports: Arc<SimPorts>, converges: bool) -> Self {
        let (store, queues) = (ports.store.clone(), ports.queues.clone());
        let flows = Arc::new(Flows::new(&ports));
        let end = {
            let mut guard = world.lock();
            let w = &mut *guard;
            w.draw_clocks();
            for (number, (at, _)) in w.scenario.script.iter().enumerate() {
                if w.faults.keeps_event(number) {
                    w.agenda.add(*at, Due::Script(number));
                }
            }
            w.agenda.add(later(w.scenario.start, SignedDuration::from_secs(60)), Due::Tick);
            w.agenda.add(w.scenario.stop, Due::Stop);
            let hours = w.scenario.stop.duration_since(w.scenario.start).as_hours();
            for hour in (6..hours).step_by(6) {
                w.agenda.add(later(w.scenario.start, SignedDuration::from_hours(hour)), Due::Redrive);
            }
            if converges { Timestamp::MAX } else { later(w.scenario.stop, PATIENCE) }
        };
        Self {
            world,
            store,
            queues,
            ports,
            flows,
            running: Vec::new(),
            ready: Vec::new(),
            unreadable: BTreeSet::new(),
            redriven: BTreeSet::new(),
            last_worker: 0,
            end,
            converges,
            ledger: Ledger::default(),
        }
    }

    /// The settings, for whoever may change them.
    pub(super) fn settings(&self) -> &MemorySettings {
        &self.ports.settings
    }

    /// Runs to the end.
    pub(super) fn run(&mut self) {
        while self.step() {}
    }

    fn step(&mut self) -> bool {
        self.happen();
        let now = self.world.lock().now;
        if self.world.lock().queues_moved {
            self.world.lock().queues_moved = false;
            self.ready = self.queues.ready().iter().map(|ticket| ticket.id).collect();
        }
        let workers = self.world.lock().scenario.workers;
        let free = workers.saturating_sub(self.running.len());
        let startable = if free > 0 { self.ready.len() } else { 0 };
        let movable = self.running.iter().filter(|running| running.resume_at <= now).count();
        if movable + startable == 0 {
            return self.pass_time();
        }
        let drawn = self.world.lock().rng.random_range(0..movable + startable);
        if drawn < movable {
            self.poll(drawn, now);
        } else if let Some(id) = self.ready.get(drawn - movable).copied() {
            self.start_entry(id);
        }
        true
    }

    /// Moves the time to when something can happen next.
    fn pass_time(&mut self) -> bool {
        let mut world = self.world.lock();
        let resumes = self.running.iter().map(|running| running.resume_at.min(running.ends_at));
        let visible = self.queues.next_at();
        let next = resumes.chain(visible).chain(world.agenda.next_at()).min();
        let Some(next) = next.filter(|next| *next <= self.end) else { return false };
        let next = next.max(world.now);
        world.set_time(next);
        world.queues_moved |= visible.is_some_and(|at| at <= next);
        drop(world);
        self.kill_overdue(next);
        true
    }

    /// A function that takes too long is ended from outside.
    fn kill_overdue(&mut self, now: Timestamp) {
        while let Some(index) = self.running.iter().position(|running| running.ends_at <= now) {
            let dead = self.running.swap_remove(index);
            self.bury(&dead, "killed: out of time");
        }
    }

    /// A worker is gone without a word. Its entry stays hidden until its time is over; a webhook gets no answer.
    fn bury(&mut self, dead: &Running, how: &'static str) {
        let mut world = self.world.lock();
        world.current = dead.id;
        world.note(Event::Died { how });
        world.current = 0;
        world.workers.remove(&dead.id);
        world.unanswered(&dead.role);
    }

    fn poll(&mut self, nth: usize, now: Timestamp) {
        let movable = self.running.iter().enumerate().filter(|(_, running)| running.resume_at <= now);
        let Some(index) = movable.map(|(index, _)| index).nth(nth) else { return };
        let Some(running) = self.running.get_mut(index) else { return };
        {
            let mut world = self.world.lock();
            world.current = running.id;
            world.signal = Signal::Die;
        }
        let polled = running.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let signal = self.world.lock().signal;
        match (polled, signal) {
            (Poll::Pending, Signal::Resume(at)) => running.resume_at = at,
            (Poll::Pending, Signal::Die) => {
                let dead = self.running.swap_remove(index);
                self.bury(&dead, "crashed");
            }
            (Poll::Ready(done), _) => {
                let finished = self.running.swap_remove(index);
                self.finish(finished, done);
            }
        }
        self.world.lock().current = 0;
    }

    fn finish(&mut self, finished: Running, done: Done) {
        let mut world = self.world.lock();
        world.current = finished.id;
        world.queues_moved = true;
        if world.history.records() {
            let how = format!("{done:?}");
            world.note(Event::Ended { how });
        }
        let is_command = world.is_worker("conversation");
        world.counters.commands += u64::from(is_command);
        match (&finished.role, done) {
            (Role::Entry(id), Done::Finished(_)) => {
                if world.strike(&[Fault::LostAck], "the queues").is_some() {
                    let seconds = world.faults.between(1, 360);
                    self.queues.nack(*id, SignedDuration::from_secs(seconds));
                } else {
                    self.queues.ack(*id);
                }
            }
            (Role::Entry(id), Done::Again(wait, _)) => self.queues.nack(*id, wait),
            (Role::Post(post), Done::Finished(_)) => world.answered(post),
            (Role::Request(_) | Role::Alone, Done::Finished(_)) => {}
            (role, Done::Again(..)) => world.unanswered(role),
        }
        world.current = 0;
        world.workers.remove(&finished.id);
    }

    /// Whatever is due by now happens.
    fn happen(&mut self) {
        loop {
            let due = {
                let mut world = self.world.lock();
                let now = world.now;
                world.agenda.take(now)
            };
            let Some(due) = due else { return };
            self.happens(due);
        }
    }

    fn happens(&mut self, due: Due) {
        match due {
            Due::Script(number) => self.act(number),
            Due::Flush(line) => {
                let messages = self.world.lock().whatsapp.gathered(line);
                self.start_post(Post { messages, ..Post::default() });
            }
            Due::Post(post) => self.start_post(*post),
            Due::Hook { org, case } => self.start_request("creatio-webhook", Job::LookAtCase { org, case }, false),
            Due::Request(job) => self.start_request("operator", *job, true),
            Due::LateSend(sending) => {
                let _ = self.world.lock().arrive(&sending);
            }
            Due::Tick => self.tick(),
            Due::Redrive => self.redrive(),
            Due::Stop => self.stop(),
            Due::Owed(mark) => self.ledger.write(mark, self.owed()),
            Due::Settled(mark) => self.settle(mark),
        }
    }

    fn owed(&self) -> BTreeSet<Owed> {
        super::owed::owed(&self.world.lock(), &self.store)
    }

    fn settle(&mut self, mark: u8) {
        let owed = self.owed();
        let now = self.world.lock().now;
        self.ledger.settle(mark, &owed, now);
    }

    /// The clock of the line looks once a minute; a look that would find nothing is left out.
    fn tick(&mut self) {
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

    fn start_entry(&mut self, id: u64) {
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

    fn start_post(&mut self, post: Post) {
        let flows = self.flows.clone();
        let role = Role::Post(Box::new(post.clone()));
        self.start("whatsapp-ingress", None, role, move |_| Box::pin(async move { flows.post(&post).await }));
    }

    /// Somebody outside puts a job on a queue; whether they try again when it fails.
    fn start_request(&mut self, name: &'static str, job: Job, again: bool) {
        let flows = self.flows.clone();
        let role = if again { Role::Request(Box::new(job.clone())) } else { Role::Alone };
        self.start(name, None, role, move |_| Box::pin(async move { flows.enqueue(job).await }));
    }

    fn start(
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

    /// Everybody dies at once, and the line starts again.
    pub(super) fn kill_all(&mut self) {
        let dead: Vec<Running> = self.running.drain(..).collect();
        let hidden = self.world.lock().faults.percent(50);
        for one in &dead {
            self.bury(one, "kill -9");
            if let (Role::Entry(id), false) = (&one.role, hidden) {
                self.queues.nack(*id, SignedDuration::from_secs(1));
            }
        }
        self.world.lock().queues_moved = true;
    }

    /// From here on nothing goes wrong, and what is owed is paid.
    fn stop(&mut self) {
        let mut guard = self.world.lock();
        let world = &mut *guard;
        if !self.converges {
            return;
        }
        let skewed = std::mem::take(&mut world.skewed);
        let had_faults = world.faults.on();
        world.faults.stop();
        self.unreadable.clear();
        world.note(Event::Remark("from here on nothing goes wrong"));
        let slack = SignedDuration::from_millis(if skewed { 2 * SKEW_MS } else { 0 });
        let calm = super::owed::last_declared(&self.store, world.now);
        let soon = later(later(later(calm, PATIENCE), DECLARED), slack);
        // Without faults no webhook was lost. A clock that was ahead makes one sweep find the case read a moment ago;
        // then the next one reads it.
        let sweeps = i32::from(had_faults) + i32::from(skewed);
        let swept = later(soon, SWEEP * sweeps);
        world.agenda.add(calm, Due::Owed(0));
        world.agenda.add(soon, Due::Settled(0));
        world.agenda.add(soon, Due::Owed(1));
        world.agenda.add(swept, Due::Owed(2));
        world.agenda.add(swept, Due::Settled(1));
        let end = later(later(later(swept, PATIENCE), DECLARED), slack);
        world.agenda.add(end, Due::Settled(2));
        for minutes in (0..60).step_by(3) {
            world.agenda.add(world.in_ms(minutes * 60_000), Due::Redrive);
        }
        self.end = end;
    }

    /// An operator puts parked jobs back, each once.
    fn redrive(&mut self) {
        for parked in self.store.all_parked() {
            let Ok(job) = serde_json::from_slice::<Job>(&parked.original) else { continue };
            if self.redriven.insert(parked.original) {
                self.world.lock().note(Event::Redriven { key: super::jobs::key_of(&job) });
                self.start_request("operator", job, true);
            }
        }
    }
}

impl World {
    /// The clock of the machine that a worker of this name happens to run on. There are two of each.
    fn draw_skew(&mut self, name: &str) -> SignedDuration {
        let machine = self.rng.random_range(0..2_u8);
        let drawn = shared::ids::derive("clock", &[name, &machine.to_string(), &self.scenario.stop.to_string()]);
        let span = u128::try_from(2 * SKEW_MS).unwrap_or(1);
        let ms = i64::try_from(drawn.as_u128() % span).unwrap_or(0) - SKEW_MS;
        SignedDuration::from_millis(ms)
    }

    /// A webhook was answered with 200. WhatsApp may not have heard it.
    fn answered(&mut self, post: &Post) {
        for (customer, inbound) in &post.messages {
            let (customer, wamid) = (*customer, inbound.message.source.clone());
            self.note(Event::Acknowledged { customer, wamid });
        }
        for original in &post.garbage {
            self.note(Event::GarbageTaken { original: original.clone() });
        }
        let again = self.strike(&[Fault::HookRepeated, Fault::HookAgain], "WhatsApp");
        let wait = match again {
            Some(Fault::HookRepeated) => self.faults.between(0, 30_000),
            Some(_) => self.faults.between(60_000, 4 * 3_600_000),
            None => return,
        };
        let at = self.in_ms(wait);
        self.agenda.add(at, Due::Post(Box::new(post.clone())));
    }

    /// Whoever waited for an answer tries again: WhatsApp for days, a person at once.
    fn unanswered(&mut self, role: &Role) {
        match role {
            Role::Post(post) => {
                let wait = (1_000_i64 << post.attempt.min(6)).min(60_000);
                let again = Post { attempt: post.attempt + 1, ..(**post).clone() };
                self.agenda.add(self.in_ms(wait), Due::Post(Box::new(again)));
            }
            Role::Request(job) => self.agenda.add(self.in_ms(2_000), Due::Request(job.clone())),
            Role::Entry(_) | Role::Alone => {}
        }
    }
}

/// What an entry is about, for the timeline.
fn describe(job: Option<&Job>) -> String {
    use super::history::short;
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
