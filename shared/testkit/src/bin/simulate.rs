//! `simulate`: runs seeds, prints what they went through and, when a promise was broken, the shortest story found.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use shared_testkit::sim::{Counters, Fault, Keep, Mode, Options, Run, Sabotage, Violation, run, shrink};

/// The simulator of the support line.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run seeds and judge them.
    Simulate(Settings),
}

#[derive(Args)]
struct Settings {
    /// How many seeds.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this seed, with its timeline when it fails or `--timeline` is given.
    #[arg(long)]
    seed: Option<u64>,
    /// `fault-free`, `safety`, `liveness`; all in turn when absent.
    #[arg(long, value_parser = mode)]
    mode: Option<Mode>,
    /// A planted mistake, to see whether it is noticed.
    #[arg(long, value_parser = sabotage)]
    sabotage: Option<Sabotage>,
    /// Only these events of the script, by number.
    #[arg(long, value_delimiter = ',')]
    keep_events: Option<Vec<usize>>,
    /// Only these faults, by number.
    #[arg(long, value_delimiter = ',')]
    keep_faults: Option<Vec<u64>>,
    /// Kinds of faults that do not strike.
    #[arg(long, value_delimiter = ',', value_parser = fault)]
    without: Vec<Fault>,
    /// Fail when something that should be seen was never seen.
    #[arg(long)]
    require_coverage: bool,
    /// Print the timeline of `--seed`.
    #[arg(long)]
    timeline: bool,
    /// Show also workers that came and went without doing anything.
    #[arg(long)]
    idle: bool,
    /// Leave failing stories as long as they are.
    #[arg(long)]
    no_shrink: bool,
    /// How many threads run seeds side by side.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
}

fn mode(name: &str) -> Result<Mode, String> {
    Mode::named(name).ok_or_else(|| format!("one of {}", names(Mode::ALL.iter().map(|m| m.name()))))
}

fn sabotage(name: &str) -> Result<Sabotage, String> {
    Sabotage::named(name).ok_or_else(|| format!("one of {}", names(Sabotage::ALL.iter().map(|s| s.name()))))
}

fn fault(name: &str) -> Result<Fault, String> {
    Fault::named(name).ok_or_else(|| format!("one of {}", names(Fault::ALL.iter().map(|f| f.name()))))
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<_>>().join(", ")
}

fn main() -> ExitCode {
    let Task::Simulate(settings) = Cli::parse().command;
    match simulate(&settings, &mut io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(_) => ExitCode::from(2),
    }
}

fn simulate(settings: &Settings, out: &mut impl Write) -> io::Result<bool> {
    if let Some(seed) = settings.seed {
        return one(settings, seed, out);
    }
    let started = Instant::now();
    let total = every(settings);
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let seeds = total.seeds.to_string();
    let commands = f64::from(u32::try_from(total.counters.commands).unwrap_or(u32::MAX));
    let per_second = f64::from(u32::try_from(total.seeds).unwrap_or(u32::MAX)) / seconds;
    write!(out, "{}", total.counters)?;
    writeln!(
        out,
        "{seeds} seeds in {seconds:.1} s: {per_second:.0} seeds/s, {} commands, {:.0} commands/s, trace {:016x}",
        total.counters.commands,
        commands / seconds,
        total.hash
    )?;
    writeln!(out, "not applicable yet: I12 (secrets), I13 (money, beyond calls a turn), I15 (erasure)")?;
    for (seed, mode, violation) in total.failures.iter().skip(1).take(20) {
        writeln!(out, "also seed {seed} {}: {violation}", mode.name())?;
    }
    if let Some((seed, mode, violation)) = total.failures.first() {
        explain(settings, *seed, *mode, violation, out)?;
    }
    let missing = total.counters.missing();
    if !missing.is_empty() && (settings.require_coverage || settings.mode.is_none()) {
        writeln!(out, "never seen: {}", missing.join(", "))?;
    }
    Ok(total.failures.is_empty() && (missing.is_empty() || !settings.require_coverage))
}

/// What many seeds came to.
#[derive(Default)]
struct Total {
    seeds: u64,
    hash: u64,
    counters: Counters,
    failures: Vec<(u64, Mode, Violation)>,
}

fn every(settings: &Settings) -> Total {
    let next = AtomicU64::new(settings.from);
    let total = Mutex::new(Total::default());
    std::thread::scope(|scope| {
        for _ in 0..settings.jobs.max(1) {
            scope.spawn(|| {
                let mut own = Total::default();
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= settings.from + settings.seeds {
                        break;
                    }
                    own.take(seed, settings);
                }
                if let Ok(mut total) = total.lock() {
                    total.add(own);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap_or_default();
    total.failures.sort_by_key(|(seed, ..)| *seed);
    total
}

impl Total {
    fn take(&mut self, seed: u64, settings: &Settings) {
        let mode = mode_of(seed, settings);
        let run = run(seed, &options(settings, mode));
        self.seeds += 1;
        self.hash ^= run.hash.rotate_left(u32::try_from(seed % 64).unwrap_or(0));
        self.counters.add(&run.counters);
        self.failures.extend(run.violations.into_iter().map(|violation| (seed, mode, violation)));
    }

    fn add(&mut self, other: Self) {
        self.seeds += other.seeds;
        self.hash ^= other.hash;
        self.counters.add(&other.counters);
        self.failures.extend(other.failures);
    }
}

fn mode_of(seed: u64, settings: &Settings) -> Mode {
    let turn = usize::try_from(seed % 3).unwrap_or(0);
    settings.mode.unwrap_or_else(|| Mode::ALL.get(turn).copied().unwrap_or(Mode::Safety))
}

fn options(settings: &Settings, mode: Mode) -> Options {
    let keep = Keep {
        events: settings.keep_events.clone().map(BTreeSet::from_iter),
        faults: settings.keep_faults.clone().map(BTreeSet::from_iter),
        without: settings.without.iter().copied().collect(),
    };
    Options { sabotage: settings.sabotage, keep, idle: settings.idle, ..Options::new(mode) }
}

fn one(settings: &Settings, seed: u64, out: &mut impl Write) -> io::Result<bool> {
    let mode = mode_of(seed, settings);
    let run = run(seed, &Options { record: true, ..options(settings, mode) });
    if settings.timeline {
        show(&run, out)?;
    }
    writeln!(out, "seed {seed} {}: trace {:016x}", mode.name(), run.hash)?;
    for violation in &run.violations {
        writeln!(out, "{violation}")?;
    }
    if let Some(violation) = run.violations.first().filter(|_| !settings.timeline) {
        explain(settings, seed, mode, violation, out)?;
    }
    Ok(run.violations.is_empty())
}

fn explain(
    settings: &Settings,
    seed: u64,
    mode: Mode,
    violation: &Violation,
    out: &mut impl Write,
) -> io::Result<()> {
    let (mut keep, mut shown) = (options(settings, mode).keep, None);
    if !settings.no_shrink {
        let (smaller, run) = shrink(seed, &options(settings, mode), violation.invariant);
        (keep, shown) = (smaller, Some(run));
    }
    if let Some(run) = shown {
        writeln!(out, "\nthe shortest story found in which {} is broken:", violation.invariant)?;
        show(&run, out)?;
        for violation in &run.violations {
            writeln!(out, "{violation}")?;
        }
    }
    writeln!(out, "\nseed {seed} {}: {violation}", mode.name())?;
    writeln!(out, "again: {}", again(seed, mode, settings, &Keep::default()))?;
    writeln!(out, "short: {}", again(seed, mode, settings, &keep))
}

fn show(run: &Run, out: &mut impl Write) -> io::Result<()> {
    for line in &run.timeline {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn again(seed: u64, mode: Mode, settings: &Settings, keep: &Keep) -> String {
    let mut line = format!(
        "cargo run -p shared-testkit --release -- simulate --timeline --seed {seed} --mode {}",
        mode.name()
    );
    if let Some(sabotage) = settings.sabotage {
        line.push_str(&format!(" --sabotage {}", sabotage.name()));
    }
    if let Some(events) = &keep.events {
        line.push_str(&format!(" --keep-events {}", list(events.iter())));
    }
    if let Some(faults) = &keep.faults {
        line.push_str(&format!(" --keep-faults {}", list(faults.iter())));
    }
    if !keep.without.is_empty() {
        line.push_str(&format!(
            " --without {}",
            names(keep.without.iter().map(|f| f.name())).replace(' ', "")
        ));
    }
    line
}

fn list(numbers: impl Iterator<Item = impl ToString>) -> String {
    let shown: Vec<String> = numbers.map(|number| number.to_string()).collect();
    // An empty list would be taken for "all".
    if shown.is_empty() { "999999".to_owned() } else { shown.join(",") }
}
