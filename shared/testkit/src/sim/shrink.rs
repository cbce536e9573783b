//! Makes a failing story short: leaves out kinds of faults, events and single faults as long as the same promise breaks.

use std::collections::BTreeSet;

use super::fault::{Fault, Keep};
use super::{Options, Run, run};

/// The most runs a shrinking takes.
const MOST: usize = 1_500;

/// The smallest story found in which the same promise is broken, and its run with a timeline.
#[must_use]
pub fn shrink(seed: u64, options: &Options, invariant: &str) -> (Keep, Run) {
    let mut shrinking =
        Shrinking { seed, options: Options { record: false, ..options.clone() }, invariant, runs: 0 };
    shrinking.leave_out_kinds();
    let mut left = usize::MAX;
    while shrinking.left() < left && shrinking.runs < MOST {
        left = shrinking.left();
        shrinking.leave_out_faults();
        shrinking.leave_out_events();
    }
    let last = Options { record: true, ..shrinking.options };
    let run = run(seed, &last);
    (last.keep, run)
}

struct Shrinking<'a> {
    seed: u64,
    options: Options,
    invariant: &'a str,
    runs: usize,
}

impl Shrinking<'_> {
    /// How much of the story is left.
    fn left(&self) -> usize {
        let keep = &self.options.keep;
        let events = keep.events.as_ref().map_or(usize::MAX / 4, BTreeSet::len);
        events + keep.faults.as_ref().map_or(usize::MAX / 4, BTreeSet::len)
    }

    /// Takes the smaller story if the promise is broken in it too.
    fn attempt(&mut self, keep: Keep) -> Option<Run> {
        if self.runs >= MOST {
            return None;
        }
        self.runs += 1;
        let options = Options { keep, ..self.options.clone() };
        let run = run(self.seed, &options);
        run.broke(self.invariant).then(|| {
            self.options = options;
            run
        })
    }

    fn leave_out_kinds(&mut self) {
        let mut counters = run(self.seed, &self.options).counters;
        for fault in Fault::ALL {
            let mut keep = self.options.keep.clone();
            if counters.hits(*fault) > 0
                && keep.without.insert(*fault)
                && let Some(shorter) = self.attempt(keep)
            {
                counters = shorter.counters;
            }
        }
    }

    fn leave_out_events(&mut self) {
        let all = run(self.seed, &self.options).events;
        let kept: Vec<usize> = match &self.options.keep.events {
            Some(kept) => kept.iter().copied().collect(),
            None => (0..all).collect(),
        };
        self.thin_out(kept, |keep, events: BTreeSet<usize>| keep.events = Some(events));
    }

    fn leave_out_faults(&mut self) {
        let kept: Vec<u64> = run(self.seed, &self.options).struck.into_iter().collect();
        self.thin_out(kept, |keep, faults: BTreeSet<u64>| keep.faults = Some(faults));
    }

    /// Leaves out ever smaller pieces until no single item can be left out.
    fn thin_out<T: Ord + Copy>(&mut self, mut kept: Vec<T>, set: impl Fn(&mut Keep, BTreeSet<T>)) {
        let mut piece = kept.len().div_ceil(2).max(1);
        loop {
            let mut from = 0;
            while from < kept.len() {
                let without: Vec<T> = kept
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| *at < from || *at >= from + piece)
                    .map(|(_, t)| *t)
                    .collect();
                let mut keep = self.options.keep.clone();
                set(&mut keep, without.iter().copied().collect());
                if self.attempt(keep).is_some() {
                    kept = without;
                } else {
                    from += piece;
                }
            }
            if piece == 1 || kept.is_empty() {
                return;
            }
            piece = piece.div_ceil(2);
        }
    }
}
