//! The queues from outside: what is sent is taken, in whose order, and who wakes.

use std::collections::BTreeSet;

use futures::FutureExt;
use shared::ids::derive;
use shared::{Command, OrgId, SessionId};
use shared_flow::ports::{Envelope, Target};
use shared_testkit::contracts::{self, QueueReader};

use super::*;

const VISIBILITY: SignedDuration = SignedDuration::from_secs(360);
/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

fn org() -> OrgId {
    OrgId::new("acme").unwrap()
}

fn session() -> SessionId {
    SessionId(derive("test", &[]))
}

fn command(lane: &str, key: &str) -> Job {
    let envelope = Envelope {
        org: org(),
        target: Target::Session(session()),
        key: Some(key.to_owned()),
        command: Command::Woke,
        at: Timestamp::UNIX_EPOCH,
    };
    Job::Command { lane: lane.to_owned(), envelope: Box::new(envelope) }
}

fn poke() -> Job {
    Job::Deliver { org: org(), session: session() }
}

async fn take(queue: &LocalQueue, name: QueueName) -> Vec<Received> {
    queue.receive(name, 10, VISIBILITY).await.unwrap()
}

async fn waited(queue: &LocalQueue, name: QueueName) {
    tokio::time::timeout(PATIENCE, queue.wait(name)).await.unwrap();
}

/// A worker of each queue that finishes whatever it takes.
#[async_trait]
impl QueueReader for LocalQueue {
    async fn next(&self, like: &Job) -> Vec<Job> {
        let name = QueueName::of(like);
        let taken = async {
            loop {
                let taken = take(self, name).await;
                if !taken.is_empty() {
                    return taken;
                }
                self.wait(name).await;
            }
        };
        let taken = tokio::time::timeout(PATIENCE, taken).await.unwrap_or_default();
        for received in &taken {
            self.ack(received.id).await.unwrap();
        }
        taken.into_iter().map(|received| received.job).collect()
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    contracts::queues(&queue, &queue).await;
}

#[tokio::test]
async fn jobs_stand_in_the_queue_of_whoever_works_on_them() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    let look = Job::LookAtCase { org: org(), case: session().0 };
    let sync = Job::SyncCrm { org: org(), session: session() };
    queue.send(&[command("a", "1"), poke(), sync.clone(), look.clone()]).await.unwrap();
    let jobs = async |name| take(&queue, name).await.into_iter().map(|r| r.job).collect::<Vec<_>>();
    assert_eq!(jobs(QueueName::Command).await, [command("a", "1")]);
    assert_eq!(jobs(QueueName::Deliver).await, [poke()]);
    assert_eq!(jobs(QueueName::Crm).await, [sync, look]);
    assert!(jobs(QueueName::Turn).await.is_empty());
}

#[tokio::test]
async fn what_was_accepted_survives_a_restart_in_hand_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    queue.send(&[command("a", "1"), command("a", "2"), poke()]).await.unwrap();
    assert_eq!(take(&queue, QueueName::Command).await.len(), 1);
    drop(queue);
    let queue = LocalQueue::open(folder.path()).unwrap();
    let again = take(&queue, QueueName::Command).await;
    assert_eq!((&again[0].job, again[0].receive_count), (&command("a", "1"), 2));
    queue.ack(again[0].id).await.unwrap();
    let second = take(&queue, QueueName::Command).await;
    assert_eq!((&second[0].job, second[0].receive_count), (&command("a", "2"), 1));
    queue.ack(second[0].id).await.unwrap();
    drop(queue);
    let queue = LocalQueue::open(folder.path()).unwrap();
    assert!(take(&queue, QueueName::Command).await.is_empty());
    assert_eq!(take(&queue, QueueName::Deliver).await.len(), 1);
}

#[tokio::test]
async fn a_turn_is_kept_back_and_wakes_its_worker_when_it_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    let wait = SignedDuration::from_millis(300);
    let sent = Timestamp::now();
    queue.send(&[Job::Turn { org: org(), session: session(), number: 1, wait }]).await.unwrap();
    assert!(take(&queue, QueueName::Turn).await.is_empty());
    // The first wake may be the sending itself; what counts is that nobody has to be told when it is due.
    let due = loop {
        waited(&queue, QueueName::Turn).await;
        let taken = take(&queue, QueueName::Turn).await;
        if !taken.is_empty() {
            break taken;
        }
    };
    assert_eq!(due.len(), 1);
    assert!(Timestamp::now().duration_since(sent) >= wait);
}

#[test]
fn a_waiting_worker_wakes_when_a_job_is_sent() {
    // One thread for blocking work does it in order, so that it is known when the worker has looked.
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let queue = LocalQueue::open(folder.path()).unwrap();
        let waiting = queue.wait(QueueName::Deliver);
        tokio::pin!(waiting);
        assert!(waiting.as_mut().now_or_never().is_none());
        queue.run(|_| Ok(())).await.unwrap();
        assert!(waiting.as_mut().now_or_never().is_none(), "nothing is there, so it waits for the bell");
        queue.send(&[poke()]).await.unwrap();
        tokio::time::timeout(PATIENCE, waiting).await.unwrap();
    });
}

#[tokio::test]
async fn a_job_sent_between_looking_and_waiting_is_not_missed() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    assert!(take(&queue, QueueName::Deliver).await.is_empty());
    queue.send(&[poke()]).await.unwrap();
    waited(&queue, QueueName::Deliver).await;
    // Nor does one that nobody was told of: the bell is used up, the job is there.
    waited(&queue, QueueName::Deliver).await;
    assert_eq!(take(&queue, QueueName::Deliver).await.len(), 1);
}

#[tokio::test]
async fn equal_pokes_are_folded() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    queue.send(&[poke(), poke()]).await.unwrap();
    queue.send(&[poke()]).await.unwrap();
    let first = take(&queue, QueueName::Deliver).await;
    assert_eq!(first.len(), 1);
    queue.send(&[poke(), poke()]).await.unwrap();
    let second = take(&queue, QueueName::Deliver).await;
    assert_eq!(second.len(), 1, "what came while one was in hand is not lost");
    queue.retry(first[0].id, SignedDuration::ZERO).await.unwrap();
    assert_eq!(take(&queue, QueueName::Deliver).await[0].receive_count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_are_worked_off_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    let jobs: Vec<Job> = (0..1_000).map(|n| command(&(n % 50).to_string(), &n.to_string())).collect();
    queue.send(&jobs).await.unwrap();
    let workers = (0..8).map(|_| tokio::spawn(work_off(queue.clone())));
    let mut keys = Vec::new();
    for done in futures::future::join_all(workers).await {
        keys.extend(done.unwrap());
    }
    assert_eq!(keys.len(), 1_000);
    assert_eq!(keys.into_iter().collect::<BTreeSet<_>>().len(), 1_000);
}

/// Works until nothing is left, and returns the keys of what it did.
async fn work_off(queue: LocalQueue) -> Vec<String> {
    let mut keys = Vec::new();
    while queue.run(|shelf| shelf.next_at("command")).await.unwrap().is_some() {
        for received in take(&queue, QueueName::Command).await {
            if let Job::Command { envelope, .. } = &received.job {
                keys.extend(envelope.key.clone());
            }
            queue.ack(received.id).await.unwrap();
        }
    }
    keys
}

#[tokio::test]
async fn an_entry_of_another_version_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let queue = LocalQueue::open(folder.path()).unwrap();
    let lane = Some("a".to_owned());
    let odd =
        Put { queue: "command", lane, body: r#"{"job":"dance"}"#.to_owned(), poke: false, visible_at: 0 };
    queue.run(move |shelf| shelf.put(&[odd], 0)).await.unwrap();
    queue.send(&[command("a", "1")]).await.unwrap();
    assert!(take(&queue, QueueName::Command).await.is_empty());
    waited(&queue, QueueName::Command).await;
    assert_eq!(take(&queue, QueueName::Command).await[0].job, command("a", "1"));
}

#[test]
fn every_name_is_read_back() {
    for name in ["command", "status", "deliver", "crm", "turn"] {
        assert_eq!(named(name).unwrap().as_str(), name);
    }
}
