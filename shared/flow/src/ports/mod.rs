//! What the shell needs from outside, cut by the caller's need: each function gets only the ports it may use.

pub mod channel;
pub mod clock;
pub mod contacts;
pub mod crm;
pub mod cursors;
pub mod deliveries;
pub mod model;
pub mod parking;
pub mod queues;
pub mod sessions;
pub mod settings;
pub mod turns;
pub mod waking;

pub use channel::{ChannelSender, Outgoing, SendError};
pub use clock::Clock;
pub use contacts::Contacts;
pub use crm::{ActivityMade, CaseActivity, CaseMade, CaseNews, Crm, CrmError};
pub use cursors::Cursors;
pub use deliveries::Deliveries;
pub use model::{Model, ModelError};
pub use parking::{Parked, Parking};
pub use queues::{Envelope, Job, Queues, StatusNote, Target};
pub use sessions::{Commit, Committed, Sessions};
pub use settings::{LineSettings, OrgSettings, Settings};
pub use turns::{Claim, Turns};
pub use waking::{Due, Waking, What};

/// Why a store, queue or settings port could not do its work. The work may or may not have been done: the caller
/// does it again, and the keys make that harmless.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PortError {
    /// It did not answer, or not in time. Trying again may help.
    #[error("{what} is not available: {why}")]
    Unavailable {
        /// Which one, in an operator's words: `the table`, `the queue`.
        what: &'static str,
        /// What it said; no personal data.
        why: String,
    },
    /// What it returned cannot be read. Trying again will not help.
    #[error("{what} holds something unreadable: {why}")]
    Unreadable {
        /// Which one.
        what: &'static str,
        /// What is wrong; no personal data.
        why: String,
    },
}

/// The result of a port that stores, queues or configures.
pub type PortResult<T> = Result<T, PortError>;
