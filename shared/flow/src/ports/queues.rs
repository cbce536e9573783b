//! What travels between the functions. Commands carry facts; everything else is a nudge without content.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::channel::LineKey;
use shared::delivery::{Receipt, Trouble};
use shared::{Command, CustomerAddress, OrgId, SessionId};
use uuid::Uuid;

use super::PortResult;

/// The queues between the functions.
#[async_trait]
pub trait Queues: Send + Sync {
    /// Accepts all jobs durably, or fails; after a failure some may be in, and sending all again is harmless.
    async fn send(&self, jobs: &[Job]) -> PortResult<()>;
}

/// One entry of a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "job")]
pub enum Job {
    /// A fact for `conversation`. In order within its lane.
    Command {
        /// What keeps it in order with its neighbours.
        lane: String,
        /// The fact.
        envelope: Box<Envelope>,
    },
    /// A channel's word on a message that we sent.
    Status(StatusNote),
    /// Messages of this session may want sending.
    Deliver {
        /// Whose.
        org: OrgId,
        /// Which.
        session: SessionId,
    },
    /// The CRM's copy of this session may be behind.
    SyncCrm {
        /// Whose.
        org: OrgId,
        /// Which.
        session: SessionId,
    },
    /// Somebody changed this case in the CRM.
    LookAtCase {
        /// Whose.
        org: OrgId,
        /// Which.
        case: Uuid,
    },
    /// A turn is due after the wait.
    Turn {
        /// Whose.
        org: OrgId,
        /// Which.
        session: SessionId,
        /// Its number.
        number: u32,
        /// How long to keep it back; at most 15 minutes.
        wait: SignedDuration,
    },
}

/// A fact on its way to a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Whose, from a verified source.
    pub org: OrgId,
    /// Which session.
    pub target: Target,
    /// The fact's key, computed from content: the same fact has the same key. `None` for facts that may repeat.
    pub key: Option<String>,
    /// The fact.
    pub command: Command,
    /// When we received it.
    pub at: Timestamp,
}

/// Which session a fact belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The one that is open between this customer and this line, or a new one.
    Customer {
        /// The line.
        line: LineKey,
        /// Where the customer is.
        customer: CustomerAddress,
    },
    /// This one.
    Session(SessionId),
}

/// A channel's word on a message that we sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusNote {
    /// Whose, from the line that received it.
    pub org: OrgId,
    /// The channel's id of the message.
    pub vendor_id: String,
    /// What we had sent along to recognise it: our message id.
    pub callback: Option<String>,
    /// What it says.
    pub receipt: Receipt,
    /// Why, for a failure.
    pub trouble: Option<Trouble>,
    /// When we received it.
    pub at: Timestamp,
}
