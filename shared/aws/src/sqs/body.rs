//! The body of a queue entry: a job, or a pointer to one that is too large to travel.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use shared_flow::ports::{Job, PortError, PortResult};

use super::ascii;
use crate::bodies::Bodies;
use crate::{digest, errors};

const WHAT: &str = "the queue";
const FOLDER: &str = "queued/";

/// The largest body that travels in a queue, in bytes. SQS takes more, but counts 64 kB as one request.
pub(super) const LARGEST: usize = 200_000;

/// The `job` of a pointer; no job has this name.
const STORED: &str = "stored";

#[derive(Serialize, Deserialize)]
struct Pointer<'a> {
    job: Cow<'a, str>,
    key: Option<Cow<'a, str>>,
}

/// A job as text.
pub(super) fn text(job: &Job) -> PortResult<String> {
    ascii::json(job).map_err(|_| errors::unreadable(WHAT, "a job cannot be written as JSON"))
}

/// What to put on the queue for this text: itself, or a pointer to where it was put.
///
/// The object is written even if it is there already: that makes it young again for the rule that removes old ones.
pub(super) async fn portable(text: String, bodies: Option<&Bodies>) -> PortResult<String> {
    if text.len() <= LARGEST {
        return Ok(text);
    }
    let Some(bodies) = bodies else {
        let why = format!("a job has {} bytes and there is no bucket for large ones", text.len());
        return Err(errors::unavailable(WHAT, format!("{why}: SWITCHBOARD_BODIES_BUCKET is not set")));
    };
    let key = format!("{FOLDER}{}", digest::hex(&[text.as_bytes()]));
    bodies.put(&key, text).await?;
    let pointer = Pointer { job: STORED.into(), key: Some(key.into()) };
    ascii::json(&pointer).map_err(|_| errors::unreadable(WHAT, "a pointer cannot be written as JSON"))
}

/// The job of a queue entry. A body that is no job of ours is [`PortError::Unreadable`], and so is one whose stored
/// content is gone; storage that does not answer is [`PortError::Unavailable`].
pub async fn read(body: &str, bodies: &Bodies) -> PortResult<Job> {
    let whole = whole(body, bodies).await?;
    serde_json::from_str(&whole).map_err(|error| no_job(&error))
}

/// The whole text of a queue entry: what was stored elsewhere because of its size is fetched. Whoever keeps an entry
/// for longer than the queue does must keep this, since stored bodies are removed after some weeks.
pub async fn whole<'a>(body: &'a str, bodies: &Bodies) -> PortResult<Cow<'a, str>> {
    let pointer = serde_json::from_str::<Pointer<'_>>(body).ok().filter(|pointer| pointer.job == STORED);
    let Some(pointer) = pointer else { return Ok(Cow::Borrowed(body)) };
    let key = pointer.key.filter(|key| key.strip_prefix(FOLDER).is_some_and(digest::is_hex));
    let key = key.ok_or_else(|| errors::unreadable(WHAT, "a pointer names no stored body"))?;
    let Some(bytes) = bodies.get(&key).await? else {
        return Err(errors::unreadable(WHAT, format!("its body is gone from the bucket: {key}")));
    };
    let text = String::from_utf8(bytes.into());
    Ok(Cow::Owned(text.map_err(|_| errors::unreadable(WHAT, "a stored body is not UTF-8"))?))
}

fn no_job(error: &serde_json::Error) -> PortError {
    errors::bad_json(WHAT, "a body is no job that this version knows: it", error)
}
