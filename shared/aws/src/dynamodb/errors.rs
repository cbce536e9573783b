//! What the table's errors mean to a caller: the common meaning, under the table's name.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use shared_flow::ports::PortError;

use crate::errors;

const WHAT: &str = "the table";

/// The error of a call that no condition explains.
pub(super) fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> PortError {
    errors::failed(WHAT, &error)
}

/// The error that the service names by a code.
pub(super) fn of_code(code: &str) -> PortError {
    errors::of_code(WHAT, code)
}

/// Trying again may help.
pub(super) fn unavailable(why: impl Into<String>) -> PortError {
    errors::unavailable(WHAT, why)
}

/// Trying again will not help.
pub(super) fn unreadable(why: impl Into<String>) -> PortError {
    errors::unreadable(WHAT, why)
}

/// A body that is not what we wrote.
pub(super) fn bad_body(error: &serde_json::Error) -> PortError {
    errors::bad_json(WHAT, "a stored body", error)
}
