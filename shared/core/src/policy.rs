//! The numbers and switches a decision depends on. The defaults stand here and nowhere else.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// What an organisation and its line allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether the assistant answers on this line.
    pub ai_enabled: bool,
    /// How long to wait for the customer's next message before answering.
    pub debounce: SignedDuration,
    /// The longest a burst may put off the answer to its first message.
    pub debounce_most: SignedDuration,
    /// After how much silence a session without a person's hand on it is resolved.
    pub auto_resolve_after: SignedDuration,
    /// A message older than this when it is read is not answered by the machine: it goes to a person.
    pub stale_after: SignedDuration,
    /// How long the machine may take for an answer before a person gets the session.
    pub answer_within: SignedDuration,
    /// When a case is opened, if the organisation has a CRM.
    pub crm: Option<CrmMode>,
}

/// When a conversation becomes a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrmMode {
    /// At the first customer message; every message is an activity.
    EveryConversation,
    /// Only when the session is handed off; then with the whole transcript.
    OnlyOnHandoff,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ai_enabled: true,
            debounce: SignedDuration::from_secs(3),
            debounce_most: SignedDuration::from_secs(10),
            auto_resolve_after: SignedDuration::from_hours(12),
            stale_after: SignedDuration::from_mins(10),
            answer_within: SignedDuration::from_mins(10),
            crm: None,
        }
    }
}
