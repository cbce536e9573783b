//! Sending as the line does it: every way in which a call to the channel goes wrong, and what its sender learns.

use async_trait::async_trait;
use jiff::SignedDuration;
use shared::OrgId;
use shared_flow::ports::{ChannelSender, Outgoing, SendError};

use super::trouble;
use crate::sim::agenda::{Due, Sending};
use crate::sim::fault::Fault;
use crate::sim::history::Event;
use crate::sim::ports::SimPorts;
use crate::sim::sabotage::Sabotage;
use crate::sim::scenario::Target;

/// How long the line waits for an answer.
const LIMIT_MS: i64 = 8_000;

/// What can go wrong with a send.
const SEND: &[Fault] = &[
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::Frozen,
    Fault::NeverSent,
    Fault::Throttled,
    Fault::LostRequest,
    Fault::LostAnswer,
    Fault::ServerError,
    Fault::Malformed,
    Fault::LateEffect,
    Fault::Slow,
    Fault::AuthBroken,
    Fault::Refused,
    Fault::WindowClosed,
];

#[async_trait]
impl ChannelSender for SimPorts {
    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<String, SendError> {
        let sending = self.sending(outgoing);
        let result = self.try_send(sending).await;
        let (how, class) = outcome_of(&result);
        let mut world = self.world.lock();
        world.counters.count("send", class);
        world.note(Event::SendEnded { id: outgoing.id, how });
        result
    }
}

impl SimPorts {
    fn sending(&self, outgoing: &Outgoing<'_>) -> Sending {
        let mut to = outgoing.to.clone();
        let mut world = self.world.lock();
        if world.sabotages(Sabotage::WrongCustomer, 3) {
            let scenario = world.scenario.clone();
            let others = scenario.customers.iter().filter(|c| !c.is_at(outgoing.to));
            to = others.map(|c| c.address(9)).next().unwrap_or(to);
        }
        Sending {
            org: outgoing.org.clone(),
            line: outgoing.line.clone(),
            to,
            text: outgoing.text.to_owned(),
            id: outgoing.id,
        }
    }

    async fn try_send(&self, sending: Sending) -> Result<String, SendError> {
        let (cut_off, fault) = {
            let mut world = self.world.lock();
            let cut_off = world.is_cut_off(Target::Whatsapp);
            let accepted = world.whatsapp_accepts_us(&sending.org);
            let fault = if cut_off || !accepted { None } else { world.strike(SEND, "WhatsApp") };
            (cut_off, if accepted { fault } else { Some(Fault::AuthBroken) })
        };
        if cut_off {
            return self.cut_off_send().await;
        }
        let usual = 150 + self.world.lock().usual_wait() * 10;
        match fault {
            None => self.deliver(&sending, usual).await,
            Some(Fault::Slow) => self.deliver(&sending, LIMIT_MS - 200).await,
            Some(Fault::Frozen) => {
                let ms = self.world.lock().faults.between(5_000, 12_000);
                self.deliver(&sending, ms).await
            }
            Some(Fault::CrashBefore) => {
                self.die().await;
                Err(SendError::Unknown("dead".to_owned()))
            }
            Some(Fault::CrashAfter) => {
                let _ = self.deliver(&sending, usual).await;
                self.die().await;
                Err(SendError::Unknown("dead".to_owned()))
            }
            Some(fault) => self.fail(&sending, fault, usual).await,
        }
    }

    async fn cut_off_send(&self) -> Result<String, SendError> {
        let connects = self.world.lock().faults.percent(50);
        self.wait(if connects { LIMIT_MS } else { 2_000 }).await;
        if connects {
            return Err(SendError::Unknown("no answer in time".to_owned()));
        }
        Err(SendError::NeverSent("no connection".to_owned()))
    }

    async fn deliver(&self, sending: &Sending, ms: i64) -> Result<String, SendError> {
        self.wait(ms).await;
        let mut world = self.world.lock();
        if world.sabotages(Sabotage::DoubleSend, 5) {
            let _ = world.arrive(sending);
        }
        world.arrive(sending)
    }

    /// A send that goes wrong in a way its sender learns of.
    async fn fail(&self, sending: &Sending, fault: Fault, usual: i64) -> Result<String, SendError> {
        let unknown = |why: &str| Err(SendError::Unknown(why.to_owned()));
        match fault {
            Fault::LostAnswer | Fault::Malformed => {
                let _ = self.deliver(sending, usual).await;
                self.wait(if fault == Fault::Malformed { 0 } else { LIMIT_MS - usual }).await;
                unknown("the answer was cut off")
            }
            Fault::LateEffect => {
                {
                    let mut world = self.world.lock();
                    let wait = world.faults.between(LIMIT_MS, LIMIT_MS + 9_000);
                    let at = world.in_ms(wait);
                    world.agenda.add(at, Due::LateSend(Box::new(sending.clone())));
                }
                self.wait(LIMIT_MS).await;
                unknown("no answer in time")
            }
            Fault::LostRequest => {
                self.wait(LIMIT_MS).await;
                unknown("no answer in time")
            }
            Fault::ServerError => {
                self.wait(usual).await;
                unknown("status 500")
            }
            Fault::NeverSent => {
                self.wait(2_000).await;
                Err(SendError::NeverSent("no connection".to_owned()))
            }
            Fault::Throttled => {
                self.wait(usual).await;
                let seconds = self.world.lock().faults.between(0, 20);
                let after = SignedDuration::from_secs(seconds);
                Err(SendError::Throttled { after, trouble: trouble(130_429, "too fast") })
            }
            Fault::AuthBroken => {
                self.wait(usual).await;
                self.break_credentials(&sending.org);
                Err(SendError::Credentials(trouble(190, "the access token is not accepted")))
            }
            Fault::WindowClosed => {
                self.wait(usual).await;
                self.world
                    .lock()
                    .note(Event::Declined { id: sending.id, why: "it says its window is closed" });
                Err(SendError::WindowClosed(trouble(131_047, "the reply window is closed")))
            }
            _ => {
                self.wait(usual).await;
                self.world.lock().note(Event::Declined { id: sending.id, why: "for good" });
                Err(SendError::Refused(trouble(131_026, "it cannot be delivered")))
            }
        }
    }

    fn break_credentials(&self, org: &OrgId) {
        let mut world = self.world.lock();
        if world.whatsapp_accepts_us(org) {
            let ms = world.faults.between(1_000, 180_000);
            let until = world.in_ms(ms);
            world.whatsapp.broken.insert(org.clone(), until);
        }
    }
}

/// What a sender learned, and by which class.
fn outcome_of(result: &Result<String, SendError>) -> (&'static str, &'static str) {
    match result {
        Ok(_) => ("ok", "ok"),
        Err(SendError::NeverSent(_)) => ("fail", "never-sent"),
        Err(SendError::Throttled { .. }) => ("fail", "throttled"),
        Err(SendError::Unknown(_)) => ("unknown", "unknown"),
        Err(SendError::Credentials(_)) => ("fail", "credentials"),
        Err(SendError::WindowClosed(_)) => ("fail", "window-closed"),
        Err(SendError::Refused(_)) => ("fail", "refused"),
    }
}
