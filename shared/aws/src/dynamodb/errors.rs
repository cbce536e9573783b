//! What the table's errors mean to a caller. No message of the service is passed on: it may quote a key.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use shared_flow::ports::PortError;

const WHAT: &str = "the table";

/// The error of a call that no condition explains.
pub(super) fn failed<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> PortError {
    let why = match &error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "not reached: check the endpoint, the network and the credentials",
        SdkError::ConstructionFailure(_) => "the request could not be built: check region and credentials",
        SdkError::ResponseError(_) => "the answer could not be read",
        SdkError::ServiceError(service) => return of_code(service.err().code().unwrap_or("no error code")),
        _ => "the call failed in an unknown way",
    };
    unavailable(why)
}

/// The error that the service names by a code. A refused request is refused again; everything else passes, or an
/// operator mends it (a missing table, a missing right).
pub(super) fn of_code(code: &str) -> PortError {
    match code {
        "ValidationException"
        | "ValidationError"
        | "SerializationException"
        | "ItemCollectionSizeLimitExceeded"
        | "ItemCollectionSizeLimitExceededException" => {
            unreadable(format!("the request was refused as {code}: an item too large or malformed"))
        }
        other => unavailable(format!("answered {other}")),
    }
}

/// Trying again may help.
pub(super) fn unavailable(why: impl Into<String>) -> PortError {
    PortError::Unavailable { what: WHAT, why: why.into() }
}

/// Trying again will not help.
pub(super) fn unreadable(why: impl Into<String>) -> PortError {
    PortError::Unreadable { what: WHAT, why: why.into() }
}

/// A body that is not what we wrote. Only the place is named: the library's words quote the content.
pub(super) fn bad_body(error: &serde_json::Error) -> PortError {
    unreadable(format!("a stored body does not parse at line {}, column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_requests_are_not_tried_again() {
        assert!(matches!(of_code("ValidationException"), PortError::Unreadable { .. }));
        for passing in ["ThrottlingException", "InternalServerError", "ResourceNotFoundException"] {
            assert!(matches!(of_code(passing), PortError::Unavailable { .. }), "{passing}");
        }
    }

    #[test]
    fn a_bad_body_is_not_quoted() {
        let error = serde_json::from_str::<u32>("\"my secret\"").unwrap_err();
        assert!(!bad_body(&error).to_string().contains("secret"));
    }
}
