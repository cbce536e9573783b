//! A queue as an operator sees it: how much stands in it, what its entries say, and how one is sent again.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as Known, QueueAttributeName};
use jiff::{SignedDuration, Timestamp};
use shared_flow::ports::{Job, PortResult};

use super::batch;
use super::entry::Entry;
use crate::bodies::Bodies;
use crate::errors;

const WHAT: &str = "the queue";

/// The most that one request returns.
const PAGE: usize = 10;

/// Reads, removes and resends entries of any queue, dead letters first of all. A clone is another handle.
#[derive(Clone)]
pub struct Letters {
    client: Client,
    bodies: Bodies,
}

/// An entry of a queue that was received; nobody else gets it until its visibility is over.
pub struct Letter {
    /// Names this receiving of it to [`Letters::remove`].
    pub receipt: String,
    /// The body as it travelled, for [`super::read`]: it may be a pointer.
    pub body: String,
    /// When it was first sent.
    pub sent_at: Option<Timestamp>,
    /// How often it was received, this time included. A dead letter counts on from its source.
    pub receives: u32,
}

// The body is somebody's words, and a receipt removes it.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Letter");
        shown.field("sent_at", &self.sent_at).field("receives", &self.receives).finish_non_exhaustive()
    }
}

/// How much stands in a queue, approximately: SQS counts on many machines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// May be received now.
    pub waiting: u64,
    /// Received, and neither removed nor visible again.
    pub in_flight: u64,
    /// Not due yet.
    pub delayed: u64,
}

impl Letters {
    /// Works with any queue that the client's credentials may use.
    #[must_use]
    pub fn new(client: Client, bodies: Bodies) -> Self {
        Self { client, bodies }
    }

    /// Receives at most `max` entries and keeps them from others for `visibility` (whole seconds, at most 12 hours).
    /// Fewer, or none, means that no more are readable at the moment.
    pub async fn receive(
        &self,
        url: &str,
        max: usize,
        visibility: SignedDuration,
    ) -> PortResult<Vec<Letter>> {
        let visibility = i32::try_from(visibility.as_secs().clamp(0, 43_200)).unwrap_or(0);
        let mut letters = Vec::new();
        while letters.len() < max {
            let page = i32::try_from((max - letters.len()).min(PAGE)).unwrap_or(1);
            let request = self.client.receive_message().queue_url(url).max_number_of_messages(page);
            // A wait of a second asks all machines; without it a few letters in a large queue are easily missed.
            let request = request.visibility_timeout(visibility).wait_time_seconds(1);
            let request = request
                .message_system_attribute_names(Known::SentTimestamp)
                .message_system_attribute_names(Known::ApproximateReceiveCount);
            let answer = request.send().await.map_err(|error| errors::failed(WHAT, &error))?;
            let received = answer.messages.unwrap_or_default();
            if received.is_empty() {
                break;
            }
            letters.extend(received.into_iter().filter_map(letter));
        }
        Ok(letters)
    }

    /// Removes a received entry for good.
    pub async fn remove(&self, url: &str, receipt: &str) -> PortResult<()> {
        let request = self.client.delete_message().queue_url(url).receipt_handle(receipt);
        request.send().await.map_err(|error| errors::failed(WHAT, &error))?;
        Ok(())
    }

    /// Sends a job to its source queue once more, whatever was sent there before: SQS does not take it for a repeat.
    /// Sent before the letter is removed, nothing is lost; the keys absorb what is there twice.
    pub async fn resend(&self, url: &str, job: &Job) -> PortResult<()> {
        let entry = Entry::of(job, Some(&self.bodies)).await?.afresh(Timestamp::now());
        batch::send(&self.client, WHAT, url, vec![entry]).await
    }

    /// How much stands in a queue.
    pub async fn depth(&self, url: &str) -> PortResult<Depth> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let request = self.client.get_queue_attributes().queue_url(url);
        let request = request.set_attribute_names(Some(vec![Waiting, Delayed, InFlight]));
        let answer = request.send().await.map_err(|error| errors::failed(WHAT, &error))?;
        let of = |name| answer.attributes.as_ref().and_then(|all| all.get(&name)?.parse().ok()).unwrap_or(0);
        Ok(Depth { waiting: of(Waiting), in_flight: of(InFlight), delayed: of(Delayed) })
    }
}

fn letter(message: Message) -> Option<Letter> {
    let known = |name| message.attributes.as_ref().and_then(|all| all.get(&name)).cloned();
    let sent_at = known(Known::SentTimestamp).and_then(|text| text.parse().ok());
    let receives = known(Known::ApproximateReceiveCount).and_then(|text| text.parse().ok());
    Some(Letter {
        sent_at: sent_at.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        receives: receives.unwrap_or(1),
        receipt: message.receipt_handle?,
        body: message.body?,
    })
}
