//! A stand-in for a stack: letters that hide once received, and a place where everything done to it is written down.

use std::collections::VecDeque;
use std::sync::Mutex;

use shared_flow::ports::PortError;

use super::super::items::Content;
use super::super::items::tests::item;
use super::super::replay::tests::poke;
use super::*;

/// A stack that writes down what is done to it, and fails where it is told to.
#[derive(Default)]
pub(in crate::deployed::redrive) struct Stand {
    pub(in crate::deployed::redrive) done: Mutex<Vec<String>>,
    /// What fails.
    pub(in crate::deployed::redrive) fails: Option<&'static str>,
    /// How many jobs a parked webhook carries, and how much of it cannot be read.
    pub(in crate::deployed::redrive) reading: Option<(usize, usize)>,
    /// What is parked.
    pub(in crate::deployed::redrive) parked: Vec<Job>,
    /// The dead letters of the deliveries queue; `None` is one that cannot be read.
    pub(in crate::deployed::redrive) letters: Mutex<VecDeque<Option<Job>>>,
    /// Presses Ctrl-C after so many jobs.
    pub(in crate::deployed::redrive) stop_after: Option<(usize, tokio::sync::watch::Sender<bool>)>,
}

impl Stand {
    fn note(&self, what: &str) -> PortResult<()> {
        if self.fails == Some(what) {
            return Err(PortError::Unavailable { what: "the stand-in", why: what.to_owned() });
        }
        self.done.lock().unwrap().push(what.to_owned());
        Ok(())
    }

    pub(in crate::deployed::redrive) fn done(&self) -> Vec<String> {
        self.done.lock().unwrap().clone()
    }

    /// How often this was done.
    pub(in crate::deployed::redrive) fn times(&self, what: &str) -> usize {
        self.done().iter().filter(|done| *done == what).count()
    }
}

#[async_trait]
impl Yard for Stand {
    async fn parked(&self) -> PortResult<Vec<ParkedObject>> {
        let object = |at: usize| ParkedObject { key: at.to_string(), size: 1, stored_at: None };
        Ok((0..self.parked.len()).map(object).collect())
    }
    async fn parked_item(&self, object: &ParkedObject) -> PortResult<Option<Item>> {
        let at: usize = object.key.parse().unwrap();
        let found = self.parked.get(at).cloned();
        Ok(found.map(|job| item(&format!("p{at}"), "deliveries", Content::Job(Box::new(job)))))
    }
    async fn receive(&self, queue: Queue, max: usize) -> PortResult<Vec<Item>> {
        if queue != Queue::Deliveries {
            return Ok(Vec::new());
        }
        let mut letters = self.letters.lock().unwrap();
        let some = max.min(letters.len());
        let content = |letter: Option<Job>| match letter {
            Some(job) => Content::Job(Box::new(job)),
            None => Content::Unreadable("no job".to_owned()),
        };
        // Letters that say the same have the same id.
        let found = letters.drain(..some).map(|letter| item("same", "deliveries", content(letter)));
        Ok(found.collect())
    }
    async fn let_go(&self, _: &Place) {
        let _ = self.note("let go");
    }
    async fn pace(&self) {
        let _ = self.note("pace");
    }
    async fn send(&self, _: &Job) -> PortResult<()> {
        self.note("send")?;
        if let Some((_, tell)) = self.stop_after.as_ref().filter(|(many, _)| self.times("send") >= *many) {
            tell.send_replace(true);
        }
        Ok(())
    }
    async fn remove(&self, _: &Place) -> PortResult<()> {
        self.note("remove")
    }
    async fn read(&self, _: &Parked) -> PortResult<Reading> {
        let (jobs, left) = self.reading.unwrap_or_default();
        Ok(match jobs {
            0 => Reading::Stays("nothing in it"),
            jobs => Reading::Jobs(vec![poke(); jobs], left),
        })
    }
}
