//! The result: which function was killed at which call, on which side, and whether all went on as if nothing had happened.

use std::collections::BTreeMap;
use std::fmt;

use super::super::proxy::Side;
use super::places::Kill;
use super::telling::Outcome;

#[derive(Default)]
struct Row {
    before: usize,
    after: usize,
    bad: usize,
}

/// Rows by function and call.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<(&'static str, String), Row>,
    failures: Vec<String>,
}

impl Table {
    /// Adds a kill.
    pub fn add(&mut self, kill: &Kill, outcome: Outcome) {
        let row = self.rows.entry((kill.place.function, kill.place.what.clone())).or_default();
        match kill.side {
            Side::Before => row.before += 1,
            Side::After => row.after += 1,
        }
        let why = match outcome {
            Outcome::Mended => return,
            Outcome::Missed => "the call was not made again, so nothing was killed".to_owned(),
            Outcome::Broken(why) => why,
        };
        row.bad += 1;
        self.failures.push(format!("{kill}\n{why}"));
    }

    /// What went wrong.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// How many kills there were.
    pub fn count(&self) -> usize {
        self.rows.values().map(|row| row.before + row.after).sum()
    }

    /// How many kills of a function there were.
    pub fn of(&self, function: &str) -> usize {
        self.rows.iter().filter(|((of, _), _)| *of == function).map(|(_, row)| row.before + row.after).sum()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<18}{:<52}{:>7}{:>7}", "function", "killed at the call", "before", "after")?;
        for ((function, what), row) in &self.rows {
            let verdict = if row.bad == 0 { "ok".to_owned() } else { format!("{} BROKEN", row.bad) };
            writeln!(f, "{function:<18}{what:<52}{:>7}{:>7}  {verdict}", row.before, row.after)?;
        }
        writeln!(f, "{} kills, {} broken", self.count(), self.failures.len())
    }
}
