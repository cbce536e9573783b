//! The adapters of queues and bodies over HTTP, against a stand-in that answers as the test wants: what they send, in
//! which order, and what they make of refusals. That the real interfaces agree is shown on the emulator.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fake;
mod large;
mod letters;
mod parking;
mod refusals;
mod sending;
