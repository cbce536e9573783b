//! What the line still owes somebody, read off the stored state and the vendors' books; it must be paid in time.

mod crm;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use shared::session::Resolver;
use shared::{Author, Delivery, DeliveryState, Message, MessageId, OrgId, Session, SessionId, State};
use uuid::Uuid;

use super::history::{Event, place, short};
use super::scenario::Customer;
use super::whatsapp::{WINDOW, markers};
use super::world::World;
use crate::memory::MemoryStore;

/// Something owed. It names what it is about, so that the same debt is recognised later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owed {
    /// A message that was acknowledged belongs into a transcript.
    Intake { customer: usize, wamid: String },
    /// A turn is due.
    Turn { session: SessionId, number: u32 },
    /// A customer waits for an answer.
    Answer { id: MessageId },
    /// A message is on its way.
    Send { id: MessageId },
    /// Nobody was told that a message did not arrive.
    Tell { id: MessageId },
    /// A reply waits for a window that is open.
    Release { id: MessageId },
    /// The CRM's copy lacks a message.
    Mirror { id: MessageId },
    /// The CRM does not know that the session is over.
    Resolve { session: SessionId },
    /// A rep's reply belongs into the transcript.
    RepReply { org: OrgId, record: String },
    /// A case is closed and its session is not.
    Closure { org: OrgId, case: Uuid },
}

impl Owed {
    /// Whether it is noticed only when the case is read, which for a lost webhook is the next sweep.
    fn waits_for_a_sweep(&self) -> bool {
        matches!(self, Self::RepReply { .. } | Self::Closure { .. })
    }
}

impl fmt::Display for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intake { customer, wamid } => {
                write!(f, "{wamid} of customer {customer} was acknowledged and is in no transcript")
            }
            Self::Turn { session, number } => {
                write!(f, "turn {number} of {} is still pending", short(*session))
            }
            Self::Answer { id } => {
                write!(f, "the customer's {} was neither answered nor handed off", place(*id))
            }
            Self::Send { id } => write!(f, "{} is still on its way", place(*id)),
            Self::Tell { id } => write!(f, "nobody was told that {} did not arrive", place(*id)),
            Self::Release { id } => write!(f, "{} waits although the window is open", place(*id)),
            Self::Mirror { id } => write!(f, "{} is missing in the CRM", place(*id)),
            Self::Resolve { session } => write!(f, "the case of {} was not resolved", short(*session)),
            Self::RepReply { record, .. } => write!(f, "the rep's reply {record} is in no transcript"),
            Self::Closure { case, .. } => write!(f, "case {case} is closed and its session is not"),
        }
    }
}

/// What was owed at each mark, and what was still owed when it had to be paid.
#[derive(Default)]
pub(super) struct Ledger {
    marks: BTreeMap<u8, BTreeSet<Owed>>,
    pub(super) unpaid: Vec<(Timestamp, Owed)>,
}

impl Ledger {
    pub(super) fn write(&mut self, mark: u8, owed: BTreeSet<Owed>) {
        self.marks.insert(mark, owed);
    }

    /// Whatever was owed at the mark and still is. What a sweep must find has until the next mark.
    pub(super) fn settle(&mut self, mark: u8, owed: &BTreeSet<Owed>, now: Timestamp) {
        let Some(before) = self.marks.get(&mark) else { return };
        let unpaid = before.intersection(owed).filter(|debt| mark > 0 || !debt.waits_for_a_sweep());
        self.unpaid.extend(unpaid.map(|debt| (now, debt.clone())));
    }
}

/// The last time that somebody declared to come back at, as far as it is not the ordinary sweep.
pub(super) fn last_declared(store: &MemoryStore, now: Timestamp) -> Timestamp {
    let mut last = now;
    for session in store.all_sessions() {
        last = last.max(session.turn.due.unwrap_or(now));
        for message in store.transcript(&session.org, session.id) {
            let under_way = message.delivery.filter(|d| !d.is_settled());
            last = last.max(under_way.and_then(|d| d.look_at).unwrap_or(now));
        }
        let cursor = store.cursor(&session.org, session.id).unwrap_or_default();
        if cursor.trouble.is_some() || cursor.lease_until.is_some() {
            last = last.max(cursor.wake_at.unwrap_or(now));
        }
    }
    last
}

/// Everything owed now.
pub(super) fn owed(world: &World, store: &MemoryStore) -> BTreeSet<Owed> {
    let mut found = BTreeSet::new();
    let sessions: Vec<(Session, Vec<Message>)> = store
        .all_sessions()
        .into_iter()
        .map(|session| {
            let transcript = store.transcript(&session.org, session.id);
            (session, transcript)
        })
        .collect();
    intake(world, &sessions, &mut found);
    let said = said(world);
    for (session, transcript) in &sessions {
        if session.turn.is_pending() {
            found.insert(Owed::Turn { session: session.id, number: session.turn.number });
        }
        for message in transcript {
            let id = MessageId { session: session.id, seq: message.seq };
            if let Some(delivery) = &message.delivery {
                found.extend(on_the_way(world, session, id, delivery));
            }
            if !is_answered(session, message, transcript, &said) {
                found.insert(Owed::Answer { id });
            }
        }
        crm::in_the_crm(world, session, transcript, &mut found);
    }
    found
}

fn intake(world: &World, sessions: &[(Session, Vec<Message>)], found: &mut BTreeSet<Owed>) {
    for entry in world.history.entries() {
        let Event::Acknowledged { customer, wamid } = &entry.event else { continue };
        let Some(line) = world.scenario.line_of(*customer) else { continue };
        let on_line = sessions.iter().filter(|(session, _)| session.line == line.key);
        let mut messages = on_line.flat_map(|(_, transcript)| transcript);
        if !messages.any(|m| m.author == Author::Customer && m.source.as_ref() == Some(wamid)) {
            found.insert(Owed::Intake { customer: *customer, wamid: wamid.clone() });
        }
    }
}

fn on_the_way(world: &World, session: &Session, id: MessageId, delivery: &Delivery) -> Option<Owed> {
    match delivery.state {
        DeliveryState::Queued | DeliveryState::Sending | DeliveryState::Unknown => Some(Owed::Send { id }),
        DeliveryState::Failed if !delivery.reported => Some(Owed::Tell { id }),
        // What the channel itself called closed opens with the customer's next word, whatever the clock says.
        DeliveryState::Held if !is_the_channels_word(delivery) && world.window_is_open(session) => {
            Some(Owed::Release { id })
        }
        DeliveryState::Held if !delivery.reported => Some(Owed::Tell { id }),
        DeliveryState::Failed
        | DeliveryState::Held
        | DeliveryState::Accepted
        | DeliveryState::Sent
        | DeliveryState::Delivered
        | DeliveryState::Read
        | DeliveryState::Cancelled => None,
    }
}

fn is_the_channels_word(delivery: &Delivery) -> bool {
    delivery.trouble.as_ref().is_some_and(|trouble| trouble.code.is_some())
}

/// What the model was shown before each thing it said.
fn said(world: &World) -> BTreeMap<u32, Vec<String>> {
    let entries = world.history.entries().iter();
    let said = entries.filter_map(|entry| match &entry.event {
        Event::Said { number, seen } => Some((*number, seen.clone())),
        _ => None,
    });
    said.collect()
}

/// Whether a customer's message got an answer, or a person.
fn is_answered(
    session: &Session,
    message: &Message,
    transcript: &[Message],
    said: &BTreeMap<u32, Vec<String>>,
) -> bool {
    if message.author != Author::Customer || !message.kind.asks_for_an_answer() {
        return true;
    }
    let person_has_it = match &session.state {
        State::Assistant => false,
        State::HandedOff(_) => true,
        State::Resolved(end) => end.by != Resolver::Silence,
    };
    let marker = markers(&message.text).pop();
    let answers = |m: &Message| match m.author {
        Author::Rep => true,
        Author::Assistant => number_of(&m.text)
            .and_then(|number| said.get(&number))
            .is_some_and(|seen| seen.iter().any(|shown| is_at_or_after(shown, marker.as_deref()))),
        Author::Customer | Author::System => false,
    };
    person_has_it || transcript.iter().any(|m| m.seq > message.seq && answers(m))
}

/// The number of something the model said.
pub(super) fn number_of(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("re#")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Whether `shown` is the customer's message of this marker or a later one of theirs.
fn is_at_or_after(shown: &str, marker: Option<&str>) -> bool {
    let split = |text: &str| {
        let (tag, nth) = text.rsplit_once('/')?;
        Some((tag.to_owned(), nth.parse::<u32>().ok()?))
    };
    match (split(shown), marker.and_then(split)) {
        (Some((tag, nth)), Some((wanted, from))) => tag == wanted && nth >= from,
        (_, _) => false,
    }
}

impl World {
    /// Whether WhatsApp would take free text to the session's customer for some time yet.
    fn window_is_open(&self, session: &Session) -> bool {
        let customer = self.scenario.customer_at(&session.line, &session.customer);
        // Somebody whose first words come by number alone, and others by user id, may have been taken for two.
        let one = |customer: &usize| {
            self.scenario.customers.get(*customer).is_some_and(Customer::is_always_the_same)
        };
        let last = customer.filter(one).and_then(|customer| self.whatsapp.last_inbound(customer));
        let most = WINDOW - SignedDuration::from_mins(5);
        last.is_some_and(|at| self.now.duration_since(at) < most)
    }
}
