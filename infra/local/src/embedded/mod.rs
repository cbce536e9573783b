//! What stands in for AWS on a laptop: durable, in this process, in one folder, with the same promises.

pub mod dynamodb;
pub mod lock;
pub mod parking;
pub mod queue;
