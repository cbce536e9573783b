//! What customers, reps, operators and the world do of their own accord, when the script says so.

use shared::ids::derive;
use shared::session::{By, Command};
use shared::{Session, SessionId};
use shared_flow::ports::{Envelope, Job, Target};

use super::agenda::{Due, Post};
use super::fault::Fault;
use super::history::Event;
use super::runner::Runner;
use super::scenario::{Action, Scenario};

impl Runner {
    /// Plays an event of the script.
    pub(super) fn act(&mut self, number: usize) {
        let Some((_, action)) = self.world.lock().scenario.script.get(number).copied() else { return };
        if let Some(fault) = Scenario::fault_of(action)
            && !self.world.lock().admit(fault, "the script")
        {
            return;
        }
        match action {
            Action::Write { customer, kind, words } => {
                self.world.lock().customer_writes(customer, kind, words);
            }
            Action::HandOff { customer } => {
                self.request(number, customer, "hand off", Command::HandoffRequested);
            }
            Action::HandBack { customer } => {
                self.request(number, customer, "hand back", Command::HandBackRequested);
            }
            Action::Resolve { customer } => {
                self.request(number, customer, "resolve", Command::ResolveRequested);
            }
            Action::RepReply { customer } => self.world.lock().rep_acts(customer, "replied"),
            Action::RepNote { customer } => self.world.lock().rep_acts(customer, "noted"),
            Action::RepBlank { customer } => self.world.lock().rep_acts(customer, "said nothing"),
            Action::RepClose { customer } => self.world.lock().rep_acts(customer, "closed"),
            Action::RepDelete { customer } => self.world.lock().rep_acts(customer, "deleted"),
            Action::ForeignHook { customer } => self.foreign_hook(customer),
            Action::Switch { line, on } => self.switch(line, on),
            Action::Garbage { line } => self.garbage(line, number),
            Action::KillAll => self.kill_all(),
            Action::Partition { target, seconds } => {
                let mut world = self.world.lock();
                let until = world.in_ms(seconds * 1_000);
                world.cut_off.insert(target, until);
                world.note(Event::Remark("… cut off"));
            }
        }
    }

    /// A person asks for something for the customer's newest session. The request has a key, as a person's click has.
    fn request(&mut self, number: usize, customer: usize, what: &'static str, fact: fn(By) -> Command) {
        let Some(session) = self.newest_session(customer) else { return };
        let envelope = Envelope {
            org: session.org.clone(),
            target: Target::Session(session.id),
            key: Some(format!("api:{number}")),
            command: fact(By { via: "the inbox".to_owned() }),
            at: self.world.lock().now,
        };
        let job = Job::Command { lane: session.lane(), envelope: Box::new(envelope) };
        let mut world = self.world.lock();
        world.note(Event::Requested { session: session.id, what });
        let now = world.now;
        world.agenda.add(now, Due::Request(Box::new(job)));
    }

    fn newest_session(&self, customer: usize) -> Option<Session> {
        let world = self.world.lock();
        let line = world.scenario.line_of(customer)?.key.clone();
        let scenario = world.scenario.clone();
        drop(world);
        let sessions = self.store.all_sessions().into_iter();
        let theirs =
            sessions.filter(|s| s.line == line && scenario.customer_at(&line, &s.customer) == Some(customer));
        theirs.max_by_key(|session| (session.opened_at, session.id))
    }

    /// Somebody posts a case to the wrong organisation's webhook, and one that nobody knows.
    fn foreign_hook(&mut self, customer: usize) {
        let Some(session) = self.newest_session(customer) else { return };
        let mut world = self.world.lock();
        let now = world.now;
        let scenario = world.scenario.clone();
        let case = shared::crm::case_id(&session.org, session.id);
        for org in scenario.orgs.iter().filter(|org| org.org != session.org) {
            world.agenda.add(now, Due::Hook { org: org.org.clone(), case });
        }
        let unknown = derive("nobody's case", &[&SessionId(case).to_string()]);
        world.agenda.add(now, Due::Hook { org: session.org, case: unknown });
    }

    fn switch(&mut self, line: usize, on: bool) {
        let mut world = self.world.lock();
        let Some(key) = world.scenario.lines.get(line).map(|line| line.key.clone()) else { return };
        self.settings().set_ai_enabled(&key, on);
        world.note(Event::Switched { line: key, on });
    }

    fn garbage(&mut self, line: usize, number: usize) {
        let original = format!("{{\"line\":{line},\"event\":{number},").into_bytes();
        let post = Post { garbage: vec![original], ..Post::default() };
        let mut world = self.world.lock();
        let now = world.now;
        world.agenda.add(now, Due::Post(Box::new(post)));
    }
}

impl super::world::World {
    /// Whether clocks differ in this run.
    pub(super) fn draw_clocks(&mut self) {
        self.skewed =
            self.faults.on() && self.faults.percent(40) && self.admit(Fault::ClockSkew, "every clock");
    }
}
