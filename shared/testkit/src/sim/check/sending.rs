//! I3, I4, I5, I8, I9, I16: what the customer got: each message once or a counted twice, in order, in time, and theirs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use shared::delivery::{REPEATS, rank};
use shared::{Author, Delivery, DeliveryState, Message, MessageId, OrgId};
use shared_flow::ports::Committed;

use super::fold::{Fold, Known, belongs};
use super::{Evidence, Findings};
use crate::sim::agenda;
use crate::sim::history::{Entry, Event, place};
use crate::sim::runner::SKEW_MS;
use crate::sim::whatsapp::{WINDOW, markers};

/// How long before the window's end the line stops of its own accord, less what a call and its delays may take.
const MARGIN: SignedDuration = SignedDuration::from_secs(60 - 40);
/// How often the model may be asked for one turn.
const CALLS: usize = 2;

/// What is known of one message's way.
#[derive(Default)]
struct Way {
    /// Copies at the customer.
    copies: u32,
    /// Whether an attempt was made whose outcome is not known.
    unknown: bool,
    /// Attempts made after such an attempt, but for those that certainly came to nothing.
    repeats: u32,
    /// Whether the attempt under way is one of them.
    repeating: bool,
    /// Whether it waited while later ones went: for the window, or because the channel took back its word.
    out_of_order: bool,
}

/// What was sent so far.
#[derive(Default)]
pub(super) struct Sending {
    ways: BTreeMap<MessageId, Way>,
    inbound: BTreeMap<usize, Timestamp>,
    calls: BTreeMap<(shared::SessionId, u32), usize>,
}

impl Sending {
    pub(super) fn see(
        &mut self,
        fold: &Fold,
        entry: &Entry,
        evidence: &Evidence<'_>,
        findings: &mut Findings,
    ) {
        match &entry.event {
            Event::Wrote { customer, opens: true, .. } => {
                self.inbound.insert(*customer, entry.at);
            }
            Event::Moved { id, org, to, won: true, by_receipt } => {
                let Some(known) = fold.session(id.session) else { return };
                let Some(message) = known.messages.get(&id.seq) else { return };
                check_org(entry, known, org, *id, findings);
                self.moved(entry, known, message, to, *by_receipt, *id, findings);
            }
            Event::Committed(made) if made.outcome == Committed::Done => {
                let session = made.commit.session.id;
                for message in made.commit.messages.iter().filter(|m| m.is_in(&[DeliveryState::Held])) {
                    self.ways.entry(MessageId { session, seq: message.seq }).or_default().out_of_order = true;
                }
                let known = fold.session(session);
                for change in &made.commit.changes {
                    let id = MessageId { session, seq: change.seq };
                    if let Some(message) = known.and_then(|known| known.messages.get(&change.seq)) {
                        check_rank(entry, message, &change.delivery, false, id, findings);
                        let way = self.ways.entry(id).or_default();
                        way.out_of_order |= change.delivery.state == DeliveryState::Held;
                    }
                }
            }
            Event::Arrived(sending) => self.arrived(fold, entry, sending, evidence, findings),
            Event::Took { id, customer, .. } => self.took(fold, entry, *id, *customer, findings),
            Event::SendEnded { id, how: "fail" } => {
                let way = self.ways.entry(*id).or_default();
                way.repeats -= u32::from(std::mem::take(&mut way.repeating));
            }
            Event::TakenBack { id, .. } => {
                let way = self.ways.entry(*id).or_default();
                way.copies = way.copies.saturating_sub(1);
            }
            Event::Asked { session, turn, seen } => {
                let calls = self.calls.entry((*session, *turn)).or_default();
                *calls += 1;
                findings.expect(*calls <= CALLS, "I13", entry.at, || {
                    format!("the model was asked {calls} times for turn {turn}")
                });
                if let Some(known) = fold.session(*session) {
                    check_words(entry, known, seen, evidence, findings);
                }
            }
            _ => {}
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one move and everything it is judged by")]
    fn moved(
        &mut self,
        entry: &Entry,
        known: &Known,
        message: &Message,
        to: &Delivery,
        by_receipt: bool,
        id: MessageId,
        findings: &mut Findings,
    ) {
        check_rank(entry, message, to, by_receipt, id, findings);
        let way = self.ways.entry(id).or_default();
        match to.state {
            DeliveryState::Unknown => way.unknown = true,
            DeliveryState::Held => way.out_of_order = true,
            // The channel says that the attempt before did not arrive; what came later may be out by now.
            DeliveryState::Queued if by_receipt => {
                way.unknown = false;
                way.out_of_order = true;
            }
            _ => {}
        }
        if to.state == DeliveryState::Sending {
            way.repeating = way.unknown;
            way.repeats += u32::from(way.unknown);
            let repeats = way.repeats;
            findings.expect(repeats <= REPEATS, "I4", entry.at, || {
                format!("{} is sent again after {repeats} unknown outcomes", place(id))
            });
            let machine = matches!(message.author, Author::Assistant | Author::System);
            findings.expect(!machine || message.epoch == known.head.epoch, "I5", entry.at, || {
                format!(
                    "{} is a machine's word of epoch {}, and a person acted since",
                    place(id),
                    message.epoch
                )
            });
            self.check_order(entry, known, id, findings);
        }
    }

    /// Nothing that was said earlier may still be under way, unless it was overtaken for a reason.
    fn check_order(&self, entry: &Entry, known: &Known, id: MessageId, findings: &mut Findings) {
        let earlier = known.messages.range(..id.seq).map(|(_, message)| message);
        let mut under_way = earlier.filter(|m| {
            let excused = self.ways.get(&MessageId { seq: m.seq, ..id }).is_some_and(|way| way.out_of_order);
            m.delivery.as_ref().is_some_and(|d| !d.is_settled()) && !excused
        });
        let first = under_way.next().map(|m| m.seq);
        findings.expect(first.is_none(), "I3", entry.at, || {
            format!("{} is sent before {}", place(id), first.unwrap_or(0))
        });
    }

    fn arrived(
        &mut self,
        fold: &Fold,
        entry: &Entry,
        sending: &agenda::Sending,
        evidence: &Evidence<'_>,
        findings: &mut Findings,
    ) {
        let id = sending.id;
        let Some(known) = fold.session(id.session) else {
            findings.add("I8", entry.at, || format!("{} belongs to no session", place(id)));
            return;
        };
        let text = known.messages.get(&id.seq).map(|message| message.text.as_str());
        let right = known.head.org == sending.org
            && known.head.line == sending.line
            && text == Some(sending.text.as_str());
        findings
            .expect(right, "I8", entry.at, || format!("{} is sent on another line or altered", place(id)));
        check_words(entry, known, &markers(&sending.text), evidence, findings);
        let customer = evidence.scenario.customer_at(&sending.line, &sending.to);
        findings.expect(customer == known.customer, "I8", entry.at, || {
            format!("{} goes to customer {customer:?} and was meant for {:?}", place(id), known.customer)
        });
        let last = customer.and_then(|customer| self.inbound.get(&customer));
        let skew = SignedDuration::from_millis(if evidence.faults { SKEW_MS } else { 0 });
        let open = last.is_some_and(|at| entry.at.duration_since(*at) <= WINDOW - MARGIN + skew);
        findings.expect(open, "I9", entry.at, || format!("{} is sent outside the reply window", place(id)));
    }

    fn took(
        &mut self,
        fold: &Fold,
        entry: &Entry,
        id: MessageId,
        to: Option<usize>,
        findings: &mut Findings,
    ) {
        let way = self.ways.entry(id).or_default();
        way.copies += 1;
        let meant = fold.session(id.session).and_then(|known| known.customer);
        findings.expect(to.is_some() && to == meant, "I8", entry.at, || {
            format!("{} reached customer {to:?}, not {meant:?}", place(id))
        });
    }

    /// Copies are judged at the end, when it is known which of them the channel gave up.
    pub(super) fn finish(&self, evidence: &Evidence<'_>, findings: &mut Findings) {
        for (id, way) in &self.ways {
            let most = if evidence.faults { 1 + way.repeats.min(REPEATS) } else { 1 };
            findings.expect(way.copies <= most, "I4", evidence.scenario.stop, || {
                format!(
                    "the customer got {} {} times; {} repeats were due",
                    place(*id),
                    way.copies,
                    way.repeats
                )
            });
        }
    }
}

fn check_org(entry: &Entry, known: &Known, org: &OrgId, id: MessageId, findings: &mut Findings) {
    findings.expect(&known.head.org == org, "I8", entry.at, || {
        format!("{} is moved by organisation {org}", place(id))
    });
}

/// Ranks never fall, but where the channel itself takes back its word on what it had not delivered.
fn check_rank(
    entry: &Entry,
    message: &Message,
    to: &Delivery,
    by_receipt: bool,
    id: MessageId,
    findings: &mut Findings,
) {
    let Some(from) = &message.delivery else { return };
    let falls = rank(to.state) < rank(from.state);
    let taken_back = by_receipt && rank(to.state) == 0 && rank(from.state) < rank(DeliveryState::Delivered);
    findings.expect(!falls || taken_back, "I16", entry.at, || {
        format!("{} falls from {:?} to {:?}", place(id), from.state, to.state)
    });
    findings.expect(to.rev == from.rev + 1, "I16", entry.at, || {
        format!("{} jumps from revision {} to {}", place(id), from.rev, to.rev)
    });
}

/// Every marker in words to, from or about a customer is theirs.
pub(super) fn check_words(
    entry: &Entry,
    known: &Known,
    words: &[String],
    evidence: &Evidence<'_>,
    findings: &mut Findings,
) {
    let Some(customer) = known.customer.and_then(|number| evidence.scenario.customers.get(number)) else {
        return;
    };
    let stray = words.iter().find(|marker| !belongs(marker, &customer.tag));
    findings.expect(stray.is_none(), "I8", entry.at, || {
        format!("words of {} are shown to {}", stray.map_or("", String::as_str), customer.tag)
    });
}
