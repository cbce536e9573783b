//! The session and hand-off logic of a support line: what a conversation is, and what a new fact does to it.
//!
//! Nothing here reads a clock, draws a random number, opens a socket or awaits. Time, ids and settings come in as
//! arguments, so that asking twice gives the same answer and every behaviour can be replayed in a test.
//! The entry point is [`session::decide()`].

pub mod agent;
pub mod channel;
pub mod contact;
pub mod crm;
pub mod delivery;
pub mod handoff;
pub mod ids;
pub mod message;
pub mod policy;
pub mod session;

pub use contact::{Contact, CustomerAddress, Identity};
pub use delivery::{Delivery, DeliveryState};
pub use ids::{ContactId, MessageId, OrgId, SessionId};
pub use jiff::{SignedDuration, Timestamp};
pub use message::{Audience, Author, Kind, Message};
pub use policy::Policy;
pub use session::{Command, Decision, Session, State, decide};
