//! Sending to the customer, and the honest answer of what came of it.

use async_trait::async_trait;
use jiff::SignedDuration;
use shared::channel::LineKey;
use shared::delivery::Trouble;
use shared::{CustomerAddress, MessageId, OrgId};

/// A channel's outgoing side.
#[async_trait]
pub trait ChannelSender: Send + Sync {
    /// Sends one text and returns the channel's id of it. Tries once: the caller decides what a failure means.
    async fn send(&self, outgoing: &Outgoing<'_>) -> Result<String, SendError>;
}

/// One text to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Whose line.
    pub org: &'a OrgId,
    /// Which line.
    pub line: &'a LineKey,
    /// To whom.
    pub to: &'a CustomerAddress,
    /// The words, within the channel's limit.
    pub text: &'a str,
    /// Our id of the message; the channel gives it back with each status.
    pub id: MessageId,
}

/// What can come of a send besides success, by what the caller must do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The request never left: try again soon.
    #[error("never sent: {0}")]
    NeverSent(String),
    /// Too fast: wait at least this long, then try again.
    #[error("throttled")]
    Throttled {
        /// The least wait.
        after: SignedDuration,
        /// What was said.
        trouble: Trouble,
    },
    /// It may have arrived.
    #[error("unknown outcome: {0}")]
    Unknown(String),
    /// Our credential or account is not accepted; an operator must act. Nothing was sent.
    #[error("credentials: {}", .0.text)]
    Credentials(Trouble),
    /// The channel refuses free text because its window is closed, whatever our clock says.
    #[error("window closed")]
    WindowClosed(Trouble),
    /// It will never be accepted.
    #[error("refused: {}", .0.text)]
    Refused(Trouble),
}
