//! Who takes part in a run and what they do of their own accord: drawn once from the seed, before anything happens.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared::{CustomerAddress, Kind, OrgId};
use shared_flow::ports::{LineSettings, OrgSettings};

use super::fault::Fault;
use crate::memory::{MemorySettings, org_settings};

/// When every run begins.
const START: i64 = 1_794_819_600;

/// Something that a partition cuts off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    Table,
    Queue,
    Settings,
    Whatsapp,
    Crm,
    Model,
}

impl Target {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Table => "the table",
            Self::Queue => "the queues",
            Self::Settings => "the settings",
            Self::Whatsapp => "WhatsApp",
            Self::Crm => "the CRM",
            Self::Model => "the model",
        }
    }
}

/// What a customer's words ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    Plain,
    /// A person.
    Human,
    /// An answer that does not fit one message.
    Long,
    /// Long enough that the language is recognised.
    German,
    /// With characters that no reader sees.
    Hidden,
}

/// What happens of somebody's own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Write { customer: usize, kind: Kind, words: Words },
    HandOff { customer: usize },
    HandBack { customer: usize },
    Resolve { customer: usize },
    RepReply { customer: usize },
    RepNote { customer: usize },
    RepBlank { customer: usize },
    RepClose { customer: usize },
    RepDelete { customer: usize },
    ForeignHook { customer: usize },
    Switch { line: usize, on: bool },
    Garbage { line: usize },
    KillAll,
    Partition { target: Target, seconds: i64 },
}

impl Action {
    /// The fault it is, if it is one.
    fn fault(self) -> Option<Fault> {
        match self {
            Self::KillAll => Some(Fault::KillAll),
            Self::Partition { .. } => Some(Fault::Partition),
            _ => None,
        }
    }
}

/// A customer of one line. The same person at another organisation is another entry with the same address.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    /// What every word to and from this customer is marked with.
    pub(super) tag: String,
    pub(super) line: usize,
    phone: String,
    user: String,
    habit: Habit,
}

/// Which of a customer's identities the channel tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Both,
    PhoneOnly,
    UserOnly,
    /// The phone at first, and both from the third message on.
    PhoneThenBoth,
}

impl Customer {
    /// The address that the channel gives with the customer's n-th message.
    pub(super) fn address(&self, nth: u32) -> CustomerAddress {
        let (user, phone) = match self.habit {
            Habit::Both => (true, true),
            Habit::PhoneOnly => (false, true),
            Habit::UserOnly => (true, false),
            Habit::PhoneThenBoth => (nth >= 2, true),
        };
        CustomerAddress::Whatsapp {
            user_id: user.then(|| self.user.clone()),
            phone: phone.then(|| self.phone.clone()),
        }
    }

    /// Whether every message of theirs names them alike, so that no two can be taken for two persons'.
    pub(super) fn is_always_the_same(&self) -> bool {
        self.habit != Habit::PhoneThenBoth
    }

    /// Whether what is sent to this address reaches this customer. The user id decides where there is one.
    pub(super) fn is_at(&self, address: &CustomerAddress) -> bool {
        match address.user_id() {
            Some(user) => user == self.user,
            None => address.phone() == Some(self.phone.as_str()),
        }
    }
}

/// A line of an organisation.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) org: OrgId,
    pub(super) key: LineKey,
    ai_enabled: bool,
    auto_resolve_after: SignedDuration,
}

/// Everything that is fixed before a run begins.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) start: Timestamp,
    pub(super) orgs: Vec<OrgSettings>,
    pub(super) lines: Vec<Line>,
    pub(super) customers: Vec<Customer>,
    /// What happens, in order of time.
    pub(super) script: Vec<(Timestamp, Action)>,
    /// When the script is over.
    pub(super) stop: Timestamp,
    /// Whether the CRM says who writes under our credentials.
    pub(super) crm_names_us: bool,
    /// How many workers run at once.
    pub(super) workers: usize,
}

/// How long a run's story takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Minutes,
    Days,
    Week,
}

impl Scenario {
    /// The scenario of a seed; without `faults` nothing in it goes wrong.
    pub(super) fn draw(seed: u64, faults: bool) -> Self {
        let mut draw = Draw { rng: SmallRng::seed_from_u64(seed ^ 0x0005_ce4a_4105), faults };
        let start = Timestamp::from_second(START).unwrap_or(Timestamp::UNIX_EPOCH);
        let pace = match draw.rng.random_range(0..1000) {
            0..962 => Pace::Minutes,
            962..997 => Pace::Days,
            _ => Pace::Week,
        };
        let orgs = draw.orgs();
        let lines = draw.lines(&orgs, pace);
        let customers = draw.customers(&lines);
        let mut script: Vec<(i64, Action)> = Vec::new();
        for customer in 0..customers.len() {
            draw.customer_story(customer, pace, &mut script);
        }
        let last = script.iter().map(|(at, _)| *at).max().unwrap_or(0) + 60_000;
        draw.line_story(lines.len(), last, &mut script);
        draw.faults_of_the_world(last, &mut script);
        script.sort_by_key(|(at, _)| *at);
        let at = |ms: i64| start.saturating_add(SignedDuration::from_millis(ms)).unwrap_or(Timestamp::MAX);
        Self {
            start,
            orgs,
            lines,
            customers,
            script: script.into_iter().map(|(ms, action)| (at(ms), action)).collect(),
            stop: at(last),
            crm_names_us: draw.percent(70),
            workers: draw.rng.random_range(2..=10),
        }
    }

    /// The settings as they are at the beginning.
    pub(super) fn settings(&self) -> MemorySettings {
        let settings = MemorySettings::new();
        for org in &self.orgs {
            settings.set_org(org.clone());
        }
        for line in &self.lines {
            settings.set_line(LineSettings {
                org: line.org.clone(),
                line: line.key.clone(),
                ai_enabled: line.ai_enabled,
                auto_resolve_after: line.auto_resolve_after,
            });
        }
        settings
    }

    /// The customer's line.
    pub(super) fn line_of(&self, customer: usize) -> Option<&Line> {
        self.lines.get(self.customers.get(customer)?.line)
    }

    /// The customer of this line who is at this address.
    pub(super) fn customer_at(&self, line: &LineKey, address: &CustomerAddress) -> Option<usize> {
        let on_line = |customer: &Customer| self.lines.get(customer.line).is_some_and(|l| &l.key == line);
        self.customers.iter().position(|customer| on_line(customer) && customer.is_at(address))
    }

    /// Whether the action is a fault rather than somebody's doing.
    pub(super) fn fault_of(action: Action) -> Option<Fault> {
        action.fault()
    }
}

struct Draw {
    rng: SmallRng,
    faults: bool,
}

impl Draw {
    fn percent(&mut self, often: u32) -> bool {
        self.rng.random_range(0..100) < often
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let index = self.rng.random_range(0..choices.len().max(1));
        choices.get(index).copied()
    }

    fn orgs(&mut self) -> Vec<OrgSettings> {
        let mut orgs = Vec::new();
        for name in ["acme", "beta"] {
            let Ok(org) = OrgId::new(name) else { continue };
            let crm = self.one_of(&[
                Some(CrmMode::EveryConversation),
                Some(CrmMode::EveryConversation),
                Some(CrmMode::OnlyOnHandoff),
                None,
            ]);
            let debounce = SignedDuration::from_secs(self.rng.random_range(0..=5));
            orgs.push(OrgSettings { crm: crm.flatten(), debounce, ..org_settings(&org) });
        }
        orgs
    }

    /// Each organisation has a line, the first perhaps two.
    fn lines(&mut self, orgs: &[OrgSettings], pace: Pace) -> Vec<Line> {
        let owners = [Some(0), Some(1), self.percent(40).then_some(0)];
        let mut lines = Vec::new();
        for (number, org) in owners.into_iter().flatten().filter_map(|owner| orgs.get(owner)).enumerate() {
            let minutes = match pace {
                Pace::Minutes => self.one_of(&[10, 60, 720]),
                Pace::Days | Pace::Week => self.one_of(&[60, 720, 1_800]),
            };
            lines.push(Line {
                org: org.org.clone(),
                key: LineKey::whatsapp(&format!("88020000000001{number}")),
                ai_enabled: !self.percent(10),
                auto_resolve_after: SignedDuration::from_mins(minutes.unwrap_or(60)),
            });
        }
        lines
    }

    /// Some persons; each may write to several lines, and some numbers were somebody else's before.
    fn customers(&mut self, lines: &[Line]) -> Vec<Customer> {
        let mut customers = Vec::new();
        for person in 0..self.rng.random_range(1..=3_u32) {
            let recycled = person > 0 && self.percent(25);
            let habit = if recycled {
                Habit::Both
            } else {
                self.one_of(&[
                    Habit::Both,
                    Habit::Both,
                    Habit::PhoneOnly,
                    Habit::UserOnly,
                    Habit::PhoneThenBoth,
                ])
                .unwrap_or(Habit::Both)
            };
            let phone = format!("1202555010{}", if recycled { 0 } else { person });
            for (number, line) in lines.iter().enumerate() {
                if number > 0 && self.percent(40) {
                    continue;
                }
                customers.push(Customer {
                    tag: format!("{}/{number}/{person}", line.org),
                    line: number,
                    phone: phone.clone(),
                    user: format!("US.{person}"),
                    habit: if recycled_before(&customers, &phone) { Habit::Both } else { habit },
                });
            }
        }
        // Whoever shares a number is told apart by user id alone.
        let phones: Vec<String> = customers.iter().map(|c| format!("{} {}", c.line, c.phone)).collect();
        for (at, customer) in customers.iter_mut().enumerate() {
            let shared = phones.iter().filter(|p| Some(*p) == phones.get(at)).count() > 1;
            if shared {
                customer.habit = Habit::Both;
            }
        }
        customers
    }

    /// Bursts of messages, and what people do about them.
    fn customer_story(&mut self, customer: usize, pace: Pace, script: &mut Vec<(i64, Action)>) {
        let mut at = self.rng.random_range(0..120_000_i64);
        for burst in 0..self.rng.random_range(1..=3) {
            if burst > 0 {
                at += self.pause(pace);
            }
            for _ in 0..self.rng.random_range(1..=3) {
                script.push((at, self.message(customer)));
                at += self.rng.random_range(100..6_000_i64);
            }
            self.people(customer, at, pace, script);
        }
    }

    fn pause(&mut self, pace: Pace) -> i64 {
        const HOUR: i64 = 3_600_000;
        match pace {
            Pace::Minutes => self.rng.random_range(5_000..600_000),
            // Around the end of the reply window.
            Pace::Days => self.rng.random_range(23 * HOUR..25 * HOUR),
            Pace::Week => self.rng.random_range(24 * HOUR..8 * 24 * HOUR),
        }
    }

    fn message(&mut self, customer: usize) -> Action {
        let words = self.one_of(&[
            Words::Plain,
            Words::Plain,
            Words::Plain,
            Words::Plain,
            Words::Plain,
            Words::Human,
            Words::Human,
            Words::Long,
            Words::German,
            Words::Hidden,
        ]);
        let kinds = [Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Choice, Kind::Reaction];
        let kind = self.one_of(&kinds).unwrap_or(Kind::Text);
        Action::Write { customer, kind, words: words.unwrap_or(Words::Plain) }
    }

    /// What people here and in the CRM do after a burst.
    fn people(&mut self, customer: usize, from: i64, pace: Pace, script: &mut Vec<(i64, Action)>) {
        let acts = [
            (45, Action::RepReply { customer }),
            (30, Action::RepReply { customer }),
            (15, Action::RepNote { customer }),
            (4, Action::RepBlank { customer }),
            (12, Action::HandOff { customer }),
            (12, Action::HandBack { customer }),
            (10, Action::Resolve { customer }),
            (20, Action::RepClose { customer }),
            (8, Action::RepReply { customer }),
            (2, Action::RepDelete { customer }),
            (5, Action::ForeignHook { customer }),
        ];
        let late = match pace {
            Pace::Minutes => 240_000,
            Pace::Days | Pace::Week => 26 * 3_600_000,
        };
        for (often, act) in acts {
            if self.percent(often) {
                let wait = if self.percent(70) { 90_000 } else { late };
                script.push((from + self.rng.random_range(0..wait), act));
            }
        }
    }

    fn line_story(&mut self, lines: usize, last: i64, script: &mut Vec<(i64, Action)>) {
        for line in 0..lines {
            if self.percent(10) {
                let at = self.rng.random_range(0..last);
                script.push((at, Action::Switch { line, on: false }));
                script.push((at + 120_000.min(last - at), Action::Switch { line, on: true }));
            }
            if self.percent(10) {
                script.push((self.rng.random_range(0..last), Action::Garbage { line }));
            }
        }
    }

    fn faults_of_the_world(&mut self, last: i64, script: &mut Vec<(i64, Action)>) {
        if !self.faults {
            return;
        }
        if self.percent(40) {
            script.push((self.rng.random_range(0..last), Action::KillAll));
        }
        let targets = [
            Target::Table,
            Target::Queue,
            Target::Settings,
            Target::Whatsapp,
            Target::Whatsapp,
            Target::Crm,
            Target::Crm,
            Target::Model,
        ];
        for _ in 0..self.rng.random_range(0..=2) {
            let target = self.one_of(&targets).unwrap_or(Target::Crm);
            let seconds = self.rng.random_range(10..240);
            script.push((self.rng.random_range(0..last), Action::Partition { target, seconds }));
        }
    }
}

fn recycled_before(customers: &[Customer], phone: &str) -> bool {
    customers.iter().any(|known| known.phone == phone)
}
