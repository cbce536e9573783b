//! The ports on AWS.

mod age;
pub mod bodies;
mod digest;
pub mod dynamodb;
mod errors;
pub mod secrets;
pub mod settings;
pub mod sqs;
