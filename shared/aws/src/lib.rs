//! The ports on AWS.

pub mod dynamodb;
