//! What is too large for a queue, and what could not be handled, as objects in one S3 bucket.
//!
//! Only we make keys, from digests; nothing from outside stands in one. Encryption, versions and the removal of old
//! `queued/` objects belong to the bucket, which the template describes.

mod parked;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use shared_flow::ports::{PortError, PortResult};

use crate::errors;

pub use self::parked::ParkedObject;

const WHAT: &str = "the bucket of bodies";

/// The bucket. A clone is another handle to it.
///
/// Time-outs, retries and the endpoint belong to the client that the caller makes.
#[derive(Clone)]
pub struct Bodies {
    client: Client,
    bucket: String,
}

impl Bodies {
    /// The bucket of this name. Nothing is sent yet.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// Keeps these bytes under a key, whatever stood there. Writing again also makes the object young again, which
    /// matters for keys that a lifecycle rule empties.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> PortResult<()> {
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request.content_type("application/json").body(ByteStream::from(bytes.into()));
        request.send().await.map_err(|error| errors::failed(WHAT, &error))?;
        Ok(())
    }

    /// The bytes under a key; `None` when nothing is there.
    ///
    /// S3 says so only to a role that may list the bucket (`s3:ListBucket`); to others a missing object looks like a
    /// missing right, which is [`PortError::Unavailable`].
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html> ("Permissions")
    pub async fn get(&self, key: &str) -> PortResult<Option<Bytes>> {
        let answer = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => answer,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(errors::failed(WHAT, &error)),
        };
        let bytes = answer.body.collect().await.map_err(|_| unavailable("the answer broke off"))?;
        Ok(Some(bytes.into_bytes()))
    }
}

fn unavailable(why: &str) -> PortError {
    errors::unavailable(WHAT, why)
}
