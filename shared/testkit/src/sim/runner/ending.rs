//! How work ends: done, to be done again, or with the worker's death; and what whoever waited for it does then.

use jiff::{SignedDuration, Timestamp};

use super::{Role, Runner, Running};
use crate::sim::agenda::{Due, Post};
use crate::sim::fault::Fault;
use crate::sim::history::Event;
use crate::sim::jobs::Done;
use crate::sim::world::World;

impl Runner {
    /// A function that takes too long is ended from outside.
    pub(super) fn kill_overdue(&mut self, now: Timestamp) {
        while let Some(index) = self.running.iter().position(|running| running.ends_at <= now) {
            let dead = self.running.swap_remove(index);
            self.bury(&dead, "killed: out of time");
        }
    }

    /// A worker is gone without a word. Its entry stays hidden until its time is over; a webhook gets no answer.
    pub(super) fn bury(&mut self, dead: &Running, how: &'static str) {
        let mut world = self.world.lock();
        world.current = dead.id;
        world.note(Event::Died { how });
        world.current = 0;
        world.workers.remove(&dead.id);
        world.unanswered(&dead.role);
    }

    pub(super) fn finish(&mut self, finished: Running, done: Done) {
        let mut world = self.world.lock();
        world.current = finished.id;
        world.queues_moved = true;
        if world.history.records() {
            let how = format!("{done:?}");
            world.note(Event::Ended { how });
        }
        let is_command = world.is_worker("conversation");
        world.counters.commands += u64::from(is_command);
        match (&finished.role, done) {
            (Role::Entry(id), Done::Finished(_)) => {
                if world.strike(&[Fault::LostAck], "the queues").is_some() {
                    let seconds = world.faults.between(1, 360);
                    self.queues.nack(*id, SignedDuration::from_secs(seconds));
                } else {
                    self.queues.ack(*id);
                }
            }
            (Role::Entry(id), Done::Again(wait, _)) => self.queues.nack(*id, wait),
            (Role::Post(post), Done::Finished(_)) => world.answered(post),
            (Role::Request(_) | Role::Alone, Done::Finished(_)) => {}
            (role, Done::Again(..)) => world.unanswered(role),
        }
        world.current = 0;
        world.workers.remove(&finished.id);
    }

    /// Everybody dies at once, and the line starts again.
    pub(in crate::sim) fn kill_all(&mut self) {
        let dead: Vec<Running> = self.running.drain(..).collect();
        let hidden = self.world.lock().faults.percent(50);
        for one in &dead {
            self.bury(one, "kill -9");
            if let (Role::Entry(id), false) = (&one.role, hidden) {
                self.queues.nack(*id, SignedDuration::from_secs(1));
            }
        }
        self.world.lock().queues_moved = true;
    }
}

impl World {
    /// A webhook was answered with 200. WhatsApp may not have heard it.
    pub(super) fn answered(&mut self, post: &Post) {
        for (customer, inbound) in &post.messages {
            let (customer, wamid) = (*customer, inbound.message.source.clone());
            self.note(Event::Acknowledged { customer, wamid });
        }
        for original in &post.garbage {
            self.note(Event::GarbageTaken { original: original.clone() });
        }
        let again = self.strike(&[Fault::HookRepeated, Fault::HookAgain], "WhatsApp");
        let wait = match again {
            Some(Fault::HookRepeated) => self.faults.between(0, 30_000),
            Some(_) => self.faults.between(60_000, 4 * 3_600_000),
            None => return,
        };
        let at = self.in_ms(wait);
        self.agenda.add(at, Due::Post(Box::new(post.clone())));
    }

    /// Whoever waited for an answer tries again: WhatsApp for days, a person at once.
    pub(super) fn unanswered(&mut self, role: &Role) {
        match role {
            Role::Post(post) => {
                let wait = (1_000_i64 << post.attempt.min(6)).min(60_000);
                let again = Post { attempt: post.attempt + 1, ..(**post).clone() };
                self.agenda.add(self.in_ms(wait), Due::Post(Box::new(again)));
            }
            Role::Request(job) => self.agenda.add(self.in_ms(2_000), Due::Request(job.clone())),
            Role::Entry(_) | Role::Alone => {}
        }
    }
}
