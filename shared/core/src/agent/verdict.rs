//! What a model's turn came to, after the checks that no model is trusted with.

use serde::{Deserialize, Serialize};

use crate::channel::render::{clean, is_blank};
use crate::handoff::Reason;

/// The outcome of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The model answered.
    Answered(Answer),
    /// There is no answer, and why.
    GaveUp(GaveUp),
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GaveUp {
    /// The model could not be reached in time, or is not configured rightly.
    Unavailable,
    /// What it said cannot be used.
    Malformed,
    /// The provider refused to answer.
    Refused,
}

/// A usable answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The words for the customer; empty only together with an escalation.
    pub reply: String,
    /// Whether a person is to take over, and why.
    pub escalation: Option<Escalation>,
    /// The customer's language, as a BCP-47 tag.
    pub language: Option<String>,
    /// How the customer feels.
    pub sentiment: Option<String>,
}

// The words stay out of debug output, which ends up in logs.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("escalates", &self.escalation.is_some()).finish_non_exhaustive()
    }
}

/// The model's wish for a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Why, as a code.
    pub reason: Reason,
    /// Why, in a short phrase.
    pub detail: String,
    /// What the person reads first.
    pub summary: String,
}

impl std::fmt::Debug for Escalation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Escalation").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Answer {
    /// An answer in plain words, as models give it that do not know tools. `None` when there are none.
    #[must_use]
    pub fn plain(text: &str) -> Option<Self> {
        let reply = clean(text).trim().to_owned();
        (!is_blank(&reply)).then_some(Self { reply, escalation: None, language: None, sentiment: None })
    }

    /// Whether it says or does anything.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !is_blank(&self.reply) || self.escalation.is_some()
    }
}
