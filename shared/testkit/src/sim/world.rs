//! What one run shares: the time, the dice, who is at work, the agenda, the vendors and the history.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::{Message, SessionId};
use shared_flow::ports::{Job, LineSettings, OrgSettings, PortError};

use super::Options;
use super::agenda::Agenda;
use super::counters::Counters;
use super::creatio::Creatio;
use super::fault::{Fault, Faults};
use super::history::{Event, History};
use super::model::Oracle;
use super::sabotage::Sabotage;
use super::scenario::{Scenario, Target};
use super::whatsapp::Whatsapp;
use crate::memory::VirtualClock;

/// A handle to the world. Everything runs on one thread; the lock only satisfies the ports' `Sync`.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world, for a moment. Never held across a wait.
    pub(super) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one run shares.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) clock: VirtualClock,
    pub(super) scenario: Arc<Scenario>,
    pub(super) rng: SmallRng,
    pub(super) faults: Faults,
    pub(super) agenda: Agenda,
    pub(super) workers: BTreeMap<u32, Worker>,
    /// Who is being polled; 0 for nobody.
    pub(super) current: u32,
    /// What the polled worker asks of the scheduler.
    pub(super) signal: Signal,
    pub(super) history: History,
    pub(super) counters: Counters,
    pub(super) whatsapp: Whatsapp,
    pub(super) creatio: Creatio,
    pub(super) oracle: Oracle,
    pub(super) sabotage: Option<Sabotage>,
    /// Targets that cannot be reached, and until when.
    pub(super) cut_off: BTreeMap<Target, Timestamp>,
    /// Whether a queue has changed since the scheduler last looked.
    pub(super) queues_moved: bool,
    /// The state of each session after its last commit.
    pub(super) states: BTreeMap<SessionId, &'static str>,
    /// Whether the workers' clocks differ.
    pub(super) skewed: bool,
    /// How often each sabotage had its chance, so that it strikes now and then.
    pub(super) sabotaged: u32,
}

/// What a worker that returned `Pending` waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Its next turn, not before this time.
    Resume(Timestamp),
    /// Nothing any more: it died.
    Die,
}

/// One run of a worker.
#[derive(Default)]
pub(super) struct Worker {
    pub(super) name: &'static str,
    /// How far its clock is off.
    pub(super) skew: SignedDuration,
    pub(super) job: Option<Arc<Job>>,
    pub(super) read: Read,
}

/// What a worker has read last: what its decision is made of.
#[derive(Default)]
pub(super) struct Read {
    pub(super) open: Vec<Message>,
    pub(super) org: Option<OrgSettings>,
    pub(super) line: Option<LineSettings>,
}

impl World {
    pub(super) fn new(seed: u64, options: &Options, scenario: Arc<Scenario>, clock: VirtualClock) -> Self {
        Self {
            now: scenario.start,
            clock,
            rng: SmallRng::seed_from_u64(seed ^ 0x0077_1d0e),
            faults: Faults::new(seed, options.mode.has_faults(), options.keep.clone()),
            agenda: Agenda::default(),
            workers: BTreeMap::new(),
            current: 0,
            signal: Signal::Die,
            history: History::new(options.record, options.idle),
            counters: Counters::default(),
            whatsapp: Whatsapp::new(scenario.customers.len()),
            creatio: Creatio::default(),
            oracle: Oracle::default(),
            sabotage: options.sabotage,
            cut_off: BTreeMap::new(),
            queues_moved: true,
            sabotaged: 0,
            skewed: false,
            states: BTreeMap::new(),
            scenario,
        }
    }

    /// Moves the time.
    pub(super) fn set_time(&mut self, now: Timestamp) {
        self.now = now;
        self.clock.set(now);
    }

    /// A time from now.
    pub(super) fn in_ms(&self, ms: i64) -> Timestamp {
        later(self.now, SignedDuration::from_millis(ms))
    }

    /// What the polled worker's clock shows.
    pub(super) fn local_now(&self) -> Timestamp {
        self.workers.get(&self.current).map_or(self.now, |worker| later(self.now, worker.skew))
    }

    /// What the polled worker has read so far, to be added to.
    pub(super) fn read(&mut self) -> Option<&mut Read> {
        self.workers.get_mut(&self.current).map(|worker| &mut worker.read)
    }

    /// The state of a session, by name; a new one begins with the assistant.
    pub(super) fn state_of(&self, session: SessionId) -> &'static str {
        self.states.get(&session).copied().unwrap_or("assistant")
    }

    /// Writes down what happened.
    pub(super) fn note(&mut self, event: Event) {
        let who = self.workers.get(&self.current).map_or("", |worker| worker.name);
        self.history.push(self.now, self.current, who, event);
    }

    /// At most one of the candidates strikes here and now.
    pub(super) fn strike(&mut self, candidates: &[Fault], at: &'static str) -> Option<Fault> {
        let (fault, number) = self.faults.strike(candidates)?;
        self.counters.struck(fault);
        self.note(Event::Struck { fault, number, at });
        Some(fault)
    }

    /// A fault drawn with the script or at the start of a worker strikes, unless this run is shrunk without it.
    pub(super) fn admit(&mut self, fault: Fault, at: &'static str) -> bool {
        let Some((fault, number)) = self.faults.admitted(fault) else { return false };
        self.counters.struck(fault);
        self.note(Event::Struck { fault, number, at });
        true
    }

    /// Whether the target cannot be reached now.
    pub(super) fn is_cut_off(&self, target: Target) -> bool {
        self.faults.on() && self.cut_off.get(&target).is_some_and(|until| *until > self.now)
    }

    /// Whether this sabotage is on and strikes now: one time in `often`, beginning with the first.
    pub(super) fn sabotages(&mut self, sabotage: Sabotage, often: u32) -> bool {
        if self.sabotage != Some(sabotage) {
            return false;
        }
        self.sabotaged += 1;
        (self.sabotaged - 1).is_multiple_of(often)
    }

    /// How long a call takes when all is well: mostly nothing, so that only the order of workers varies.
    pub(super) fn usual_wait(&mut self) -> i64 {
        match self.rng.random_range(0..16_u32) {
            0 => 20,
            1 => 5,
            2 => 1,
            _ => 0,
        }
    }
}

/// `at` and then some, held at the ends of time.
pub(super) fn later(at: Timestamp, wait: SignedDuration) -> Timestamp {
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// The error of a store, queue or settings port that did not answer.
pub(super) fn unavailable(target: Target) -> PortError {
    PortError::Unavailable { what: target.name(), why: "no answer".to_owned() }
}
