//! The shell's verbs: each takes a fact or a nudge, reads through ports, lets the core decide, and carries it out.
//!
//! Nothing here knows a vendor, a cloud or a wire format.

pub mod ports;
