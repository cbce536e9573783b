//! The ports on AWS.

pub mod bodies;
mod digest;
pub mod dynamodb;
mod errors;
pub mod secrets;
pub mod settings;
pub mod sqs;
mod time;
