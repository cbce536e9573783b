//! What can happen to a session, at random. Numbers choose among what there is, so that any sequence makes sense.

use jiff::SignedDuration;
use proptest::prelude::*;
use shared::Kind;
use shared::agent::{Answer, Escalation, GaveUp, Verdict};
use shared::delivery::Receipt;
use shared::handoff::Reason;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    Customer { kind: Kind, text: String, minutes_late: i64 },
    Agent { turns_ago: u32, verdict: Verdict },
    Rep { text: String },
    CaseClosed,
    HandOff,
    HandBack,
    Resolve,
    Woke,
    WroteElsewhere,
    Worker { pick: usize, sent: Sent },
    Status { pick: usize, receipt: Receipt, attempt: u32 },
    Switch { ai: bool },
}

/// What came of a send.
#[derive(Clone, Copy, Debug)]
pub enum Sent {
    Accepted,
    Unknown,
    Refused,
    Later,
    WindowClosed,
    Crashed,
}

/// A story: what happens, and how long it takes until it does.
pub fn story(most: usize) -> impl Strategy<Value = Vec<(SignedDuration, Act)>> {
    prop::collection::vec((wait(), act()), 1..most)
}

fn wait() -> impl Strategy<Value = SignedDuration> {
    let soon = prop::sample::select(vec![0, 1, 3, 4, 11, 45, 130]);
    let later = prop::sample::select(vec![11 * 60, 3600, 13 * 3600, 24 * 3600, 8 * 24 * 3600]);
    prop_oneof![6 => soon, 1 => later].prop_map(SignedDuration::from_secs)
}

fn act() -> impl Strategy<Value = Act> {
    let late = prop::sample::select(vec![0, 0, 0, 9, 11, 24 * 60]);
    let customer = (kind(), text(), late).prop_map(|(kind, text, minutes_late)| Act::Customer {
        kind,
        text,
        minutes_late,
    });
    let agent = (0_u32..3, verdict()).prop_map(|(turns_ago, verdict)| Act::Agent { turns_ago, verdict });
    let sent = prop_oneof![
        4 => Just(Sent::Accepted),
        1 => prop::sample::select(vec![Sent::Unknown, Sent::Refused, Sent::Later, Sent::WindowClosed, Sent::Crashed]),
    ];
    let receipts =
        vec![Receipt::Sent, Receipt::Delivered, Receipt::Read, Receipt::FailedForNow, Receipt::Failed];
    let status = (any::<usize>(), prop::sample::select(receipts), 0_u32..3)
        .prop_map(|(pick, receipt, attempt)| Act::Status { pick, receipt, attempt });
    let rare = vec![Act::CaseClosed, Act::Resolve, Act::Switch { ai: false }];
    let people =
        vec![Act::HandOff, Act::HandBack, Act::HandBack, Act::WroteElsewhere, Act::Switch { ai: true }];
    prop_oneof![
        6 => customer,
        5 => agent,
        3 => text().prop_map(|text| Act::Rep { text }),
        5 => (any::<usize>(), sent).prop_map(|(pick, sent)| Act::Worker { pick, sent }),
        3 => status,
        3 => Just(Act::Woke),
        3 => prop::sample::select(people),
        1 => prop::sample::select(rare),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let odd = vec![Kind::Sticker, Kind::Reaction, Kind::Media, Kind::Change, Kind::Unsupported];
    prop_oneof![5 => Just(Kind::Text), 1 => prop::sample::select(odd)]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    let tongue = prop::sample::select(vec![None, Some("de".to_owned())]);
    let reason = prop::sample::select(vec![Reason::AskedForHuman, Reason::Angry]);
    let escalation =
        (reason, text()).prop_map(|(reason, summary)| Escalation { reason, detail: String::new(), summary });
    let answer = (text(), prop::option::weighted(0.25, escalation), tongue)
        .prop_map(|(reply, escalation, language)| Answer { reply, escalation, language, sentiment: None });
    let gave_up = prop::sample::select(vec![GaveUp::Unavailable, GaveUp::Malformed, GaveUp::Refused]);
    prop_oneof![8 => answer.prop_map(Verdict::Answered), 1 => gave_up.prop_map(Verdict::GaveUp)]
}

/// Mostly a few words; now and then nothing, hidden characters, or more than a channel takes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        60 => "[a-z]{1,8}",
        2 => "[ \u{200B}\u{200D}]{0,3}",
        2 => "\\PC{0,6}",
        1 => prop::sample::select(vec![400, 3000]).prop_map(|times| "long answer. ".repeat(times)),
    ]
}
