//! The end of all faults, and by when what is owed must be paid.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use shared_flow::ports::Job;

use super::{PATIENCE, Runner, SKEW_MS};
use crate::sim::agenda::Due;
use crate::sim::history::Event;
use crate::sim::jobs::key_of;
use crate::sim::owed::{Owed, last_declared};
use crate::sim::world::later;

/// The declared deadlines on top: the waits of two unknown outcomes, a lost worker's queue entry and leases, the
/// check that workers missed nothing, the clock's own minute.
const DECLARED: SignedDuration = SignedDuration::from_secs(2 * 110 + 360 + 120 + 60);
/// How long the CRM's case of a quiet session may go unread.
const SWEEP: SignedDuration = SignedDuration::from_mins(61);

impl Runner {
    /// From here on nothing goes wrong, and what is owed is paid.
    pub(super) fn stop(&mut self) {
        let mut guard = self.world.lock();
        let world = &mut *guard;
        if !self.converges {
            return;
        }
        let skewed = std::mem::take(&mut world.skewed);
        let had_faults = world.faults.on();
        world.faults.stop();
        self.unreadable.clear();
        // What could not be read once more after it was put back is put back again; keys absorb what was read.
        self.redriven.clear();
        world.note(Event::Remark("from here on nothing goes wrong"));
        let slack = SignedDuration::from_millis(if skewed { 2 * SKEW_MS } else { 0 });
        let calm = last_declared(&self.store, world.now);
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

    pub(super) fn owed(&self) -> BTreeSet<Owed> {
        crate::sim::owed::owed(&self.world.lock(), &self.store)
    }

    pub(super) fn settle(&mut self, mark: u8) {
        let owed = self.owed();
        let now = self.world.lock().now;
        self.ledger.settle(mark, &owed, now);
    }

    /// An operator puts parked jobs back, each once.
    pub(super) fn redrive(&mut self) {
        for parked in self.store.all_parked() {
            let Ok(job) = serde_json::from_slice::<Job>(&parked.original) else { continue };
            if self.redriven.insert(parked.original) {
                self.world.lock().note(Event::Redriven { key: key_of(&job) });
                self.start_request("operator", job, true);
            }
        }
    }
}
