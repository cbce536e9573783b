//! The facts that can happen to a session, in the past tense. Each was verified before it became one of these.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::agent::Verdict;
use crate::channel::render::is_blank;
use crate::contact::CustomerAddress;
use crate::delivery::Trouble;
use crate::message::Kind;

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum Command {
    /// The customer wrote.
    CustomerWrote(CustomerMessage),
    /// The model's turn is over.
    AgentConcluded(Conclusion),
    /// A person answered in the CRM.
    RepReplied(RepReply),
    /// The case reached a final status in the CRM.
    CaseClosed(CaseClosure),
    /// A message's way to the customer ended badly.
    DeliveryEnded(DeliveryEnd),
    /// A message that had left needs work again: the channel took back its word on it.
    DeliveryReopened {
        /// Its place in the transcript.
        seq: u64,
    },
    /// The customer wrote to this line again, in a later session: what waited here for the reply window may go out.
    WindowReopened {
        /// When they wrote, as far as the channel's clock is believed.
        at: Timestamp,
    },
    /// A person wants the session.
    HandoffRequested(By),
    /// A person gives the session back to the assistant.
    HandBackRequested(By),
    /// A person says it is over.
    ResolveRequested(By),
    /// The clock reached `wake_at`.
    Woke,
}

impl Command {
    /// The fact's name, for logs and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CustomerWrote(_) => "customer_wrote",
            Self::AgentConcluded(_) => "agent_concluded",
            Self::RepReplied(_) => "rep_replied",
            Self::CaseClosed(_) => "case_closed",
            Self::DeliveryEnded(_) => "delivery_ended",
            Self::DeliveryReopened { .. } => "delivery_reopened",
            Self::WindowReopened { .. } => "window_reopened",
            Self::HandoffRequested(_) => "handoff_requested",
            Self::HandBackRequested(_) => "hand_back_requested",
            Self::ResolveRequested(_) => "resolve_requested",
            Self::Woke => "woke",
        }
    }
}

/// What the customer wrote.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerMessage {
    /// The channel's id of the message.
    pub source: String,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The words, or words for the thing.
    pub text: String,
    /// When they wrote it, as far as the channel's clock is believed.
    pub at: Timestamp,
    /// Where an answer goes, as this message tells it.
    pub customer: CustomerAddress,
    /// What they call themselves.
    pub name: Option<String>,
}

// The words stay out of debug output, which ends up in logs.
impl std::fmt::Debug for CustomerMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomerMessage")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What the model's turn came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// The turn that was asked for.
    pub turn: u32,
    /// What the model wants, or why there is nothing.
    pub verdict: Verdict,
}

/// A person's answer, read from the CRM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepReply {
    /// The CRM's id of the record.
    pub record: String,
    /// The words.
    pub text: String,
}

impl std::fmt::Debug for RepReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepReply").field("record", &self.record).finish_non_exhaustive()
    }
}

impl RepReply {
    /// Whether nothing is left of the words once they are cleaned: a record, but no answer.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        is_blank(&self.text)
    }
}

/// The end of a case, read from the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseClosure {
    /// The CRM's id of the case.
    pub case: String,
}

/// How a message's way to the customer ended, when it is not simply there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryEnd {
    /// Its place in the transcript.
    pub seq: u64,
    /// How.
    pub fate: Fate,
    /// Why.
    pub trouble: Trouble,
}

/// A bad end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It will not arrive.
    Failed,
    /// It waits for the reply window.
    Held,
}

/// Who asked, in words a log may hold: `inbox`, `command line`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// Where the request came from.
    pub via: String,
}
