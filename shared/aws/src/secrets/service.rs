//! The one call that functions make, and what the service's errors mean.

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use secrecy::SecretString;
use shared_flow::ports::{PortError, PortResult};

use super::{Name, Secrets};
use crate::errors;

/// The service in an operator's words.
pub(super) const WHAT: &str = "the service of secrets";

impl Secrets {
    /// A secret's content as it stands now.
    pub(super) async fn read(&self, name: &Name) -> PortResult<Option<SecretString>> {
        let request = self.client.get_secret_value().secret_id(name.within(&self.stack));
        match request.send().await {
            Ok(answer) => match answer.secret_string {
                Some(content) => Ok(Some(content.into())),
                None => Err(errors::unreadable(
                    WHAT,
                    format!(
                        "the secret {name} holds bytes where JSON should be: `switchboard apply` mends it"
                    ),
                )),
            },
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed(name, &error)),
        }
    }
}

/// There is none, or it is marked for deletion: the one state in which this request is invalid
/// (docs.aws.amazon.com/secretsmanager/latest/apireference, `GetSecretValue`, `DescribeSecret`, `DeleteSecret`).
pub(super) fn is_absent<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(error.code(), Some("ResourceNotFoundException" | "InvalidRequestException"))
}

/// The error of a call about this secret.
pub(super) fn failed<E: ProvideErrorMetadata, R>(name: &Name, error: &SdkError<E, R>) -> PortError {
    let about = |why: String| format!("the secret {name}: {why}");
    match errors::failed(WHAT, error) {
        PortError::Unavailable { what, why } => PortError::Unavailable { what, why: about(why) },
        PortError::Unreadable { what, why } => PortError::Unreadable { what, why: about(why) },
    }
}
