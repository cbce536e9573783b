//! Where a process can be killed: every call that a function makes in a story, and which of them are one and the same.

use std::collections::{BTreeMap, BTreeSet};

use super::super::proxy::Side;
use super::super::world::Event;
use super::story::Story;

/// Answers that a process keeps for a while. Whether it has them says nothing of what it is doing.
const KEPT: [&str; 3] =
    ["dynamodb:GetItem SettingsTable", "secretsmanager:GetSecretValue", "creatio POST token"];

/// Calls of one kind are the same place when they are made for the same trigger after the same so many calls.
const LOOKING_BACK: usize = 2;

/// One call of one function in one act of a story.
#[derive(Clone, Debug)]
pub struct Place {
    /// The story.
    pub story: &'static Story,
    /// The act's place in it.
    pub act: usize,
    /// The function.
    pub function: &'static str,
    /// What called it.
    pub trigger: String,
    /// The call.
    pub what: String,
    /// The how-many-th such call of the function in this act, beginning with 1.
    pub nth: usize,
    /// What is in doubt about a message on its way to the customer just before the call, and just after.
    pub doubt: (Doubt, Doubt),
}

/// What is known of a message on its way to the customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doubt {
    /// Nothing is under way, or all is written down.
    #[default]
    None,
    /// That it is about to be sent is written down.
    Intended,
    /// It was sent, and that is not written down.
    Sent,
}

/// One kill.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Where.
    pub place: Place,
    /// On which side of the call.
    pub side: Side,
    /// Whether the record of the killed process comes back before the clock looks, or after.
    pub queue_first: bool,
}

impl Kill {
    /// What the killed process did not get to write down.
    pub fn doubt(&self) -> Doubt {
        match self.side {
            Side::Before => self.place.doubt.0,
            Side::After => self.place.doubt.1,
        }
    }
}

impl std::fmt::Display for Kill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { place: Place { story, act, function, trigger, what, nth, .. }, side, queue_first } = self;
        let first = if *queue_first { "queue" } else { "clock" };
        write!(
            f,
            "{function} [{trigger}] killed {side:?} {what} (number {nth}; the {first} comes first) in «{}», {:?}",
            story.name, story.acts[*act]
        )
    }
}

/// Gathers the distinct places of all stories.
#[derive(Default)]
pub struct Atlas {
    known: BTreeSet<String>,
    everything: bool,
    /// The places, in the order in which they were found.
    pub places: Vec<Place>,
    /// How many calls were looked at.
    pub calls: usize,
}

impl Atlas {
    /// One that takes every call for a place of its own.
    pub fn of_everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Adds the calls of a story, by act.
    pub fn add(&mut self, story: &'static Story, acts: &[Vec<Event>]) {
        for (act, events) in acts.iter().enumerate() {
            let mut counts = BTreeMap::new();
            for event in events {
                self.add_event(story, act, event, &mut counts);
            }
        }
    }

    fn add_event<'a>(
        &mut self,
        story: &'static Story,
        act: usize,
        event: &'a Event,
        counts: &mut Counts<'a>,
    ) {
        let (mut road, mut doubt) = (Vec::new(), Doubt::None);
        let Event { function, trigger, .. } = event;
        for call in &event.calls {
            let count = counts.entry((function, &call.what)).or_default();
            *count += 1;
            let (nth, before) = (*count, doubt);
            doubt = after(function, &call.what, doubt);
            let (trigger, what) = (trigger.clone(), call.what.clone());
            self.add_place(Place { story, act, function, trigger, what, nth, doubt: (before, doubt) }, &road);
            if !KEPT.iter().any(|kept| call.what.starts_with(kept)) {
                road.push(call.what.as_str());
            }
        }
    }

    /// Adds a place that was reached on this road, unless it is known.
    fn add_place(&mut self, place: Place, road: &[&str]) {
        self.calls += 1;
        let back = &road[road.len().saturating_sub(LOOKING_BACK)..];
        let name = format!("{} {} {back:?} {}", place.function, place.trigger, place.what);
        let is_wanted = place.what.starts_with(place.story.killed_only_at);
        if is_wanted && (self.known.insert(name) || self.everything) {
            self.places.push(place);
        }
    }
}

/// How often a function made a call.
type Counts<'a> = BTreeMap<(&'a str, &'a str), usize>;

/// How a call of `delivery` changes what is in doubt: it writes down that it will send, sends, writes down that it did.
fn after(function: &str, what: &str, doubt: Doubt) -> Doubt {
    match (function, what) {
        ("delivery", "dynamodb:UpdateItem LineTable") if doubt == Doubt::None => Doubt::Intended,
        ("delivery", "dynamodb:UpdateItem LineTable" | "dynamodb:TransactWriteItems LineTable") => {
            Doubt::None
        }
        ("delivery", what) if what.starts_with("whatsapp") => Doubt::Sent,
        (_, _) => doubt,
    }
}
