//! What AWS's refusals mean to an operator. A code is named, a message never repeated: it may quote what was sent.

use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use shared_flow::ports::PortError;

/// Why a command could not do its work: what happened, what it means, what to do. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(pub String);

impl Trouble {
    /// The trouble in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl From<PortError> for Trouble {
    fn from(error: PortError) -> Self {
        Self(with_advice(error.to_string()))
    }
}

/// Adds what to do to words that only name a code.
fn with_advice(words: String) -> String {
    let known =
        words.split([' ', ':', ',']).find_map(|word| advice(word).map(|advice| format!("{words}: {advice}")));
    known.unwrap_or(words)
}

/// An SDK's error while doing `what`, such as `reading the stack`.
pub fn failed<E: ProvideErrorMetadata, R>(what: &str, error: &SdkError<E, R>) -> Trouble {
    let why = match error {
        SdkError::TimeoutError(_) => "no answer in time: check the network, then try again".to_owned(),
        SdkError::DispatchFailure(_) => {
            "AWS was not reached: check the network, the region and AWS_ENDPOINT_URL".to_owned()
        }
        SdkError::ConstructionFailure(_) => {
            "the request could not be made: check region and credentials".to_owned()
        }
        SdkError::ResponseError(_) => "the answer could not be read: try again".to_owned(),
        _ => refusal(error.code().unwrap_or("no error code"), error.message().unwrap_or_default()),
    };
    Trouble(format!("{what}: {why}"))
}

/// A refusal in words: the code, the missing right where it is named, and what to do.
fn refusal(code: &str, message: &str) -> String {
    let right =
        after(message, "perform: ").map(|action| format!("these credentials lack the right {action}"));
    let told = right.unwrap_or_else(|| format!("AWS answered {code}"));
    advice(code).map_or_else(|| told.clone(), |advice| format!("{told}: {advice}"))
}

/// The word that follows a phrase: AWS names the missing right as `… not authorized to perform: s3:GetObject on …`.
fn after<'a>(message: &'a str, phrase: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(phrase)?;
    let word = rest.split_whitespace().next()?;
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '*'));
    Some(word).filter(|_| plain)
}

/// What to do about a code.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "AccessDenied" | "AccessDeniedException" | "AuthorizationError" | "UnauthorizedOperation" => {
            "use a role that may administer the stack (docs/configuration.md lists the rights)"
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "the credentials have expired: sign in again"
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "IncompleteSignature" => {
            "AWS does not accept these credentials: check AWS_PROFILE or the access key"
        }
        "Throttling"
        | "ThrottlingException"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottled"
        | "TooManyRequestsException"
        | "SlowDown" => "AWS asks to slow down: try again in a minute",
        "ResourceNotFoundException"
        | "NoSuchBucket"
        | "AWS.SimpleQueueService.NonExistentQueue"
        | "QueueDoesNotExist" => "the stack names something that no longer exists: deploy it again",
        "KMSAccessDeniedException" | "KMSAccessDenied" | "KmsAccessDenied" | "KMS.AccessDeniedException" => {
            "the role also needs to use the stack's key (kms:Decrypt and kms:GenerateDataKey)"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_and_nothing_else_of_the_message() {
        let message = "User: arn:aws:iam::111122223333:user/canary is not authorized to perform: \
                       cloudformation:DescribeStacks on resource: arn:aws:cloudformation:canary";
        let words = refusal("AccessDenied", message);
        assert!(
            words.starts_with("these credentials lack the right cloudformation:DescribeStacks: "),
            "{words}"
        );
        assert!(!words.contains("canary"), "{words}");
    }

    #[test]
    fn a_message_is_not_repeated() {
        for message in ["the value canary is wrong", "perform: \"canary\" on", "perform: "] {
            let words = refusal("ValidationException", message);
            assert_eq!(words, "AWS answered ValidationException");
        }
    }

    #[test]
    fn every_known_code_says_what_to_do() {
        assert!(refusal("ExpiredToken", "").ends_with("sign in again"));
        assert!(refusal("Throttling", "").contains("try again in a minute"));
    }

    #[test]
    fn a_ports_error_gets_its_advice() {
        let error =
            PortError::Unavailable { what: "the table", why: "answered AccessDeniedException".into() };
        let words = Trouble::from(error).to_string();
        assert!(
            words.starts_with("the table is not available: answered AccessDeniedException: use a role"),
            "{words}"
        );
    }
}
