//! The queues behind the wire, and what went into them.

use std::sync::Arc;

use async_trait::async_trait;
use shared_flow::ports::{Envelope, Job, PortResult, Queues};

use super::SimPorts;
use crate::sim::fault::Fault;
use crate::sim::history::Event;
use crate::sim::sabotage::Sabotage;
use crate::sim::scenario::Target;
use crate::sim::world::unavailable;

#[async_trait]
impl Queues for SimPorts {
    async fn send(&self, jobs: &[Job]) -> PortResult<()> {
        let partial = jobs.len() > 1 && self.strikes(Fault::PartialSend);
        self.through(Target::Queue, async {
            for job in jobs {
                if partial && self.world.lock().faults.percent(50) {
                    continue;
                }
                self.put(job).await?;
            }
            if partial { Err(unavailable(Target::Queue)) } else { Ok(()) }
        })
        .await
    }
}

impl SimPorts {
    fn strikes(&self, fault: Fault) -> bool {
        self.world.lock().strike(&[fault], Target::Queue.name()).is_some()
    }

    /// Puts a job into its queue. Only a queue without order holds an entry twice of its own accord.
    async fn put(&self, job: &Job) -> PortResult<()> {
        let is_command = matches!(job, Job::Command { .. });
        {
            let mut world = self.world.lock();
            world.queues_moved = true;
            if let Job::Command { lane, envelope } = job {
                world.note(queued(lane, envelope));
                if world.sabotages(Sabotage::LoseEntry, 5) {
                    return Ok(());
                }
            }
        }
        let batch = std::slice::from_ref(job);
        self.queues.send(batch).await?;
        if !is_command && self.strikes(Fault::DoubledEntry) {
            self.queues.send(batch).await?;
        }
        Ok(())
    }

    /// The job that the calling worker was given.
    pub(in crate::sim) fn job(&self) -> Option<Arc<Job>> {
        let world = self.world.lock();
        world.workers.get(&world.current).and_then(|worker| worker.job.clone())
    }
}

fn queued(lane: &str, envelope: &Envelope) -> Event {
    Event::Queued { lane: lane.to_owned(), key: envelope.key.clone(), command: envelope.command.name() }
}
