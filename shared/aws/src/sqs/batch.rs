//! Entries sent several at a time, and what an answer means that took only some of them.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use shared_flow::ports::{PortError, PortResult};

use super::body::LARGEST;
use super::entry::Entry;
use crate::errors;

/// The most entries of one request.
const MOST: usize = 10;

/// Cuts entries into requests, in their order. None has two commands of one lane: SQS may refuse the first and take
/// the second, and then a repeat could not mend the order.
pub(super) fn cut(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut size = 0;
    for entry in entries {
        size += entry.body.len();
        match batches.last_mut().filter(|open| fits(open, &entry) && size <= LARGEST) {
            Some(open) => open.push(entry),
            None => {
                size = entry.body.len();
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

fn fits(open: &[Entry], entry: &Entry) -> bool {
    let same_lane = |other: &Entry| entry.lane().is_some_and(|lane| other.lane() == Some(lane));
    open.len() < MOST && !open.iter().any(same_lane)
}

/// Sends one batch. Every entry is in when this returns `Ok`; after an error some may be.
pub(super) async fn send(
    client: &Client,
    what: &'static str,
    url: &str,
    entries: Vec<Entry>,
) -> PortResult<()> {
    let count = entries.len();
    let entries = entries.into_iter().enumerate().map(|(place, entry)| request(what, place, entry));
    let entries = entries.collect::<PortResult<Vec<_>>>()?;
    let request = client.send_message_batch().queue_url(url).set_entries(Some(entries));
    let answer = request.send().await.map_err(|error| errors::failed(what, &error))?;
    let failed: Vec<PortError> = answer.failed().iter().map(|entry| refusal(what, entry)).collect();
    super::worst(failed.into_iter().map(Err))?;
    if answer.successful().len() < count {
        return Err(errors::unavailable(what, "the answer does not speak of every entry"));
    }
    Ok(())
}

fn request(what: &'static str, place: usize, entry: Entry) -> PortResult<SendMessageBatchRequestEntry> {
    let request = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(entry.body);
    let request = request.set_delay_seconds(entry.delay);
    let (lane, once) = entry.order.map(|order| (order.lane, order.once)).unzip();
    let request = request.set_message_group_id(lane).set_message_deduplication_id(once);
    request.build().map_err(|_| errors::unreadable(what, "an entry lacks a part"))
}

/// Why an entry was not taken. What is the sender's fault is refused again, except where an operator mends it or time
/// does: to SQS a throttled or forbidden key is the sender's fault too. Its message is not read; it may quote a body.
fn refusal(what: &'static str, entry: &BatchResultErrorEntry) -> PortError {
    let code = entry.code();
    let passes = ["Throttl", "Kms", "KMS", "AccessDenied"].iter().any(|part| code.contains(part));
    if entry.sender_fault() && !passes {
        errors::refused(what, code)
    } else {
        errors::unavailable(what, format!("answered {code} for an entry of a batch"))
    }
}
