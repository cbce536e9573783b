//! Draws a story from a seed: how many of each there are, how long it takes, who does what and when.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shared::channel::LineKey;
use shared::policy::CrmMode;
use shared::{Kind, OrgId};
use shared_flow::ports::OrgSettings;

use super::{Action, Customer, Habit, Line, Scenario, Target, Words};
use crate::memory::org_settings;

/// When every run begins.
const START: i64 = 1_794_819_600;

/// How long a run's story takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Minutes,
    Days,
    Week,
}

impl Scenario {
    /// The scenario of a seed; without `faults` nothing in it goes wrong.
    pub(in crate::sim) fn draw(seed: u64, faults: bool) -> Self {
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
        let kinds =
            [Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Choice, Kind::Reaction];
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
