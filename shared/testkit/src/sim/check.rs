//! The judge: goes through the history once more and says which promise was broken. It trusts what the customer, the
//! rep and the store saw, not what the line believed.

mod filing;
mod fold;
mod intake;
mod sending;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use super::history::Entry;
use super::owed::Owed;
use super::scenario::Scenario;
use crate::memory::MemoryStore;
use fold::Fold;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which: I1 to I16 of the design.
    pub invariant: &'static str,
    /// When it was broken, or noticed.
    pub at: Timestamp,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken at {}: {}", self.invariant, self.at, self.what)
    }
}

/// What the judge is given.
pub(super) struct Evidence<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) scenario: &'a Scenario,
    pub(super) store: &'a MemoryStore,
    /// The keys of facts that still wait on a queue.
    pub(super) waiting: BTreeSet<String>,
    pub(super) unpaid: &'a [(Timestamp, Owed)],
    /// Whether clocks may have differed.
    pub(super) faults: bool,
}

/// Where broken promises are written down: the first of each sort.
#[derive(Default)]
pub(super) struct Findings {
    found: Vec<Violation>,
}

impl Findings {
    fn add(&mut self, invariant: &'static str, at: Timestamp, what: impl FnOnce() -> String) {
        if !self.found.iter().any(|known| known.invariant == invariant) {
            self.found.push(Violation { invariant, at, what: what() });
        }
    }

    /// Writes it down unless the promise was kept.
    fn expect(&mut self, kept: bool, invariant: &'static str, at: Timestamp, what: impl FnOnce() -> String) {
        if !kept {
            self.add(invariant, at, what);
        }
    }
}

/// Every promise that was broken, in the order in which it was noticed.
pub(super) fn judge(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut findings = Findings::default();
    let mut fold = Fold::default();
    let mut intake = intake::Intake::default();
    let mut sending = sending::Sending::default();
    let mut filing = filing::Filing::default();
    for entry in evidence.entries {
        intake.see(&fold, entry, evidence, &mut findings);
        sending.see(&fold, entry, evidence, &mut findings);
        filing.see(&fold, entry, evidence, &mut findings);
        fold.see(entry, evidence, &mut findings);
    }
    intake.finish(evidence, &mut findings);
    sending.finish(evidence, &mut findings);
    fold.finish(evidence, &mut findings);
    for (at, debt) in evidence.unpaid {
        findings.add("I10", *at, || debt.to_string());
    }
    findings.found
}
