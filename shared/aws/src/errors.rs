//! What the errors of AWS services mean to a caller. No message of a service is passed on: it may quote a key or a body.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use shared_flow::ports::PortError;

/// The error of a call that nothing more special explains. `what` names the service in an operator's words.
pub(crate) fn failed<E: ProvideErrorMetadata, R>(what: &'static str, error: &SdkError<E, R>) -> PortError {
    let why = match error {
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => "not reached: check the endpoint, the network and the credentials",
        SdkError::ConstructionFailure(_) => "the request could not be built: check region and credentials",
        SdkError::ResponseError(_) => "the answer could not be read",
        SdkError::ServiceError(service) => {
            return of_code(what, service.err().code().unwrap_or("no error code"));
        }
        _ => "the call failed in an unknown way",
    };
    unavailable(what, why)
}

/// The error that the service names by a code. A refused request is refused again; everything else passes, or an
/// operator mends it (a missing table or queue, a missing right).
pub(crate) fn of_code(what: &'static str, code: &str) -> PortError {
    // Older protocols name the family too: `AWS.SimpleQueueService.BatchRequestTooLong`.
    match code.rsplit('.').next().unwrap_or(code) {
        // DynamoDB's.
        "ValidationException"
        | "ValidationError"
        | "SerializationException"
        | "ItemCollectionSizeLimitExceeded"
        | "ItemCollectionSizeLimitExceededException"
        // SQS's.
        | "InvalidMessageContents"
        | "InvalidParameterValue"
        | "BatchRequestTooLong"
        // S3's.
        | "EntityTooLarge"
        | "KeyTooLongError"
        // Secrets Manager's.
        | "InvalidParameterException" => refused(what, code),
        _ => unavailable(what, format!("answered {code}")),
    }
}

/// A request that the service refuses, however often it is made.
pub(crate) fn refused(what: &'static str, code: &str) -> PortError {
    unreadable(what, format!("the request was refused as {code}: something in it is too large or malformed"))
}

/// Trying again may help.
pub(crate) fn unavailable(what: &'static str, why: impl Into<String>) -> PortError {
    PortError::Unavailable { what, why: why.into() }
}

/// Trying again will not help.
pub(crate) fn unreadable(what: &'static str, why: impl Into<String>) -> PortError {
    PortError::Unreadable { what, why: why.into() }
}

/// Something stored that is not what we wrote. Only the place is named: the library's words quote the content.
pub(crate) fn bad_json(what: &'static str, thing: &str, error: &serde_json::Error) -> PortError {
    unreadable(what, format!("{thing} does not parse at line {}, column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_requests_are_not_tried_again() {
        let refused =
            ["ValidationException", "InvalidMessageContents", "AWS.SimpleQueueService.BatchRequestTooLong"];
        for refused in refused {
            assert!(matches!(of_code("it", refused), PortError::Unreadable { .. }), "{refused}");
        }
        for passing in
            ["ThrottlingException", "InternalServerError", "ResourceNotFoundException", "RequestThrottled"]
        {
            assert!(matches!(of_code("it", passing), PortError::Unavailable { .. }), "{passing}");
        }
    }

    #[test]
    fn what_does_not_parse_is_not_quoted() {
        let error = serde_json::from_str::<u32>("\"my secret\"").unwrap_err();
        assert!(!bad_json("it", "a body", &error).to_string().contains("secret"));
    }
}
