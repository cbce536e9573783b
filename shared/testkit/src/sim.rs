//! The simulator: the real flow code over in-memory ports, under a virtual clock, with seeded faults and a judge.
//!
//! One seed is one story: some customers, reps and operators, some machines, and what goes wrong. Everything runs on
//! one thread; each call of a port hands the turn back to a scheduler that draws who moves next, so a seed names one
//! interleaving and running it again gives the same one. See [`run`].

mod actors;
mod agenda;
mod check;
mod counters;
mod creatio;
mod fault;
mod history;
mod jobs;
mod model;
mod owed;
mod pause;
mod ports;
mod runner;
mod sabotage;
mod scenario;
mod shrink;
mod whatsapp;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use check::Violation;
pub use counters::Counters;
pub use fault::{Fault, Keep};
pub use sabotage::Sabotage;
pub use shrink::shrink;

use crate::memory::{MemoryQueues, MemoryStore, VirtualClock};
use check::Evidence;
use ports::SimPorts;
use runner::Runner;
use scenario::Scenario;
use world::{Shared, World};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Nothing goes wrong: everything must be done, and nothing twice.
    FaultFree,
    /// Things go wrong until the end: nothing may be lost, doubled or misdirected.
    Safety,
    /// Things go wrong and then stop: after that everything must be done in time.
    Liveness,
}

impl Mode {
    /// All of them.
    pub const ALL: &[Self] = &[Self::FaultFree, Self::Safety, Self::Liveness];

    /// The name used on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FaultFree => "fault-free",
            Self::Safety => "safety",
            Self::Liveness => "liveness",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mode| mode.name() == name)
    }

    fn has_faults(self) -> bool {
        self != Self::FaultFree
    }

    fn converges(self) -> bool {
        self != Self::Safety
    }
}

/// How a seed is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the run is for.
    pub mode: Mode,
    /// A planted mistake that the judge must notice.
    pub sabotage: Option<Sabotage>,
    /// What is left of the story when it is shrunk.
    pub keep: Keep,
    /// Whether to keep a timeline to show.
    pub record: bool,
    /// Whether the timeline shows also workers that came and went without doing anything.
    pub idle: bool,
}

impl Options {
    /// The whole story, in this mode.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self { mode, sabotage: None, keep: Keep::default(), record: false, idle: false }
    }
}

/// What came of a seed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The same for the same seed and options.
    pub hash: u64,
    /// What it went through.
    pub counters: Counters,
    /// The promises that were broken, the first of each sort.
    pub violations: Vec<Violation>,
    /// What happened, if it was to be recorded.
    pub timeline: Vec<String>,
    /// How many events the script had.
    pub events: usize,
    /// The faults that struck, by number.
    pub struck: BTreeSet<u64>,
}

impl Run {
    /// Whether this promise was broken.
    #[must_use]
    pub fn broke(&self, invariant: &str) -> bool {
        self.violations.iter().any(|violation| violation.invariant == invariant)
    }
}

/// Runs one seed to its end and judges it.
#[must_use]
pub fn run(seed: u64, options: &Options) -> Run {
    let scenario = Arc::new(Scenario::draw(seed, options.mode.has_faults()));
    let clock = VirtualClock::new(scenario.start);
    let queues = MemoryQueues::new(clock.clone());
    let settings = scenario.settings();
    let world = Shared::new(World::new(seed, options, scenario.clone(), clock));
    let ports = SimPorts { world: world.clone(), store: MemoryStore::new(), queues, settings };
    let mut runner = Runner::new(world.clone(), Arc::new(ports), options.mode.converges());
    runner.run();
    conclude(&runner, &scenario, options)
}

fn conclude(runner: &Runner, scenario: &Scenario, options: &Options) -> Run {
    let world = runner.world.lock();
    let waiting = runner.queues.all();
    let evidence = Evidence {
        entries: world.history.entries(),
        scenario,
        store: &runner.store,
        waiting: waiting.iter().filter_map(|ticket| jobs::key_of(&ticket.job)).collect(),
        unpaid: &runner.ledger.unpaid,
        faults: options.mode.has_faults(),
    };
    Run {
        hash: world.history.hash(),
        counters: world.counters.clone(),
        violations: check::judge(&evidence),
        timeline: if options.record { world.history.timeline() } else { Vec::new() },
        events: scenario.script.len(),
        struck: world.history.struck(),
    }
}
