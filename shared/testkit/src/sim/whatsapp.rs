//! WhatsApp as the line sees it: takes messages, enforces its window, reports what became of them, posts webhooks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use shared::delivery::{Receipt, Trouble};
use shared::session::CustomerMessage;
use shared::{Kind, OrgId};
use shared_flow::ingest::Inbound;
use shared_flow::ports::{ChannelSender, Outgoing, SendError, StatusNote};

use super::agenda::{Due, Post, Sending};
use super::fault::Fault;
use super::history::Event;
use super::ports::SimPorts;
use super::sabotage::Sabotage;
use super::scenario::{Target, Words};
use super::world::World;

/// How long free text may follow a customer's message, by WhatsApp's own clock.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// How long the line waits for an answer.
const LIMIT_MS: i64 = 8_000;

/// WhatsApp's own books.
pub(super) struct Whatsapp {
    /// When each customer last wrote something that opens the window.
    last_inbound: Vec<Option<Timestamp>>,
    written: Vec<u32>,
    /// Message numbers by line: two lines use the same ones.
    numbers: BTreeMap<usize, u32>,
    /// Numbers of what we sent, by organisation: two organisations use the same ones.
    taken: BTreeMap<OrgId, u32>,
    gathered: BTreeMap<usize, Vec<(usize, Inbound)>>,
    /// Until when a line's credentials are not accepted.
    broken: BTreeMap<OrgId, Timestamp>,
}

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

impl Whatsapp {
    pub(super) fn new(customers: usize) -> Self {
        Self {
            last_inbound: vec![None; customers],
            written: vec![0; customers],
            numbers: BTreeMap::new(),
            taken: BTreeMap::new(),
            gathered: BTreeMap::new(),
            broken: BTreeMap::new(),
        }
    }

    /// When the customer last wrote something that opens the window.
    pub(super) fn last_inbound(&self, customer: usize) -> Option<Timestamp> {
        self.last_inbound.get(customer).copied().flatten()
    }

    /// What a line has gathered since its last webhook.
    pub(super) fn gathered(&mut self, line: usize) -> Vec<(usize, Inbound)> {
        self.gathered.remove(&line).unwrap_or_default()
    }
}

impl World {
    /// A customer writes. The webhook follows within a second, with whatever else comes until then.
    pub(super) fn customer_writes(&mut self, customer: usize, kind: Kind, words: Words) {
        let scenario = self.scenario.clone();
        let (Some(who), Some(line)) = (scenario.customers.get(customer), scenario.line_of(customer)) else {
            return;
        };
        let nth = self.whatsapp.written.get(customer).copied().unwrap_or(0);
        let number = self.whatsapp.numbers.entry(who.line).or_default();
        *number += 1;
        let wamid = format!("wamid.{number}");
        let marker = format!("{}/{nth}", who.tag);
        let opens = kind.opens_the_window();
        if let Some(written) = self.whatsapp.written.get_mut(customer) {
            *written += 1;
        }
        if opens && let Some(last) = self.whatsapp.last_inbound.get_mut(customer) {
            *last = Some(self.now);
        }
        let message = CustomerMessage {
            source: wamid.clone(),
            kind,
            text: text(&marker, words),
            // WhatsApp's clock has whole seconds.
            at: Timestamp::from_second(self.now.as_second()).unwrap_or(self.now),
            customer: who.address(nth),
            name: nth.is_multiple_of(3).then(|| format!("Customer {}", who.tag)),
        };
        let key = format!("wa:{}:{wamid}", line.key.address);
        let inbound = Inbound { line: line.key.clone(), key, message };
        self.note(Event::Wrote { customer, wamid, marker, opens });
        self.gather(who.line, customer, inbound);
    }

    fn gather(&mut self, line: usize, customer: usize, inbound: Inbound) {
        if self.strike(&[Fault::HookLate], "WhatsApp").is_some() {
            let at = self.faults.between(5_000, 400_000);
            let post = Post { messages: vec![(customer, inbound)], ..Post::default() };
            self.agenda.add(self.in_ms(at), Due::Post(Box::new(post)));
            return;
        }
        let waiting = self.whatsapp.gathered.entry(line).or_default();
        waiting.push((customer, inbound));
        if waiting.len() == 1 {
            let wait = self.usual_wait() * 30;
            self.agenda.add(self.in_ms(wait), Due::Flush(line));
        }
    }

    /// A request arrives, and WhatsApp takes it or does not.
    pub(super) fn arrive(&mut self, sending: &Sending) -> Result<String, SendError> {
        self.note(Event::Arrived(Box::new(sending.clone())));
        let customer = self.scenario.customer_at(&sending.line, &sending.to);
        let last = customer.and_then(|c| self.whatsapp.last_inbound(c));
        if last.is_none_or(|at| self.now.duration_since(at) > WINDOW) {
            self.note(Event::Declined { id: sending.id, why: "its window is closed" });
            return Err(SendError::WindowClosed(trouble(131_047, "the reply window is closed")));
        }
        let number = self.whatsapp.taken.entry(sending.org.clone()).or_default();
        *number += 1;
        let vendor_id = format!("wamid.out.{number}");
        self.note(Event::Took {
            id: sending.id,
            vendor_id: vendor_id.clone(),
            customer,
        });
        self.report(sending, &vendor_id);
        Ok(vendor_id)
    }

    /// What becomes of a message that WhatsApp took.
    fn report(&mut self, sending: &Sending, vendor_id: &str) {
        let fate = self.strike(&[Fault::StatusFailed, Fault::StatusFailedForNow], "WhatsApp");
        let receipts: &[(i64, Receipt)] = match fate {
            Some(Fault::StatusFailed) => &[(1_500, Receipt::Failed)],
            Some(_) => &[(1_500, Receipt::FailedForNow)],
            None => &[(300, Receipt::Sent), (1_500, Receipt::Delivered), (9_000, Receipt::Read)],
        };
        if fate.is_some() {
            self.note(Event::TakenBack { id: sending.id, vendor_id: vendor_id.to_owned() });
        }
        for (wait, receipt) in receipts {
            self.post_status(sending, vendor_id, *wait, *receipt);
        }
    }

    fn post_status(&mut self, sending: &Sending, vendor_id: &str, wait: i64, receipt: Receipt) {
        // A failure that nobody hears of cannot be acted on, so that one is never lost.
        let failed = matches!(receipt, Receipt::Failed | Receipt::FailedForNow);
        if self.strike(&[Fault::StatusLost], "WhatsApp").is_some() && !failed {
            return;
        }
        let bare = self.strike(&[Fault::StatusBare], "WhatsApp").is_some();
        let note = StatusNote {
            org: sending.org.clone(),
            vendor_id: vendor_id.to_owned(),
            callback: (!bare).then(|| sending.id.to_string()),
            receipt,
            trouble: failed.then(|| trouble(131_026, "it could not be delivered")),
            at: self.now,
        };
        let late = self.strike(&[Fault::HookLate], "WhatsApp").is_some();
        let wait = if late { self.faults.between(0, 120_000) } else { wait + self.usual_wait() };
        let post = Post { statuses: vec![note], ..Post::default() };
        self.agenda.add(self.in_ms(wait), Due::Post(Box::new(post.clone())));
        if self.strike(&[Fault::StatusRepeated], "WhatsApp").is_some() {
            let again = self.faults.between(0, 300_000);
            self.agenda.add(self.in_ms(wait + again), Due::Post(Box::new(post)));
        }
    }

    fn whatsapp_accepts_us(&self, org: &OrgId) -> bool {
        !self.faults.on() || self.whatsapp.broken.get(org).is_none_or(|until| *until <= self.now)
    }
}

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
                self.world.lock().note(Event::Declined { id: sending.id, why: "it says its window is closed" });
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

fn trouble(code: i64, text: &str) -> Trouble {
    Trouble { code: Some(code), ..Trouble::new(text) }
}

/// A customer's words. Everything said to or about a customer carries a marker like theirs, so that a word that
/// went astray is seen.
fn text(marker: &str, words: Words) -> String {
    match words {
        Words::Plain => format!("[{marker}] hello"),
        Words::Human => format!("[{marker}] a human please"),
        Words::Long => format!("[{marker}] say everything"),
        Words::German => {
            format!("[{marker}] Meine Bestellung ist immer noch nicht angekommen, was ist da los?")
        }
        Words::Hidden => format!("[{marker}] hi\u{200B}dden\u{E0041}"),
    }
}

/// The markers in a text.
pub(super) fn markers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('[') {
        let Some((inside, tail)) = after.split_once(']') else { break };
        if inside.contains('/') && !inside.contains(' ') {
            found.push(inside.to_owned());
            rest = tail;
        } else {
            rest = after;
        }
    }
    found
}

