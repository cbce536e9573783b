//! What the settings table's errors mean to a caller: the common meaning, under the table's name.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use shared_flow::ports::PortError;

use crate::errors;

const WHAT: &str = "the settings table";

/// The error of a call.
pub(super) fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> PortError {
    errors::failed(WHAT, &error)
}

/// Trying again will not help.
pub(super) fn unreadable(why: impl Into<String>) -> PortError {
    errors::unreadable(WHAT, why)
}

/// A record that is not what was written.
pub(super) fn bad_record(key: &super::record::Key, error: &serde_json::Error) -> PortError {
    errors::bad_json(WHAT, &format!("the record {key}"), error)
}
