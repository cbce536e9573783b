//! What every function needs around its handler: its start, what becomes of records and requests, logs and metrics.

pub mod accounts;
pub mod attend;
pub mod check;
pub mod clock;
pub mod environment;
pub mod records;
mod serve;
pub mod started;
mod stopping;
pub mod telemetry;

pub use attend::{Attempt, Done, Verdict, attend};
pub use check::Secret;
pub use records::Record;
pub use shared_aws::sqs::Queue;
pub use started::{CannotStart, Started, start};
