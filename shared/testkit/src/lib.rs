//! In-memory ports with faults, a virtual clock, the simulator and its checks.

pub mod contracts;
pub mod memory;
pub mod sim;
