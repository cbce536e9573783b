//! How long a decision takes, for each fact and in each hand: `cargo bench -p switchboard-tests --bench decide`.
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up fails")]

use divan::{Bencher, black_box};
use jiff::{SignedDuration, Timestamp};
use shared::agent::{Answer, Verdict};
use shared::channel::LineKey;
use shared::delivery::Trouble;
use shared::session::state::Opening;
use shared::session::{
    By, CaseClosure, Conclusion, CustomerMessage, DeliveryEnd, Fate, RepReply, decide, pokes::pokes,
};
use shared::{Command, ContactId, CustomerAddress, Kind, Message, OrgId, Policy, Session, ids};

fn main() {
    divan::main();
}

/// Every fact, by the name that logs give it.
const FACTS: [&str; 11] = [
    "customer_wrote",
    "agent_concluded",
    "rep_replied",
    "case_closed",
    "delivery_ended",
    "delivery_reopened",
    "window_reopened",
    "handoff_requested",
    "hand_back_requested",
    "resolve_requested",
    "woke",
];

const WORDS: &str = "My order 4417 has not arrived yet, although it was to be here on Tuesday. Where is it?";

#[divan::bench(args = FACTS)]
fn in_the_assistants_hands(bencher: Bencher<'_, '_>, fact: &str) {
    time(bencher, &Scene::answering(), fact);
}

#[divan::bench(args = FACTS)]
fn in_a_persons_hands(bencher: Bencher<'_, '_>, fact: &str) {
    time(bencher, &Scene::answering().after(&Command::HandoffRequested(by())), fact);
}

/// What `conversation` does between reading and writing.
fn time(bencher: Bencher<'_, '_>, scene: &Scene, fact: &str) {
    let (fact, policy) = (command(fact), Policy::default());
    // The clock comes when it is due.
    let due = scene.session.wake_at.filter(|_| matches!(fact, Command::Woke));
    let now = due.unwrap_or(scene.now);
    bencher.bench(|| {
        let session = black_box(&scene.session);
        let decision = decide(session, black_box(&scene.open), black_box(&fact), now, &policy);
        let pokes = pokes(session, &decision, &fact, now, &policy);
        (decision, pokes)
    });
}

/// A session in the middle of a conversation: a turn is due and a failed message waits to be reported.
struct Scene {
    now: Timestamp,
    session: Session,
    open: Vec<Message>,
}

impl Scene {
    fn answering() -> Self {
        let now = start();
        let opening = Opening {
            org: OrgId::new("acme").expect("a valid id"),
            contact: ContactId(ids::derive("contact", &["bench"])),
            line: LineKey::whatsapp("880200000000011"),
            customer: customer(),
            name: None,
            key: "first".to_owned(),
            at: now,
        };
        let new = Self { now, session: Session::open(opening), open: Vec::new() };
        new.after(&command("customer_wrote")).after(&concluded(1)).failing().after(&command("customer_wrote"))
    }

    /// The scene a few seconds after this fact.
    fn after(self, fact: &Command) -> Self {
        let decision = decide(&self.session, &self.open, fact, self.now, &Policy::default());
        let open = self.open.into_iter().chain(decision.messages).filter(Message::is_open).collect();
        Self { now: self.now + SignedDuration::from_secs(5), session: decision.session, open }
    }

    /// What waits to be sent will not arrive.
    fn failing(mut self) -> Self {
        for message in &mut self.open {
            message.delivery =
                message.delivery.take().map(|d| d.failed(self.now, Trouble::new("no such number")));
        }
        self
    }
}

fn start() -> Timestamp {
    Timestamp::from_second(1_794_819_600).expect("a time")
}

fn customer() -> CustomerAddress {
    CustomerAddress::Whatsapp {
        phone: Some("12025550142".to_owned()),
        user_id: Some("US.7140000000000000001".to_owned()),
    }
}

fn by() -> By {
    By { via: "the benchmark".to_owned() }
}

fn concluded(turn: u32) -> Command {
    let answer = Answer::plain(WORDS).expect("there are words");
    Command::AgentConcluded(Conclusion { turn, verdict: Verdict::Answered(answer) })
}

fn command(name: &str) -> Command {
    let commands = [
        Command::CustomerWrote(CustomerMessage {
            source: "wamid.1".to_owned(),
            kind: Kind::Text,
            text: WORDS.to_owned(),
            at: start(),
            customer: customer(),
            name: Some("Customer".to_owned()),
        }),
        concluded(2),
        Command::RepReplied(RepReply { record: "record".to_owned(), text: WORDS.to_owned() }),
        Command::CaseClosed(CaseClosure { case: "case".to_owned() }),
        Command::DeliveryEnded(DeliveryEnd {
            seq: 2,
            fate: Fate::Failed,
            trouble: Trouble::new("no such number"),
        }),
        Command::DeliveryReopened { seq: 2 },
        Command::WindowReopened { at: start() },
        Command::HandoffRequested(by()),
        Command::HandBackRequested(by()),
        Command::ResolveRequested(by()),
        Command::Woke,
    ];
    commands.into_iter().find(|command| command.name() == name).expect("every fact has a command here")
}
