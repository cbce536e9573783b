//! What happened, in order: what the checker judges, what the timeline shows, and what the trace hash is made of.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use shared::channel::LineKey;
use shared::session::Because;
use shared::{Command, Delivery, Message, MessageId, OrgId, Policy, SessionId};
use shared_flow::ports::{Commit, Committed};
use uuid::Uuid;

use super::agenda::Sending;
use super::fault::Fault;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A customer wrote: what WhatsApp knows, whatever becomes of it here.
    Wrote { customer: usize, wamid: String, marker: String, opens: bool },
    /// We answered 200 to a webhook with this message.
    Acknowledged { customer: usize, wamid: String },
    /// We answered 200 to a webhook with something unreadable.
    GarbageTaken { original: Vec<u8> },
    /// A queue took a command.
    Queued { lane: String, key: Option<String>, command: &'static str },
    /// A worker began.
    Began { skew_ms: i64, on: String },
    /// A worker ended.
    Ended { how: String },
    /// A worker died or was killed.
    Died { how: &'static str },
    /// A commit took effect, or was turned away.
    Committed(Box<Committing>),
    /// A decision changed nothing.
    Unchanged { session: SessionId, because: Because, command: &'static str, state: &'static str },
    /// A message moved on its way to the customer, or another writer was first.
    Moved { org: OrgId, id: MessageId, to: Box<Delivery>, won: bool, by_receipt: bool },
    /// A request to send arrived at WhatsApp.
    Arrived(Box<Sending>),
    /// WhatsApp took it: from now on the customer sees it.
    Took { id: MessageId, vendor_id: String, customer: Option<usize> },
    /// WhatsApp refused it.
    Declined { id: MessageId, why: &'static str },
    /// What the sender learned: `ok`, `fail` (certainly nothing happened) or `unknown`.
    SendEnded { id: MessageId, how: &'static str },
    /// The customer does not get a message that WhatsApp had taken.
    TakenBack { id: MessageId, vendor_id: String },
    /// The model was asked, and which of the customers' words it was shown.
    Asked { session: SessionId, turn: u32, seen: Vec<String> },
    /// The model said something, recognised by its number.
    Said { number: u32, seen: Vec<String> },
    /// A record of ours appeared in the CRM.
    Filed { org: OrgId, case: Uuid, record: String, text: String },
    /// A case of ours appeared in the CRM.
    CaseOpened { org: OrgId, case: Uuid },
    /// The CRM refused one message for good.
    CrmRefused { record: String },
    /// A rep did something in the CRM: `replied`, `noted`, `closed`, `deleted`.
    Rep { org: OrgId, case: Uuid, record: String, what: &'static str },
    /// A person asked for something from here.
    Requested { session: SessionId, what: &'static str },
    /// The assistant was switched for a line.
    Switched { line: LineKey, on: bool },
    /// A fault struck.
    Struck { fault: Fault, number: u64, at: &'static str },
    /// A job was parked.
    Parked { key: Option<String> },
    /// What was parked was put back.
    Redriven { key: Option<String> },
    /// A remark for the timeline.
    Remark(&'static str),
}

/// A commit and what it was decided from.
#[derive(Clone, Debug)]
pub(super) struct Committing {
    pub(super) commit: Commit,
    pub(super) outcome: Committed,
    pub(super) command: Command,
    pub(super) key: Option<String>,
    pub(super) customer: Option<shared::CustomerAddress>,
    pub(super) policy: Policy,
    pub(super) open: Vec<Message>,
}

/// An event, when it happened and who did it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) worker: u32,
    pub(super) who: &'static str,
    pub(super) event: Event,
}

/// What happened so far.
pub(super) struct History {
    entries: Vec<Entry>,
    hash: DefaultHasher,
    record: bool,
}

impl History {
    /// An empty history; `record` keeps also what only a timeline needs.
    pub(super) fn new(record: bool) -> Self {
        Self { entries: Vec::new(), hash: DefaultHasher::new(), record }
    }

    pub(super) fn push(&mut self, at: Timestamp, worker: u32, who: &'static str, event: Event) {
        (at.as_nanosecond(), worker, who).hash(&mut self.hash);
        digest(&event, &mut self.hash);
        let only_shown = matches!(event, Event::Began { .. } | Event::Ended { .. } | Event::Remark(_));
        if self.record || !only_shown {
            self.entries.push(Entry { at, worker, who, event });
        }
    }

    /// Whether a timeline is wanted.
    pub(super) fn records(&self) -> bool {
        self.record
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What happened, in words. Workers that came and went without doing anything are left out.
    pub(super) fn timeline(&self) -> Vec<String> {
        let is_frame = |entry: &Entry| matches!(entry.event, Event::Began { .. } | Event::Ended { .. });
        let all = std::env::var_os("SIM_ALL").is_some();
        let busy: BTreeSet<u32> = self.entries.iter().filter(|e| !is_frame(e)).map(|e| e.worker).collect();
        self.entries.iter().filter(|e| all || busy.contains(&e.worker)).map(ToString::to_string).collect()
    }

    /// The faults that struck, by number.
    pub(super) fn struck(&self) -> BTreeSet<u64> {
        let numbers = self.entries.iter().filter_map(|entry| match entry.event {
            Event::Struck { number, .. } => Some(number),
            _ => None,
        });
        numbers.collect()
    }

    /// The same for equal runs.
    pub(super) fn hash(&self) -> u64 {
        self.hash.finish()
    }
}

/// What tells one event from another: its sort and its ids. Words follow from them.
fn digest(event: &Event, to: &mut DefaultHasher) {
    std::mem::discriminant(event).hash(to);
    match event {
        Event::Wrote { wamid, customer, .. } | Event::Acknowledged { wamid, customer } => {
            (wamid, customer).hash(to);
        }
        Event::Committed(commit) => {
            let session = &commit.commit.session;
            (session.id, session.version, session.last_seq, commit.command.name()).hash(to);
        }
        Event::Unchanged { session, because, .. } => (session, because).hash(to),
        Event::Moved { id, to: delivery, won, .. } => (id, delivery.state, delivery.rev, won).hash(to),
        Event::Took { id, vendor_id, .. } | Event::TakenBack { id, vendor_id, .. } => (id, vendor_id).hash(to),
        Event::Declined { id, why } | Event::SendEnded { id, how: why } => (id, why).hash(to),
        Event::Filed { record, .. } | Event::CrmRefused { record, .. } => record.hash(to),
        Event::CaseOpened { case, .. } => case.hash(to),
        Event::Rep { record, what, .. } => (record, what).hash(to),
        Event::Struck { fault, number, .. } => (fault, number).hash(to),
        Event::Asked { session, turn, .. } => (session, turn).hash(to),
        Event::Said { number, .. } => number.hash(to),
        Event::Queued { lane, key, command } => (lane, key, command).hash(to),
        Event::Requested { session, what } => (session, what).hash(to),
        Event::Parked { key } | Event::Redriven { key } => key.hash(to),
        Event::Began { skew_ms, .. } => skew_ms.hash(to),
        Event::Died { how } => how.hash(to),
        Event::GarbageTaken { .. }
        | Event::Ended { .. }
        | Event::Arrived(_)
        | Event::Switched { .. }
        | Event::Remark(_) => {}
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_string();
        let time = at.get(11..23.min(at.len())).unwrap_or(&at).trim_end_matches('Z');
        let who = if self.worker == 0 { "world".to_owned() } else { format!("{}#{}", self.who, self.worker) };
        write!(f, "{} {time:<12} {who:<18} {}", at.get(5..10).unwrap_or(""), self.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrote { marker, wamid, .. } => write!(f, "the customer writes [{marker}] as {wamid}"),
            Self::Acknowledged { wamid, customer } => write!(f, "webhook answered: {wamid} of customer {customer}"),
            Self::GarbageTaken { .. } => write!(f, "webhook answered: something unreadable"),
            Self::Queued { key, command, .. } => {
                write!(f, "queued {command} {}", key.as_deref().unwrap_or(""))
            }
            Self::Began { skew_ms, on } => write!(f, "begins {on}{}", skew(*skew_ms)),
            Self::Ended { how } => write!(f, "ends: {how}"),
            Self::Died { how } => write!(f, "dies: {how}"),
            Self::Committed(commit) => show_commit(f, commit),
            Self::Unchanged { session, because, command, state } => {
                write!(f, "{} {command} in {state} changes nothing: {because:?}", short(*session))
            }
            Self::Moved { id, to, won, .. } => {
                let lost = if *won { "" } else { " (another writer was first)" };
                write!(f, "{} moves to {:?} rev {}{lost}", place(*id), to.state, to.rev)
            }
            Self::Arrived(sending) => {
                write!(f, "WhatsApp gets {}: {}", place(sending.id), start_of(&sending.text))
            }
            Self::Took { id, vendor_id, .. } => write!(f, "WhatsApp takes {} as {vendor_id}", place(*id)),
            Self::Declined { id, why } => write!(f, "WhatsApp refuses {}: {why}", place(*id)),
            Self::SendEnded { id, how } => write!(f, "send of {} ends: {how}", place(*id)),
            Self::TakenBack { id, vendor_id, .. } => {
                write!(f, "WhatsApp gives up {} ({vendor_id})", place(*id))
            }
            Self::Asked { session, turn, .. } => write!(f, "asks the model, {} turn {turn}", short(*session)),
            Self::Said { number, seen } => write!(f, "the model says re#{number} to {}", seen.join(" ")),
            Self::Filed { record, text, case, .. } => {
                write!(f, "case {} gets activity {}: {}", cut(case), cut(record), start_of(text))
            }
            Self::CaseOpened { case, .. } => write!(f, "case {} appears in the CRM", cut(case)),
            Self::CrmRefused { record, .. } => write!(f, "the CRM refuses {} for good", cut(record)),
            Self::Rep { case, record, what, .. } => {
                write!(f, "rep {what} in case {} ({})", cut(case), cut(record))
            }
            Self::Requested { session, what } => write!(f, "a person asks: {what} {}", short(*session)),
            Self::Switched { on, line } => {
                write!(f, "the assistant of {} is switched {}", line.address, if *on { "on" } else { "off" })
            }
            Self::Struck { fault, number, at } => write!(f, "*** {} at {at} (fault {number})", fault.name()),
            Self::Parked { key } => write!(f, "parked {}", key.as_deref().unwrap_or("")),
            Self::Redriven { key } => write!(f, "put back {}", key.as_deref().unwrap_or("")),
            Self::Remark(text) => f.write_str(text),
        }
    }
}

fn show_commit(f: &mut fmt::Formatter<'_>, commit: &Committing) -> fmt::Result {
    let session = &commit.commit.session;
    write!(
        f,
        "{} {} → {:?} v{} {} epoch {}",
        short(session.id),
        commit.command.name(),
        commit.outcome,
        session.version,
        session.state.name(),
        session.epoch
    )?;
    for message in &commit.commit.messages {
        write!(f, " +{}:{:?} {}", message.seq, message.author, start_of(&message.text))?;
        if let Some(delivery) = &message.delivery {
            write!(f, " ({:?})", delivery.state)?;
        }
    }
    for change in &commit.commit.changes {
        write!(f, " ~{}:{:?}", change.seq, change.delivery.state)?;
    }
    Ok(())
}

fn skew(ms: i64) -> String {
    if ms == 0 { String::new() } else { format!(", its clock {:+} s", ms / 1000) }
}

/// The first letters of an id.
fn cut(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// A session as timelines name it.
pub(super) fn short(session: SessionId) -> String {
    cut(&session)
}

/// A message as timelines name it.
pub(super) fn place(id: MessageId) -> String {
    format!("{}:{}", short(id.session), id.seq)
}

fn start_of(text: &str) -> String {
    let line: String = text.chars().take(44).collect();
    format!("“{}”", line.replace('\n', " "))
}
