//! What every function needs around its handler: what becomes of a record that cannot be handled, and the logs.

pub mod attend;
pub mod telemetry;

pub use attend::{Attempt, Done, Verdict, attend};
