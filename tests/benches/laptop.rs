//! How quick and how big the laptop line is, measured from outside on the real program. Build it first, then run:
//! `cargo build --release -p switchboard && cargo bench -p switchboard-tests --bench laptop`.
//!
//! WhatsApp, the model and Creatio are the stand-ins of the tests, in this process, and answer at once. The debounce is
//! zero. So what is left between a webhook and the send that answers it is the line's own time.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the stand-ins do more for the tests than is needed here; a measurement that cannot go on fails"
)]

// The tests' own stand-ins, not copies of them.
#[path = "../tests/stand_ins"]
mod stand_ins {
    pub mod creatio;
    pub mod graph;
    pub mod model;
    pub mod neighbours;
    pub mod program;
    pub mod setup;
    pub mod wait;
    pub mod whatsapp;
}

#[path = "../tests/laptop"]
mod laptop {
    use crate::stand_ins::{creatio, graph, model, neighbours, program, setup, wait, whatsapp};
    pub mod line;
    pub mod stage;
}

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::laptop::stage::Stage;
use self::stand_ins::setup::{NUMBER, Setup};
use self::stand_ins::wait::{until, within};
use self::stand_ins::whatsapp::{Customer, contact, new_wamid, now, text, webhook};

/// Answers that are timed.
const ANSWERS: u32 = 300;
/// Customers who take turns in asking for them.
const CUSTOMERS: u32 = 30;
/// Sessions whose weight is measured.
const SESSIONS: u32 = 10_000;
/// Messages in one webhook while they are made.
const BATCH: u32 = 200;

#[tokio::main]
async fn main() {
    println!("answers: {ANSWERS} messages of {CUSTOMERS} customers, one after the other");
    println!("                                p50       p99       most");
    time_answers("every conversation a case", false).await;
    time_answers("a case only at a hand-off", true).await;
    weigh_sessions().await;
}

async fn time_answers(name: &str, case_only_on_handoff: bool) {
    let stage = Stage::with(|setup| *setup = quiet(case_only_on_handoff)).await;
    let mut waits = Vec::new();
    for number in 0..ANSWERS {
        let customer = Customer::number(number % CUSTOMERS);
        let before = stage.graph.received(&customer).len();
        let asked = Instant::now();
        stage.says(&customer, "Where is my order, please?").await;
        let answer = until("the answer", || stage.graph.received(&customer).get(before).cloned()).await;
        waits.push(answer.at.duration_since(asked));
    }
    waits.sort_unstable();
    let (half, rare) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!("{name}   {} {} {}", shown(half), shown(rare), shown(waits[waits.len() - 1]));
}

fn shown(wait: Duration) -> String {
    format!("{:6.1} ms", wait.as_secs_f64() * 1000.0)
}

/// Cases only at hand-offs: ten thousand cases at once would measure how quick the stand-in for Creatio is.
async fn weigh_sessions() {
    let stage = Stage::with(|setup| *setup = quiet(true)).await;
    let data = stage.line.data();
    println!("memory");
    println!("  with no session: {:.0} MB", resident(&data));
    let began = Instant::now();
    for first in (0..SESSIONS).step_by(usize::try_from(BATCH).unwrap()) {
        assert_eq!(stage.post_signed(&batch(first)).await, 200);
    }
    let all = usize::try_from(SESSIONS).unwrap();
    within(Duration::from_secs(1200), "every customer is answered", || {
        (stage.graph.count() >= all).then_some(())
    })
    .await;
    let (seconds, weight) = (began.elapsed().as_secs_f64(), resident(&data));
    println!("  with {SESSIONS} sessions, made and answered in {seconds:.0} s: {weight:.0} MB");
    println!("  on disk: {:.0} MB", stored(&data));
}

/// One webhook with a message of each of the next customers.
fn batch(first: u32) -> Value {
    let customers: Vec<Customer> = (first..first + BATCH).map(Customer::number).collect();
    let at = now();
    let messages: Vec<Value> = customers
        .iter()
        .map(|customer| text(customer, &new_wamid(), at, "Where is my order, please?"))
        .collect();
    let contacts: Vec<Value> = customers.iter().map(contact).collect();
    webhook(NUMBER, &json!({ "contacts": contacts, "messages": messages }))
}

fn quiet(case_only_on_handoff: bool) -> Setup {
    Setup { case_only_on_handoff, log: Some("warn"), ..Setup::default() }
}

/// The resident memory of the process that works on this folder, in MB of a million bytes.
fn resident(data: &Path) -> f64 {
    let mark = data.to_str().unwrap();
    let processes =
        std::fs::read_dir("/proc").expect("memory is read from /proc: this measurement needs Linux");
    let ours = processes.flatten().map(|entry| entry.path()).find(|process| {
        std::fs::read(process.join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
    });
    let status = std::fs::read_to_string(ours.expect("the line runs").join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024.0 / 1e6
}

/// What the folder's files weigh, in MB.
fn stored(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let sizes =
        entries.map(|entry| entry.metadata().map_or(0, |meta| if meta.is_file() { meta.len() } else { 0 }));
    sizes.sum::<u64>() as f64 / 1e6
}
