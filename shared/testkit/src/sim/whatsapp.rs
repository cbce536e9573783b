//! WhatsApp's side: takes messages, enforces its window, reports what became of them, posts webhooks.

mod port;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::delivery::{Receipt, Trouble};
use shared::session::CustomerMessage;
use shared::{Kind, OrgId};
use shared_flow::ingest::Inbound;
use shared_flow::ports::{SendError, StatusNote};

use super::agenda::{Due, Post, Sending};
use super::fault::Fault;
use super::history::Event;
use super::scenario::Words;
use super::world::World;

/// How long free text may follow a customer's message, by WhatsApp's own clock.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(24);
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
        self.note(Event::Took { id: sending.id, vendor_id: vendor_id.clone(), customer });
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
