//! The moment the machine stops and a person takes over: why, and what the person reads first.

pub mod notice;
pub mod summary;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a session was handed off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The customer asked for a person.
    AskedForHuman,
    /// The assistant does not know.
    NoKnowledge,
    /// A topic the assistant must not handle.
    Policy,
    /// It tried and did not get anywhere.
    RepeatedFailure,
    /// A delicate matter.
    Sensitive,
    /// The customer is angry.
    Angry,
    /// Something the assistant needed did not work.
    ToolFailed,
    /// The assistant is switched off for this line.
    AssistantOff,
    /// The model could not be reached, or not in time.
    AssistantUnavailable,
    /// The model's answer was of no use.
    AssistantMalformed,
    /// The message reached us too late for a machine's answer to make sense.
    LateMessage,
    /// An answer could not be delivered.
    DeliveryFailed,
    /// A person took the session.
    ByPerson,
    /// A rep answered before anybody handed off.
    RepReplied,
}

impl Reason {
    /// The reason in words a rep understands.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::AskedForHuman => "the customer asked for a person",
            Self::NoKnowledge => "the assistant does not know the answer",
            Self::Policy => "the topic is reserved for people",
            Self::RepeatedFailure => "the assistant did not get anywhere",
            Self::Sensitive => "the matter is sensitive",
            Self::Angry => "the customer is angry",
            Self::ToolFailed => "something the assistant needed did not work",
            Self::AssistantOff => "the assistant is switched off for this number",
            Self::AssistantUnavailable => "the assistant could not be reached",
            Self::AssistantMalformed => "the assistant gave no usable answer",
            Self::LateMessage => "the message reached us late",
            Self::DeliveryFailed => "an answer could not be delivered",
            Self::ByPerson => "a person took over",
            Self::RepReplied => "a rep answered",
        }
    }
}

/// What a hand-off carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// Why, as a code.
    pub reason: Reason,
    /// Why, in a short phrase; empty when the code says it all.
    pub detail: String,
    /// What the person reads first: one paragraph.
    pub summary: String,
    /// How the customer feels, when the assistant said.
    pub sentiment: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Whether a person has spoken or acted since.
    pub claimed: bool,
    /// Whether the customer was told that a person will answer; if it was not possible, it is made up for.
    pub told: bool,
}

// A summary is made of the customer's words.
impl std::fmt::Debug for Handoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handoff")
            .field("reason", &self.reason)
            .field("claimed", &self.claimed)
            .finish_non_exhaustive()
    }
}
