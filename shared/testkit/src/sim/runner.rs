//! The scheduler: one thread, one step at a time. The seed chooses who moves; time passes only when nobody can.

mod ending;
mod marks;
mod starting;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use shared_flow::ports::Job;

use super::agenda::{Due, Post};
use super::jobs::{Flows, Work};
use super::owed::Ledger;
use super::ports::SimPorts;
use super::world::{Shared, Signal, later};
use crate::memory::{MemoryQueues, MemorySettings, MemoryStore};

/// The most that clocks differ from the true time, in milliseconds.
pub(super) const SKEW_MS: i64 = 600_000;
/// How long what is owed may take once nothing goes wrong any more.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);
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
            Due::Hook { org, case } => {
                self.start_request("creatio-webhook", Job::LookAtCase { org, case }, false)
            }
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
}
