//! Going through everything that was put aside: parked originals first, oldest first, then the dead letters of each queue.
//!
//! It can be stopped at any moment: between two items, so that each is either done or untouched.

use std::time::{Duration, Instant};

use shared::Timestamp;
use shared_aws::sqs::Queue;
use shared_flow::ports::PortResult;
use tokio::sync::watch;

use super::items::{Item, Place, Which};
use super::replay::{Fate, Tally, replay};
use super::yard::Yard;
use crate::deployed::terminal;
use crate::deployed::trouble::Trouble;

/// How many dead letters are received at once.
const BATCH: usize = 10;
/// After this, letters that stay may begin to show up again.
const SHOWN_AGAIN: Duration = Duration::from_secs(100);
/// How often a long run says how far it is.
const SPEAK: Duration = Duration::from_secs(5);

/// Told once Ctrl-C is pressed.
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Begins to listen.
    #[must_use]
    pub fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                // Nobody can tell; the command then ends as any does.
                return tell.closed().await;
            }
            let _ = tell.send(true);
            // Told twice: at once. What was sent and not removed is sent again, which counts once.
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        Self(told)
    }

    fn told(&self) -> bool {
        *self.0.borrow()
    }
}

/// What is done with each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Replay it by the rules.
    Replay,
    /// Throw it away.
    Discard,
}

/// Does it to everything that is meant, and says what came of it.
pub async fn go(yard: &dyn Yard, which: &Which, deed: Deed, stop: &Stop) -> Result<(), Trouble> {
    let (words, done) = round(yard, which, deed, stop).await;
    terminal::say(&words);
    done.map_err(|error| {
        let Trouble(why) = error.into();
        Trouble(format!(
            "{why}\nNothing is lost: what is not done is where it was. Run the same command again"
        ))
    })
}

/// One round, its words, and what ended it early. Letters that stay are let go whatever happens.
async fn round(yard: &dyn Yard, which: &Which, deed: Deed, stop: &Stop) -> (String, PortResult<()>) {
    let (tally, left) = (Tally::default(), Vec::new());
    let mut round = Round { yard, which, deed, stop, tally, left, spoke: Instant::now() };
    let done = round.all().await;
    for place in std::mem::take(&mut round.left) {
        yard.let_go(&place).await;
    }
    (round.words(), done)
}

struct Round<'a> {
    yard: &'a dyn Yard,
    which: &'a Which,
    deed: Deed,
    stop: &'a Stop,
    tally: Tally,
    /// Letters that were received and stay.
    left: Vec<Place>,
    spoke: Instant,
}

impl Round<'_> {
    async fn all(&mut self) -> PortResult<()> {
        for object in self.yard.parked().await? {
            if self.stop.told() {
                return Ok(());
            }
            if let Some(item) = self.yard.parked_item(&object).await? {
                self.one(item).await?;
            }
        }
        for queue in Queue::ALL.into_iter().filter(|queue| self.which.means_queue(*queue)) {
            self.dead(queue).await?;
        }
        Ok(())
    }

    /// Until nothing comes any more. What stays shows up again after a while; by then nothing but that comes.
    async fn dead(&mut self, queue: Queue) -> PortResult<()> {
        let again = Instant::now() + SHOWN_AGAIN;
        while !self.stop.told() {
            let batch = self.yard.receive(queue, BATCH).await?;
            let nothing = batch.is_empty();
            let gone = self.batch(batch).await?;
            if nothing || (gone == 0 && Instant::now() > again) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How many of these letters are gone. The others are let go at the end, also when one could not be handled.
    async fn batch(&mut self, batch: Vec<Item>) -> PortResult<usize> {
        let mut letters = batch.into_iter();
        let mut gone = 0;
        while let Some(item) = letters.next() {
            let place = item.place.clone();
            let done = if self.stop.told() { Ok(false) } else { self.one(item).await };
            match done {
                Ok(true) => gone += 1,
                Ok(false) => self.left.push(place),
                Err(error) => {
                    self.left.extend(std::iter::once(place).chain(letters.map(|item| item.place)));
                    return Err(error);
                }
            }
        }
        Ok(gone)
    }

    /// Whether the item is gone from where it was.
    async fn one(&mut self, item: Item) -> PortResult<bool> {
        if !self.which.means(&item) {
            return Ok(false);
        }
        let fate = match self.deed {
            Deed::Replay => replay(self.yard, &item, Timestamp::now()).await?,
            Deed::Discard => {
                self.yard.remove(&item.place).await?;
                let (what, _) = item.content.named();
                terminal::say(&format!("discarded {} {} {what}: {}", item.id, item.from, item.why));
                Fate::Replayed
            }
        };
        let gone = !matches!(fate, Fate::Stays(_));
        self.tally.add(fate);
        self.speak();
        Ok(gone)
    }

    fn speak(&mut self) {
        if self.spoke.elapsed() >= SPEAK {
            self.spoke = Instant::now();
            terminal::progress(&format!("{} done so far; Ctrl-C stops without loss", self.tally.total()));
        }
    }

    fn words(&self) -> String {
        let stopped = if self.stop.told() { "stopped; what is not done is where it was\n" } else { "" };
        match self.deed {
            Deed::Replay => format!("{stopped}{}", self.tally.words()),
            Deed::Discard => format!("{stopped}discarded {}", self.tally.total()),
        }
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;
