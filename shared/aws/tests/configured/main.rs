//! Settings and secrets as a deployed line reads and writes them: what is remembered, for how long, what is made of
//! services that refuse or are away.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../emulator/mod.rs"]
mod emulator;
mod fake;
mod reading;
mod secrets;
mod settings;
mod writing;
