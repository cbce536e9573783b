//! The shell's verbs: each takes a fact or a nudge, reads through ports, lets the core decide, and carries it out.
//!
//! Nothing here knows a vendor, a cloud or a wire format.

pub mod backoff;
pub mod converse;
pub mod deliver;
pub mod ingest;
pub mod ports;
pub mod receipts;
pub mod shift;
pub mod sync_crm;
pub mod take_turn;
pub mod wake;

pub use shift::Shift;
