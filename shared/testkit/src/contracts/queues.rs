//! What the queues promise: every job arrives as it was sent, commands in order within their lane, turns not too soon.
//!
//! Arriving twice is allowed, so the suite looks for what it sent and passes over everything else.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::agent::{GaveUp, Verdict};
use shared::delivery::{Receipt, Trouble};
use shared::ids::derive;
use shared::session::{By, CaseClosure, Conclusion, CustomerMessage, DeliveryEnd, Fate, RepReply};
use shared::{Command, Kind, SessionId};
use shared_flow::ports::{Envelope, Job, Queues, StatusNote, Target};

use super::{customer, line, now, org};

/// The workers' side of the queues.
#[async_trait]
pub trait QueueReader: Send + Sync {
    /// Waits until the queue that this job belongs to has something to read, takes it and finishes it.
    /// Returns it in the order of arrival; empty when nothing came for longer than a healthy queue takes.
    async fn next(&self, like: &Job) -> Vec<Job>;

    /// The time by which these queues keep turns back.
    fn now(&self) -> Timestamp;
}

/// Checks the queues.
pub async fn queues(queues: &dyn Queues, reader: &dyn QueueReader) {
    every_job_arrives_as_it_was_sent(queues, reader).await;
    commands_keep_their_order_within_a_lane(queues, reader).await;
    a_turn_waits(queues, reader).await;
    a_repeated_fact_is_not_lost(queues, reader).await;
    difficult_text_arrives_whole(queues, reader).await;
    nothing_is_nothing_to_send(queues).await;
}

async fn sent(queues: &dyn Queues, jobs: &[Job]) {
    queues.send(jobs).await.expect("accepted");
}

/// Reads until all of these jobs of one queue have come, and returns them in the order in which they came first.
async fn arrived(reader: &dyn QueueReader, wanted: &[Job]) -> Vec<Job> {
    let mut came: Vec<Job> = Vec::new();
    while came.len() < wanted.len() {
        let read = reader.next(&wanted[0]).await;
        assert!(!read.is_empty(), "{} of {} jobs came, then no more", came.len(), wanted.len());
        for job in read {
            if wanted.contains(&job) && !came.contains(&job) {
                came.push(job);
            }
        }
    }
    came
}

fn session(name: &str) -> SessionId {
    SessionId(derive("contract", &[name]))
}

fn command(lane: &str, key: Option<String>, command: Command) -> Job {
    let target = Target::Session(session(lane));
    let envelope = Envelope { org: org("queues"), target, key, command, at: now() };
    Job::Command { lane: derive("lane", &[lane]).to_string(), envelope: Box::new(envelope) }
}

fn wrote(text: &str) -> Command {
    Command::CustomerWrote(CustomerMessage {
        source: "wamid.HBgLMTIwMjU1NTAxNDI=".to_owned(),
        kind: Kind::Text,
        text: text.to_owned(),
        at: now(),
        customer: customer("US.13491208655302741918"),
        name: Some("Zoë".to_owned()),
    })
}

fn commands() -> Vec<Command> {
    let by = || By { via: "inbox".to_owned() };
    let trouble = Trouble { code: Some(131_047), text: "the window is closed".to_owned() };
    vec![
        wrote("Hello"),
        Command::AgentConcluded(Conclusion { turn: 7, verdict: Verdict::GaveUp(GaveUp::Unavailable) }),
        Command::RepReplied(RepReply { record: "r-1".to_owned(), text: "Done.".to_owned() }),
        Command::CaseClosed(CaseClosure { case: "c-1".to_owned() }),
        Command::DeliveryEnded(DeliveryEnd { seq: 3, fate: Fate::Held, trouble }),
        Command::DeliveryReopened { seq: u64::MAX },
        Command::WindowReopened { at: now() },
        Command::HandoffRequested(by()),
        Command::HandBackRequested(by()),
        Command::ResolveRequested(by()),
        Command::Woke,
    ]
}

fn notes() -> Vec<Job> {
    let note = |receipt, trouble, callback: Option<&str>| {
        let vendor_id = "wamid.HBgLMTIwMjU1NTAxNDI=".to_owned();
        let callback = callback.map(str::to_owned);
        Job::Status(StatusNote { org: org("queues"), vendor_id, callback, receipt, trouble, at: now() })
    };
    let trouble = Trouble { code: None, text: "no such number".to_owned() };
    vec![note(Receipt::Read, None, Some("m-1")), note(Receipt::Failed, Some(trouble), None)]
}

async fn every_job_arrives_as_it_was_sent(queues: &dyn Queues, reader: &dyn QueueReader) {
    let (org, session) = (org("queues"), session("every"));
    let to_a_customer = Envelope {
        org: org.clone(),
        target: Target::Customer { line: line(), customer: customer("US.1") },
        key: Some("wa:1".to_owned()),
        command: wrote("Hi"),
        at: now(),
    };
    let each_in_a_lane = |(n, fact)| command(&format!("every {n}"), None, fact);
    let mut facts: Vec<Job> = commands().into_iter().enumerate().map(each_in_a_lane).collect();
    facts.push(Job::Command { lane: session.to_string(), envelope: Box::new(to_a_customer) });
    let pokes = vec![Job::Deliver { org: org.clone(), session }];
    let crm = vec![
        Job::SyncCrm { org: org.clone(), session },
        Job::LookAtCase { org: org.clone(), case: derive("contract", &["case"]) },
    ];
    let turns = vec![Job::Turn { org, session, number: 1, wait: SignedDuration::ZERO }];
    let all = [facts, pokes, crm, turns, notes()];
    sent(queues, &all.concat()).await;
    for of_one_queue in all {
        assert_eq!(arrived(reader, &of_one_queue).await.len(), of_one_queue.len());
    }
}

/// Enough for several requests where a request holds only some, in two lanes that take turns.
async fn commands_keep_their_order_within_a_lane(queues: &dyn Queues, reader: &dyn QueueReader) {
    let fact = |n: usize| {
        let lane = if n.is_multiple_of(3) { "slow" } else { "busy" };
        command(lane, Some(format!("order:{n}")), wrote(&format!("message {n}")))
    };
    let jobs: Vec<Job> = (0..24).map(fact).collect();
    sent(queues, &jobs[..20]).await;
    sent(queues, &jobs[20..]).await;
    let came = arrived(reader, &jobs).await;
    for one in &jobs[..2] {
        assert_eq!(of_the_lane(one, &came), of_the_lane(one, &jobs));
    }
}

fn of_the_lane<'a>(of: &Job, jobs: &'a [Job]) -> Vec<&'a Job> {
    jobs.iter().filter(|job| lane(job) == lane(of)).collect()
}

fn lane(job: &Job) -> Option<&str> {
    if let Job::Command { lane, .. } = job { Some(lane) } else { None }
}

async fn a_turn_waits(queues: &dyn Queues, reader: &dyn QueueReader) {
    let turn = |number, millis| Job::Turn {
        org: org("queues"),
        session: session("waits"),
        number,
        wait: SignedDuration::from_millis(millis),
    };
    // A part of a second counts: the turn must not come before it is due.
    let (late, overdue) = (turn(1, 1_200), turn(2, -5_000));
    let begun = reader.now();
    sent(queues, &[late.clone(), overdue.clone()]).await;
    assert_eq!(arrived(reader, std::slice::from_ref(&overdue)).await, [overdue]);
    assert_eq!(arrived(reader, std::slice::from_ref(&late)).await, [late]);
    let waited = reader.now().duration_since(begun);
    assert!(waited >= SignedDuration::from_millis(1_200), "it came after {waited:#}");
}

/// A repeat of what is there already may be dropped, a fact may not; nor may one that has the same key elsewhere.
async fn a_repeated_fact_is_not_lost(queues: &dyn Queues, reader: &dyn QueueReader) {
    let fact = |lane| command(lane, Some("wa:same".to_owned()), wrote("again"));
    sent(queues, &[fact("first"), fact("first")]).await;
    sent(queues, &[fact("first"), fact("second")]).await;
    arrived(reader, &[fact("first"), fact("second")]).await;
}

async fn difficult_text_arrives_whole(queues: &dyn Queues, reader: &dyn QueueReader) {
    let controls: String = (0_u8..=0x9f).map(char::from).collect();
    let odd = "\u{feff}\u{fffe}\u{ffff}\u{d7ff}\u{e000}\u{2028}\u{10ffff} \\u0000 \" \\ 👩🏽‍🚒 नमस्ते";
    let long = "größer als jede Warteschlange 🚒 ".repeat(14_000);
    assert!(long.len() > 500_000);
    let texts = [controls.as_str(), odd, &long];
    let jobs: Vec<Job> = texts.iter().map(|text| command("difficult", None, wrote(text))).collect();
    sent(queues, &jobs).await;
    // Compared outside of `assert_eq`, which would print it all.
    assert!(arrived(reader, &jobs).await == jobs, "what came is not what was sent");
}

async fn nothing_is_nothing_to_send(queues: &dyn Queues) {
    sent(queues, &[]).await;
}
