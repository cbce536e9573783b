//! What is known of a session between two facts: the head that every decision reads and rewrites.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::{Channel, LineKey, window};
use crate::contact::CustomerAddress;
use crate::handoff::Handoff;
use crate::ids::{ContactId, OrgId, SessionId, derive};
use crate::policy::Policy;
use crate::session::timer::later;

/// Who answers the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum State {
    /// The machine.
    Assistant,
    /// A person, or the wait for one.
    HandedOff(Handoff),
    /// Nobody: it is over. The customer's next message opens another session.
    Resolved(Resolution),
}

impl State {
    /// The name used in logs and lists.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::HandedOff(_) => "handed_off",
            Self::Resolved(_) => "resolved",
        }
    }
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// Who ended it.
    pub by: Resolver,
    /// When.
    pub at: Timestamp,
    /// The hand-off that it ended, if there was one: a rep's late word still belongs to it.
    pub handoff: Option<Handoff>,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolver {
    /// Nobody wrote for long enough.
    Silence,
    /// A person here.
    Person,
    /// The case was closed in the CRM.
    Case,
}

/// The machine's duty to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Counts the turns asked for; an answer names the turn it belongs to.
    pub number: u32,
    /// When the pending turn may start; `None` when none is pending.
    pub due: Option<Timestamp>,
    /// Since when the pending turn is owed: the patience with a burst and with the machine counts from here.
    pub since: Option<Timestamp>,
    /// The last turn that was answered, thrown away or called off: what the model still says to it is not used.
    pub over: u32,
    /// Whether an answer was already thrown away because the customer wrote meanwhile. That happens once, not twice.
    pub discarded: bool,
}

impl Turn {
    /// Asks for an answer to everything so far. Each message of a burst moves the turn on, but never further than
    /// the longest wait since the first.
    pub(super) fn ask(&mut self, now: Timestamp, policy: &Policy) {
        let since = *self.since.get_or_insert(now);
        let latest = later(since, policy.debounce_most);
        self.number += 1;
        self.due = Some(later(now, policy.debounce).min(latest.max(now)));
    }

    /// No answer is owed any more, and none that is still being thought of is wanted.
    pub(super) fn call_off(&mut self) {
        *self = Self { number: self.number, over: self.number, ..Self::default() };
    }

    /// Whether the machine owes an answer.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.due.is_some()
    }

    /// Whether the model's word on this turn is still wanted.
    pub(super) fn wants(&self, number: u32) -> bool {
        self.is_pending() && self.over < number && number <= self.number
    }
}

/// The head of a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Computed from the line, the contact and the message that opened it.
    pub id: SessionId,
    /// Whose customer this is.
    pub org: OrgId,
    /// The person.
    pub contact: ContactId,
    /// The line they wrote to.
    pub line: LineKey,
    /// The session of the same person and line before this one.
    #[serde(default)]
    pub previous: Option<SessionId>,
    /// Where an answer goes.
    pub customer: CustomerAddress,
    /// What the customer calls themselves.
    pub customer_name: Option<String>,
    /// Rises by one with every change; 0 before the first.
    pub version: u64,
    /// Who answers.
    pub state: State,
    /// Rises when a person takes over, gives back or ends it. Machine words from an earlier epoch are not sent.
    pub epoch: u32,
    /// The last place taken in the transcript.
    pub last_seq: u64,
    /// No message before this one still needs work on its way to the customer.
    pub open_from: u64,
    /// The machine's duty to answer.
    pub turn: Turn,
    /// When it began.
    pub opened_at: Timestamp,
    /// When anybody last said something.
    pub last_activity_at: Timestamp,
    /// When the customer last wrote something that opens the reply window.
    pub last_inbound_at: Option<Timestamp>,
    /// Since when the customer waits for an answer.
    pub waiting_since: Option<Timestamp>,
    /// The customer's language, as the assistant or a detector said.
    pub language: Option<String>,
    /// The customer's last words, for a summary that needs no model.
    pub recent_words: Vec<String>,
    /// When to make sure that the workers have seen the latest change.
    pub check_at: Option<Timestamp>,
    /// When the clock must look at this session, at the latest.
    pub wake_at: Option<Timestamp>,
}

// Name, address and words are the customer's.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("org", &self.org)
            .field("version", &self.version)
            .field("state", &self.state)
            .field("epoch", &self.epoch)
            .field("last_seq", &self.last_seq)
            .field("turn", &self.turn)
            .field("wake_at", &self.wake_at)
            .finish_non_exhaustive()
    }
}

/// Who writes to which line, as far as opening a session needs it.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose line it is.
    pub org: OrgId,
    /// The person.
    pub contact: ContactId,
    /// The line.
    pub line: LineKey,
    /// Where an answer goes.
    pub customer: CustomerAddress,
    /// What the customer calls themselves.
    pub name: Option<String>,
    /// The key of the fact that opens it: the same fact opens the same session.
    pub key: String,
    /// When.
    pub at: Timestamp,
}

impl Session {
    /// A session that nothing has happened to yet.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        let Opening { org, contact, line, customer, name, key, at } = opening;
        let parts = [org.as_str(), &line.to_string(), &contact.to_string(), &key];
        Self {
            id: SessionId(derive("session", &parts)),
            contact,
            line,
            previous: None,
            customer,
            customer_name: name,
            version: 0,
            state: State::Assistant,
            epoch: 0,
            last_seq: 0,
            open_from: 1,
            turn: Turn::default(),
            opened_at: at,
            last_activity_at: at,
            last_inbound_at: None,
            waiting_since: None,
            language: None,
            recent_words: Vec::new(),
            check_at: None,
            wake_at: None,
            org,
        }
    }

    /// The channel it runs on.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.line.channel
    }

    /// Whether free text may go to the customer now.
    #[must_use]
    pub fn window_is_open(&self, now: Timestamp) -> bool {
        window::is_open(self.channel(), self.last_inbound_at, now)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        matches!(self.state, State::Resolved(_))
    }

    /// The hand-off in force or, for a resolved session, the one that was.
    #[must_use]
    pub fn handoff(&self) -> Option<&Handoff> {
        match &self.state {
            State::Assistant => None,
            State::HandedOff(handoff) => Some(handoff),
            State::Resolved(resolution) => resolution.handoff.as_ref(),
        }
    }

    /// What keeps this customer's facts in order on a queue.
    #[must_use]
    pub fn lane(&self) -> String {
        lane(&self.org, &self.line, &self.customer)
    }
}

/// What keeps one customer's facts in order on a queue: known at intake without a look-up, stable across sessions.
#[must_use]
pub fn lane(org: &OrgId, line: &LineKey, customer: &CustomerAddress) -> String {
    // Queue group ids allow 128 characters of a restricted set, so the parts are hashed into one id.
    derive("lane", &[org.as_str(), &line.to_string(), customer.stable()]).to_string()
}
