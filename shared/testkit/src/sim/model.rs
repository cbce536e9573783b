//! The model as the line sees it: answers what it was shown, asks for a person when told to, and fails in all its ways.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::agent::prompt::ChatRole;
use shared::agent::verdict::Escalation;
use shared::agent::{Answer, Prompt};
use shared::handoff::Reason;
use shared::{OrgId, SessionId};
use shared_flow::ports::{Job, Model, ModelError};

use super::fault::Fault;
use super::history::Event;
use super::ports::SimPorts;
use super::scenario::Target;
use super::whatsapp::markers;

/// How long the line waits for an answer.
const LIMIT_MS: i64 = 25_000;

/// The model's own books.
#[derive(Default)]
pub(super) struct Oracle {
    said: u32,
    broken: BTreeMap<OrgId, Timestamp>,
}

/// What can go wrong with a call.
const CALL: &[Fault] = &[
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Frozen,
    Fault::LostAnswer,
    Fault::Slow,
    Fault::Throttled,
    Fault::ServerError,
    Fault::Malformed,
    Fault::ModelRefused,
    Fault::Misconfigured,
];

#[async_trait]
impl Model for SimPorts {
    async fn complete(
        &self,
        org: &OrgId,
        prompt: &Prompt,
        repair: Option<&str>,
    ) -> Result<Answer, ModelError> {
        let seen: Vec<String> = prompt.turns.iter().flat_map(|turn| markers(&turn.text)).collect();
        let (session, turn) = self.turn();
        let (cut_off, fault) = {
            let mut world = self.world.lock();
            world.note(Event::Asked { session, turn, seen: seen.clone() });
            let cut_off = world.is_cut_off(Target::Model);
            let broken = world.oracle.broken.get(org).is_some_and(|until| *until > world.now);
            let fault = if cut_off { None } else { world.strike(CALL, "the model") };
            (cut_off, if broken && world.faults.on() { Some(Fault::Misconfigured) } else { fault })
        };
        let result =
            if cut_off { self.silence(10_000).await } else { self.call(org, prompt, &seen, fault).await };
        let _ = repair;
        let class = match &result {
            Ok(_) => "answered",
            Err(ModelError::Unavailable { .. }) => "unavailable",
            Err(ModelError::Malformed(_)) => "malformed",
            Err(ModelError::Refused) => "refused",
            Err(ModelError::Misconfigured(_)) => "misconfigured",
        };
        self.world.lock().counters.count("model", class);
        result
    }
}

impl SimPorts {
    /// The turn that the calling worker takes.
    fn turn(&self) -> (SessionId, u32) {
        match self.job().as_deref() {
            Some(Job::Turn { session, number, .. }) => (*session, *number),
            _ => (SessionId(shared::ids::derive("nobody", &[])), 0),
        }
    }

    async fn silence(&self, ms: i64) -> Result<Answer, ModelError> {
        self.wait(ms).await;
        Err(ModelError::Unavailable { why: "no answer in time".to_owned(), after: None })
    }

    async fn call(
        &self,
        org: &OrgId,
        prompt: &Prompt,
        seen: &[String],
        fault: Option<Fault>,
    ) -> Result<Answer, ModelError> {
        let usual = 900 + self.world.lock().usual_wait() * 50;
        match fault {
            None => self.say(prompt, seen, usual).await,
            Some(Fault::Slow | Fault::Frozen) => {
                let ms = self.world.lock().faults.between(5_000, LIMIT_MS);
                self.say(prompt, seen, ms).await
            }
            Some(Fault::CrashBefore) => {
                self.die().await;
                Err(ModelError::Refused)
            }
            Some(Fault::CrashAfter) => {
                let _ = self.say(prompt, seen, usual).await;
                self.die().await;
                Err(ModelError::Refused)
            }
            Some(Fault::LostAnswer) => self.silence(LIMIT_MS).await,
            Some(fault) => self.refuse(org, fault, usual).await,
        }
    }

    async fn refuse(&self, org: &OrgId, fault: Fault, ms: i64) -> Result<Answer, ModelError> {
        self.wait(ms).await;
        let mut world = self.world.lock();
        let why = "in the simulation".to_owned();
        match fault {
            Fault::Throttled => {
                let after = SignedDuration::from_secs(world.faults.between(1, 30));
                Err(ModelError::Unavailable { why, after: Some(after) })
            }
            Fault::ServerError => Err(ModelError::Unavailable { why, after: None }),
            Fault::ModelRefused => Err(ModelError::Refused),
            Fault::Misconfigured => {
                if world.oracle.broken.get(org).is_none_or(|until| *until <= world.now) {
                    let ms = world.faults.between(1_000, 120_000);
                    let until = world.in_ms(ms);
                    world.oracle.broken.insert(org.clone(), until);
                }
                Err(ModelError::Misconfigured(why))
            }
            // Half of what cannot be used is well-formed and says nothing.
            _ if world.faults.percent(50) => {
                Ok(Answer { reply: " ".to_owned(), escalation: None, language: None, sentiment: None })
            }
            _ => Err(ModelError::Malformed(why)),
        }
    }

    /// An answer. No two are alike, so that a second answer to one turn would be seen.
    async fn say(&self, prompt: &Prompt, seen: &[String], ms: i64) -> Result<Answer, ModelError> {
        self.wait(ms).await;
        let last = prompt.turns.iter().rev().find(|turn| turn.role == ChatRole::User);
        let words = last.map_or("", |turn| turn.text.as_str());
        let about = markers(words).pop().unwrap_or_default();
        let mut world = self.world.lock();
        world.oracle.said += 1;
        let number = world.oracle.said;
        world.note(Event::Said { number, seen: seen.to_vec() });
        let mut reply = format!("re#{number} [{about}] certainly");
        if words.contains("everything") {
            reply.push_str(&" and so on and on".repeat(300));
        }
        let escalation = words.contains("human").then(|| Escalation {
            reason: Reason::AskedForHuman,
            detail: "asked".to_owned(),
            summary: format!("re#{number} wants a person [{about}]"),
        });
        Ok(Answer { reply, escalation, language: None, sentiment: None })
    }
}
