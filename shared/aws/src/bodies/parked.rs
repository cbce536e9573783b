//! The parking place: one object an original, with what is known about it, and what an operator does with it.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::OrgId;
use shared_flow::ports::{Parked, Parking, PortResult};

use super::{Bodies, WHAT};
use crate::{digest, errors};

const FOLDER: &str = "parked/";

/// The object's content: readable JSON, the original in base64 because it may be no text.
#[derive(Serialize, Deserialize)]
struct Note {
    org: Option<OrgId>,
    source: String,
    reason: String,
    at: Timestamp,
    original: String,
}

/// A parked original, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedObject {
    /// Its key, for [`Bodies::read_parked`] and [`Bodies::remove_parked`].
    pub key: String,
    /// How large the object is, in bytes.
    pub size: u64,
    /// When it was parked, to the second.
    pub stored_at: Option<Timestamp>,
}

#[async_trait]
impl Parking for Bodies {
    /// The first note about an original stays: it knows since when it is there.
    async fn park(&self, parked: &Parked) -> PortResult<()> {
        let request = self.client.put_object().bucket(&self.bucket).key(key(parked)).if_none_match("*");
        let request = request.content_type("application/json").body(ByteStream::from(note(parked)?));
        match request.send().await {
            Ok(_) => Ok(()),
            // Somebody parked it before.
            Err(error) if error.raw_response().is_some_and(|r| r.status().as_u16() == 412) => Ok(()),
            Err(error) => Err(errors::failed(WHAT, &error)),
        }
    }
}

impl Bodies {
    /// Everything parked, oldest first.
    pub async fn list_parked(&self) -> PortResult<Vec<ParkedObject>> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(FOLDER);
            let page = request.set_continuation_token(next).send().await;
            let page = page.map_err(|error| errors::failed(WHAT, &error))?;
            found.extend(page.contents().iter().filter_map(listed));
            next = page.next_continuation_token;
            if next.is_none() {
                break;
            }
        }
        found.sort_by(|a, b| (a.stored_at, &a.key).cmp(&(b.stored_at, &b.key)));
        Ok(found)
    }

    /// A parked original; `None` when nothing is parked under this key.
    pub async fn read_parked(&self, key: &str) -> PortResult<Option<Parked>> {
        if !is_ours(key) {
            return Ok(None);
        }
        self.get(key).await?.map(|bytes| parked(&bytes)).transpose()
    }

    /// Removes a parked original. Nothing happens when nothing is parked under this key.
    pub async fn remove_parked(&self, key: &str) -> PortResult<()> {
        if !is_ours(key) {
            return Ok(());
        }
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map_err(|error| errors::failed(WHAT, &error))?;
        Ok(())
    }
}

/// The same original from the same place has the same key, whenever it came.
fn key(parked: &Parked) -> String {
    let org = parked.org.as_ref().map_or("", OrgId::as_str);
    let name = digest::hex(&[org.as_bytes(), parked.source.as_bytes(), &parked.original]);
    format!("{FOLDER}{name}.json")
}

/// Whether a key could have come from [`key`]. An operator types keys, and this bucket holds more than what is parked.
fn is_ours(key: &str) -> bool {
    key.strip_prefix(FOLDER).and_then(|name| name.strip_suffix(".json")).is_some_and(digest::is_hex)
}

fn listed(object: &aws_sdk_s3::types::Object) -> Option<ParkedObject> {
    let key = object.key().filter(|key| is_ours(key))?.to_owned();
    let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
    let stored_at = object.last_modified().and_then(|at| Timestamp::from_second(at.secs()).ok());
    Some(ParkedObject { key, size, stored_at })
}

fn note(parked: &Parked) -> PortResult<Vec<u8>> {
    let note = Note {
        org: parked.org.clone(),
        source: parked.source.clone(),
        reason: parked.reason.clone(),
        at: parked.at,
        original: BASE64_STANDARD.encode(&parked.original),
    };
    serde_json::to_vec_pretty(&note).map_err(|_| errors::unreadable(WHAT, "a note cannot be written as JSON"))
}

fn parked(bytes: &[u8]) -> PortResult<Parked> {
    let note: Note =
        serde_json::from_slice(bytes).map_err(|error| errors::bad_json(WHAT, "a parked note", &error))?;
    let original = BASE64_STANDARD.decode(&note.original);
    let original = original.map_err(|_| errors::unreadable(WHAT, "a parked original is not base64"))?;
    Ok(Parked { org: note.org, source: note.source, reason: note.reason, original, at: note.at })
}
