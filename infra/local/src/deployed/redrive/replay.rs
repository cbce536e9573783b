//! One item's replay: by the rules, through our own queues, and removed only after it is sent.

use std::collections::BTreeMap;

use shared::Timestamp;
use shared_flow::ports::{Job, Parked, PortResult};

use super::items::{Content, Item};
use super::rule::{Ruling, rule};
use super::webhook::Reading;
use super::yard::Yard;

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was sent, and removed.
    Replayed,
    /// It was removed without being sent.
    Unneeded(String),
    /// It was left where it is. What could be read of it was sent.
    Stays(String),
}

/// How many items had which fate, and why some stay.
#[derive(Debug, Default)]
pub struct Tally {
    replayed: usize,
    unneeded: BTreeMap<String, usize>,
    stays: BTreeMap<String, usize>,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Replayed => self.replayed += 1,
            Fate::Unneeded(why) => *self.unneeded.entry(why).or_default() += 1,
            Fate::Stays(why) => *self.stays.entry(why).or_default() += 1,
        }
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> usize {
        self.replayed + self.unneeded.values().sum::<usize>() + self.stays.values().sum::<usize>()
    }

    /// In one line, and one for each reason.
    #[must_use]
    pub fn words(&self) -> String {
        let sum = |all: &BTreeMap<String, usize>| all.values().sum::<usize>();
        let (unneeded, stays) = (sum(&self.unneeded), sum(&self.stays));
        let mut lines = vec![format!("replayed {}, not needed {unneeded}, stays {stays}", self.replayed)];
        lines.extend(self.unneeded.iter().map(|(why, many)| format!("  not needed ({many}): {why}")));
        lines.extend(self.stays.iter().map(|(why, many)| format!("  stays ({many}): {why}")));
        lines.join("\n")
    }
}

/// Replays one item. After an error it is where it was; what was sent of it already counts once all the same.
pub async fn replay(yard: &dyn Yard, item: &Item, now: Timestamp) -> PortResult<Fate> {
    // What is so old that nobody knows its age is old.
    let since = item.since.unwrap_or(Timestamp::UNIX_EPOCH);
    match &item.content {
        Content::Unreadable(why) => Ok(Fate::Stays(why.clone())),
        Content::Job(job) => replay_job(yard, item, job, since, now).await,
        Content::Webhook(parked) => replay_webhook(yard, item, parked, now).await,
    }
}

async fn replay_job(
    yard: &dyn Yard,
    item: &Item,
    job: &Job,
    since: Timestamp,
    now: Timestamp,
) -> PortResult<Fate> {
    let fate = match rule(job.clone(), since, now) {
        Ruling::Stays(why) => return Ok(Fate::Stays(why.to_owned())),
        Ruling::Unneeded(why) => Fate::Unneeded(why.to_owned()),
        Ruling::Send(job) => {
            yard.pace().await;
            yard.send(&job).await?;
            Fate::Replayed
        }
    };
    yard.remove(&item.place).await?;
    Ok(fate)
}

async fn replay_webhook(yard: &dyn Yard, item: &Item, parked: &Parked, now: Timestamp) -> PortResult<Fate> {
    let (jobs, left) = match yard.read(parked).await? {
        Reading::Stays(why) => return Ok(Fate::Stays(why.to_owned())),
        Reading::Jobs(jobs, left) => (jobs, left),
    };
    for job in jobs {
        if let Ruling::Send(job) = rule(job, parked.at, now) {
            yard.pace().await;
            yard.send(&job).await?;
        }
    }
    if left > 0 {
        return Ok(Fate::Stays("parts of it can still not be read; the others were replayed".to_owned()));
    }
    yard.remove(&item.place).await?;
    Ok(Fate::Replayed)
}

#[cfg(test)]
#[path = "replay_tests.rs"]
pub(super) mod tests;
