//! What a run went through: a checker that never saw an unknown outcome has proved nothing about one.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use shared::DeliveryState;
use shared::session::Because;

use super::fault::Fault;

/// How often each thing happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Commands handled.
    pub commands: u64,
    faults: BTreeMap<Fault, u64>,
    named: BTreeMap<(&'static str, &'static str), u64>,
}

/// What must be seen at least once in a long enough simulation, by group.
const WANTED: &[(&str, &[&str])] = &[
    (
        "delivery",
        &[
            "queued",
            "sending",
            "unknown",
            "held",
            "accepted",
            "sent",
            "delivered",
            "read",
            "failed",
            "cancelled",
        ],
    ),
    ("send", &["never-sent", "throttled", "unknown", "credentials", "window-closed", "refused"]),
    ("crm", &["later", "later-after", "broken", "refused", "gone"]),
    ("model", &["unavailable", "malformed", "refused", "misconfigured"]),
    (
        "because",
        &[
            "session-is-over",
            "person-owns-session",
            "turn-is-over",
            "already-handed-off",
            "already-resolved",
            "assistant-has-it",
            "assistant-is-off",
            "not-due-yet",
            "nothing-to-report",
            "nothing-was-said",
        ],
    ),
];

/// The states and facts of the decision table.
const STATES: &[&str] = &["assistant", "handed_off", "resolved"];
const FACTS: &[&str] = &[
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

impl Counters {
    pub(super) fn struck(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    pub(super) fn count(&mut self, group: &'static str, name: &'static str) {
        *self.named.entry((group, name)).or_default() += 1;
    }

    pub(super) fn moved(&mut self, state: DeliveryState) {
        self.count("delivery", state_name(state));
    }

    pub(super) fn unchanged(&mut self, because: Because) {
        self.count("because", because_name(because));
    }

    /// One arm of the decision table: the state's name is the group.
    pub(super) fn decided(&mut self, state: &'static str, fact: &'static str) {
        self.count(state, fact);
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.commands += other.commands;
        for (fault, hits) in &other.faults {
            *self.faults.entry(*fault).or_default() += hits;
        }
        for (name, hits) in &other.named {
            *self.named.entry(*name).or_default() += hits;
        }
    }

    /// How often a thing was seen.
    #[must_use]
    pub fn seen(&self, group: &str, name: &str) -> u64 {
        self.named.iter().filter(|((g, n), _)| *g == group && *n == name).map(|(_, hits)| hits).sum()
    }

    /// How often a fault struck.
    #[must_use]
    pub fn hits(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    /// What was wanted and never seen.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let faults = Fault::ALL.iter().filter(|f| self.hits(**f) == 0).map(|f| format!("fault {}", f.name()));
        let named = wanted().filter(|(group, name)| self.seen(group, name) == 0);
        faults.chain(named.map(|(group, name)| format!("{group} {name}"))).collect()
    }
}

/// An earlier session's window opens when a later one begins, and a later one begins only after the earlier is over.
const UNREACHABLE: &[(&str, &str)] = &[("assistant", "window_reopened"), ("handed_off", "window_reopened")];

fn wanted() -> impl Iterator<Item = (&'static str, &'static str)> {
    let groups = WANTED.iter().flat_map(|(group, names)| names.iter().map(move |name| (*group, *name)));
    let arms = STATES.iter().flat_map(|state| FACTS.iter().map(move |fact| (*state, *fact)));
    groups.chain(arms.filter(|arm| !UNREACHABLE.contains(arm)))
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::from("faults:");
        for fault in Fault::ALL {
            write!(line, " {} {}", fault.name(), self.hits(*fault))?;
        }
        writeln!(f, "{line}")?;
        let mut groups: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for (group, name) in wanted() {
            groups.entry(group).or_default().insert(name, 0);
        }
        for ((group, name), hits) in &self.named {
            *groups.entry(group).or_default().entry(name).or_default() += hits;
        }
        for (group, names) in groups {
            let shown: Vec<String> = names.iter().map(|(name, hits)| format!("{name} {hits}")).collect();
            writeln!(f, "{group}: {}", shown.join(" "))?;
        }
        Ok(())
    }
}

fn state_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "queued",
        DeliveryState::Sending => "sending",
        DeliveryState::Unknown => "unknown",
        DeliveryState::Held => "held",
        DeliveryState::Accepted => "accepted",
        DeliveryState::Sent => "sent",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Read => "read",
        DeliveryState::Failed => "failed",
        DeliveryState::Cancelled => "cancelled",
    }
}

fn because_name(because: Because) -> &'static str {
    match because {
        Because::SessionIsOver => "session-is-over",
        Because::PersonOwnsSession => "person-owns-session",
        Because::TurnIsOver => "turn-is-over",
        Because::AlreadyHandedOff => "already-handed-off",
        Because::AlreadyResolved => "already-resolved",
        Because::AssistantHasIt => "assistant-has-it",
        Because::AssistantIsOff => "assistant-is-off",
        Because::NotDueYet => "not-due-yet",
        Because::NothingToReport => "nothing-to-report",
        Because::NothingWasSaid => "nothing-was-said",
    }
}
