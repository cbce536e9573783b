//! One batch of queue records: each is handled by itself, what failed comes back, and within a group nothing overtakes.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use shared::SignedDuration;
use shared_aws::bodies::Bodies;
use shared_aws::sqs::Queue;
use shared_flow::Shift;
use shared_flow::ports::{Clock, Job, Parking, PortError, PortResult};

use crate::attend::{Attempt, Done, PARK_AT, Verdict, attend, park};

/// With less than this left, nothing more of a batch is begun.
const ENOUGH: Duration = Duration::from_secs(10);
/// Why a record is put aside that no run came back from.
const KILLED: &str = "every run that had it was killed: it took too long or too much memory";
/// What a record is kept back for that its run did not begin.
const AT_ONCE: SignedDuration = SignedDuration::ZERO;

/// What a worker must know of its queue. The template says the same, and a test compares them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long a record stays hidden from others: six times the function's time-out.
    pub visibility: SignedDuration,
    /// The receive on which hopeless input is put aside.
    pub park_at: u32,
}

impl Rules {
    /// The rules of a queue.
    #[must_use]
    pub const fn of(queue: Queue) -> Self {
        match queue {
            // A model takes its time, so a turn that killed its runs is not tried a third time.
            Queue::Turns => Self { visibility: SignedDuration::from_mins(12), park_at: PARK_AT - 1 },
            Queue::Conversation | Queue::Deliveries | Queue::CrmSync | Queue::Receipts => {
                Self { visibility: SignedDuration::from_mins(6), park_at: PARK_AT }
            }
        }
    }
}

/// One record, as a handler sees it.
#[derive(Debug)]
pub struct Record {
    /// What it asks for.
    pub job: Job,
    /// How often it was received, this time included.
    pub receives: u32,
    /// The run that it is handled in.
    pub shift: Shift,
}

impl Record {
    /// What to say of a record that belongs to another queue.
    #[must_use]
    pub fn misplaced(&self) -> PortError {
        PortError::Unreadable { what: "the queue", why: "a job that belongs to another queue".to_owned() }
    }
}

/// What handling a batch needs.
pub(crate) struct Desk<'a> {
    pub(crate) queue: Queue,
    pub(crate) clock: &'a dyn Clock,
    /// Where hopeless input goes.
    pub(crate) parking: &'a dyn Parking,
    /// Where bodies are that were too large for the queue.
    pub(crate) bodies: &'a Bodies,
}

/// When the invocation ends, and what it is called.
pub(crate) struct Invocation<'a> {
    pub(crate) request: &'a str,
    pub(crate) ends: SystemTime,
}

/// What must come back, by message id, each after its wait.
pub(crate) type ComingBack = Vec<(SqsMessage, SignedDuration)>;

impl Desk<'_> {
    /// Handles a batch in order and returns what must come back. After a failure the rest of its group comes back
    /// unseen, so that a customer's facts keep their order.
    pub(crate) async fn work(
        &self,
        batch: Vec<SqsMessage>,
        invocation: &Invocation<'_>,
        handler: &impl AsyncFn(Record) -> PortResult<Done>,
    ) -> ComingBack {
        let mut waiting: BTreeMap<String, SignedDuration> = BTreeMap::new();
        let mut back = Vec::new();
        let alone = batch.len() > 1 && batch.iter().any(|message| self.killed(message));
        for (at, message) in batch.into_iter().enumerate() {
            // One of these ended a process, and nobody knows which: the first is tried, the others come back at once
            // and are tried apart from it, so that no innocent one is put aside along with it.
            if alone && at > 0 {
                back.push((message, AT_ONCE));
                continue;
            }
            let group = message.attributes.get("MessageGroupId").cloned();
            if let Some(wait) = group.as_ref().and_then(|group| waiting.get(group)) {
                back.push((message, *wait));
                continue;
            }
            if let Verdict::Retry(wait) = self.one(&message, invocation, handler).await {
                waiting.extend(group.map(|group| (group, wait)));
                back.push((message, wait));
            }
        }
        back
    }

    async fn one(
        &self,
        message: &SqsMessage,
        invocation: &Invocation<'_>,
        handler: &impl AsyncFn(Record) -> PortResult<Done>,
    ) -> Verdict {
        let left = invocation.ends.duration_since(SystemTime::now()).unwrap_or_default();
        if left < ENOUGH {
            return Verdict::Retry(AT_ONCE);
        }
        let (receives, Rules { park_at, .. }) = (receives(message), Rules::of(self.queue));
        let body = message.body.as_deref().unwrap_or_default();
        // What is put aside is the whole job: a pointer would outlive what it points to.
        let whole = shared_aws::sqs::whole(body, self.bodies).await;
        let original = whole.as_deref().unwrap_or(body).to_owned();
        let attempt = Attempt { queue: self.queue.name(), receives, park_at, original: original.as_bytes() };
        if receives >= park_at && self.killed(message) {
            return park(attempt, self.parking, self.clock, KILLED.to_owned()).await;
        }
        let who = format!("{}/{}", invocation.request, message.message_id.as_deref().unwrap_or_default());
        let lasts = SignedDuration::try_from(left).unwrap_or(SignedDuration::ZERO);
        let shift = Shift::new(who, self.clock.now(), lasts);
        let handled = async {
            let job = shared_aws::sqs::read(&whole?, self.bodies).await?;
            handler(Record { job, receives, shift }).await
        };
        attend(attempt, self.parking, self.clock, handled).await
    }
}

impl Desk<'_> {
    /// Whether the runs that had this record before were killed: a run that ends in order shows its record again
    /// after seconds, a killed one leaves it hidden for the queue's whole time. An outage is never taken for it.
    fn killed(&self, message: &SqsMessage) -> bool {
        let earlier = i64::from(receives(message).saturating_sub(1));
        let first = message.attributes.get("ApproximateFirstReceiveTimestamp");
        let Some(first) = first.and_then(|text| text.parse::<i64>().ok()) else { return false };
        let machine = shared::Timestamp::now().as_millisecond();
        // A tenth less, since the two clocks are not one.
        let hidden = i64::try_from(Rules::of(self.queue).visibility.as_millis()).unwrap_or(i64::MAX) / 10 * 9;
        earlier > 0 && machine.saturating_sub(first) >= hidden.saturating_mul(earlier)
    }
}

fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get("ApproximateReceiveCount").and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The answer that makes the platform remove everything else.
pub(crate) fn answer(back: &ComingBack) -> SqsBatchResponse {
    let mut answer = SqsBatchResponse::default();
    answer.batch_item_failures = back.iter().filter_map(|(message, _)| failure(message)).collect();
    answer
}

fn failure(message: &SqsMessage) -> Option<BatchItemFailure> {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message.message_id.clone()?;
    Some(failure)
}

/// Shows what comes back after its own wait instead of after the queue's, which is minutes. Where this fails it comes
/// back all the same, only later.
pub(crate) async fn show_again(client: &aws_sdk_sqs::Client, url: &str, back: &ComingBack) {
    let entries: Vec<_> = back.iter().enumerate().filter_map(|(at, entry)| visible(at, entry)).collect();
    if entries.is_empty() {
        return;
    }
    let request = client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
    let failed = match request.send().await {
        Ok(answer) => answer.failed.len(),
        Err(_) => back.len(),
    };
    if failed > 0 {
        tracing::warn!(failed, "records come back only after the queue's own wait");
    }
}

fn visible(
    at: usize,
    (message, wait): &(SqsMessage, SignedDuration),
) -> Option<ChangeMessageVisibilityBatchRequestEntry> {
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string());
    let entry = entry.receipt_handle(message.receipt_handle.clone()?);
    entry.visibility_timeout(whole_seconds(*wait)).build().ok()
}

/// Rounded up: nothing comes back before its wait. A queue hides a record for at most twelve hours.
fn whole_seconds(wait: SignedDuration) -> i32 {
    let whole = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    i32::try_from(whole.clamp(0, 12 * 3600)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_sdk_s3::config::BehaviorVersion;
    use shared::{OrgId, SessionId, Timestamp};
    use shared_flow::ports::Parked;

    use super::*;
    use crate::clock::SystemClock;

    #[derive(Default)]
    struct Shelf(Mutex<Vec<Parked>>);

    #[async_trait::async_trait]
    impl Parking for Shelf {
        async fn park(&self, parked: &Parked) -> PortResult<()> {
            self.0.lock().unwrap().push(parked.clone());
            Ok(())
        }
    }

    /// Nothing in these tests is large enough to be fetched.
    fn no_bodies() -> Bodies {
        let config = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest()).build();
        Bodies::new(aws_sdk_s3::Client::from_conf(config), "none")
    }

    /// A record of this group that was first received so long ago.
    fn message(id: &str, group: &str, receives: u32, first: SignedDuration) -> SqsMessage {
        let session = SessionId(shared::ids::derive("test", &[id]));
        let job = Job::Deliver { org: OrgId::new("acme").unwrap(), session };
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message.receipt_handle = Some(id.to_owned());
        message.body = Some(serde_json::to_string(&job).unwrap());
        let at = Timestamp::now() - first;
        message.attributes.insert("MessageGroupId".to_owned(), group.to_owned());
        message.attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_string());
        message
            .attributes
            .insert("ApproximateFirstReceiveTimestamp".to_owned(), at.as_millisecond().to_string());
        message
    }

    fn fresh(id: &str, group: &str) -> SqsMessage {
        message(id, group, 1, SignedDuration::ZERO)
    }

    /// What was handled, what comes back, and how much was put aside.
    async fn work(
        queue: Queue,
        batch: Vec<SqsMessage>,
        left: Duration,
        fails: impl Fn(&SessionId) -> bool,
    ) -> (usize, Vec<String>, usize) {
        let (shelf, bodies, clock) = (Shelf::default(), no_bodies(), SystemClock::default());
        let desk = Desk { queue, clock: &clock, parking: &shelf, bodies: &bodies };
        let handled = Mutex::new(0);
        let handler = async |record: Record| {
            *handled.lock().unwrap() += 1;
            match &record.job {
                Job::Deliver { session, .. } if fails(session) => {
                    Err(PortError::Unavailable { what: "the table", why: "away".to_owned() })
                }
                _ => Ok(Done::Finished),
            }
        };
        let invocation = Invocation { request: "run", ends: SystemTime::now() + left };
        let back = desk.work(batch, &invocation, &handler).await;
        let ids = answer(&back).batch_item_failures.into_iter().map(|failure| failure.item_identifier);
        let parked = shelf.0.lock().unwrap().len();
        (handled.into_inner().unwrap(), ids.collect(), parked)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn after_a_failure_the_rest_of_its_group_comes_back_unseen() {
        let batch = vec![fresh("a1", "a"), fresh("b1", "b"), fresh("a2", "a"), fresh("b2", "b")];
        let first = SessionId(shared::ids::derive("test", &["a1"]));
        let (handled, back, _) = work(Queue::Conversation, batch, MINUTE, |session| *session == first).await;
        assert_eq!((handled, back), (3, vec!["a1".to_owned(), "a2".to_owned()]));
    }

    #[tokio::test]
    async fn nothing_is_begun_that_could_not_be_ended() {
        let batch = vec![fresh("a1", "a"), fresh("b1", "b")];
        let (handled, back, parked) =
            work(Queue::Conversation, batch, Duration::from_secs(5), |_| false).await;
        assert_eq!((handled, back.len(), parked), (0, 2, 0));
    }

    #[tokio::test]
    async fn what_killed_its_runs_is_put_aside_untried() {
        let twice = SignedDuration::from_mins(12);
        let (handled, back, parked) =
            work(Queue::Conversation, vec![message("a", "a", 3, twice)], MINUTE, |_| false).await;
        assert_eq!((handled, back.len(), parked), (0, 0, 1));
        let (handled, _, parked) =
            work(Queue::Turns, vec![message("a", "a", 2, twice)], MINUTE, |_| false).await;
        assert_eq!((handled, parked), (0, 1));
    }

    #[tokio::test]
    async fn an_outage_of_hours_is_no_killing() {
        let hours = SignedDuration::from_hours(5);
        let (handled, back, parked) =
            work(Queue::Conversation, vec![message("a", "a", 600, hours)], MINUTE, |_| false).await;
        assert_eq!((handled, back.len(), parked), (1, 0, 0));
    }

    #[tokio::test]
    async fn a_batch_that_was_killed_is_tried_one_by_one() {
        let once = SignedDuration::from_mins(6);
        let batch = vec![message("a", "a", 2, once), message("b", "b", 2, once), message("c", "c", 2, once)];
        let (handled, back, parked) = work(Queue::Conversation, batch, MINUTE, |_| false).await;
        assert_eq!((handled, back, parked), (1, vec!["b".to_owned(), "c".to_owned()], 0));
    }

    #[test]
    fn nothing_comes_back_before_its_wait() {
        assert_eq!(whole_seconds(SignedDuration::from_millis(500)), 1);
        assert_eq!(whole_seconds(SignedDuration::ZERO), 0);
        assert_eq!(whole_seconds(SignedDuration::from_hours(100)), 43_200);
    }
}
