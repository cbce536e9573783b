//! How big the functions are and what their start costs: `cargo bench -p switchboard-tests --bench start`.
//!
//! It takes the release bootstraps, starts each one many times as Lambda does, and looks at it the moment it asks for its
//! first event. A Python and a Node function that build the same clients are started beside them, where those runtimes
//! are there. It fails when a function is over its budget. Linux only: processor time and memory are read from `/proc`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a measurement that cannot go on fails"
)]

mod start {
    pub mod bootstraps;
    pub mod others;
    pub mod process;
    pub mod program;
    pub mod runtime_api;
}

use std::process::ExitCode;

use self::start::bootstraps::{self, Bootstrap};
use self::start::others;
use self::start::program::{Cost, Program};
use self::start::runtime_api::RuntimeApi;

/// What one function may weigh, in bytes of its zip.
const ZIPPED: u64 = 8_000_000;
/// What its start may cost in processor time, user and system, in milliseconds.
const CPU_MS: f64 = 15.0;
/// What it may hold in memory when it asks for its first event, in bytes.
const RESIDENT: u64 = 25_000_000;

#[tokio::main]
async fn main() -> ExitCode {
    let api = RuntimeApi::start().await;
    let bootstraps = match bootstraps::find() {
        Ok(found) => found,
        Err(missing) => {
            eprintln!("{missing}");
            return ExitCode::FAILURE;
        }
    };
    println!(
        "medians of {} starts each, from spawn to the first GET …/invocation/next",
        start::program::STARTS
    );
    println!("{:<34} {:>12} {:>14} {:>10} {:>12}", "", "zipped", "CPU", "wall", "resident");
    let budget = format!("{CPU_MS:.0} ms");
    println!("{:<34} {:>12} {budget:>14} {:>10} {:>12}", "budget", mb(ZIPPED), "none", mb(RESIDENT));
    let mut over = Vec::new();
    for bootstrap in &bootstraps {
        over.extend(measure(&api, bootstrap).await);
    }
    compare(&api).await;
    for line in &over {
        eprintln!("over budget: {line}");
    }
    if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures and prints one function; gives what is over its budget, in words.
async fn measure(api: &RuntimeApi, bootstrap: &Bootstrap) -> Vec<String> {
    let cost = bootstrap.program().cost(api).await;
    let (name, zipped, cpu) = (&bootstrap.name, bootstrap.zipped, cost.cpu_ms());
    let fits = [zipped <= ZIPPED, cpu <= CPU_MS, cost.resident <= RESIDENT];
    let (size, time, memory) = (
        verdict(&mb(zipped), fits[0]),
        verdict(&format!("{cpu:.1} ms"), fits[1]),
        verdict(&mb(cost.resident), fits[2]),
    );
    println!("{name:<34} {size:>12} {time:>14} {:>10} {memory:>12}", wall(&cost));
    let over = ["zipped size", "processor time", "resident memory"].into_iter().zip(fits);
    over.filter(|(_, fits)| !fits).map(|(what, _)| format!("{name}: {what}")).collect()
}

/// The same work in the languages whose runtimes are at hand.
async fn compare(api: &RuntimeApi) {
    for found in [others::python(), others::node()] {
        match found {
            Ok(program) => print_other(&program, &program.cost(api).await),
            Err(skipped) => println!("{skipped}"),
        }
    }
}

fn print_other(program: &Program, cost: &Cost) {
    let (name, time) = (&program.name, format!("{:.1} ms", cost.cpu_ms()));
    println!("{name:<34} {:>12} {time:>14} {:>10} {:>12}", "", wall(cost), mb(cost.resident));
}

fn verdict(figure: &str, fits: bool) -> String {
    format!("{figure} {}", if fits { "ok" } else { "OVER" })
}

fn wall(cost: &Cost) -> String {
    format!("{:.1} ms", cost.wall.as_secs_f64() * 1000.0)
}

/// Bytes as megabytes of a million.
fn mb(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a size that is shown with one digit")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}
