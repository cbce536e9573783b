//! What may be replayed, and as what: old facts reach a person, never the assistant, and nothing counts twice.

use shared::{Command, OrgId, Policy, SignedDuration, Timestamp};
use shared_flow::ports::{Envelope, Job};

/// What becomes of something that was put aside.
#[derive(Debug, Clone, PartialEq)]
pub enum Ruling {
    /// This goes to its queue. Keys and marks make it count once, whatever else was sent.
    Send(Box<Job>),
    /// It is removed: something else has taken care of what it was for.
    Unneeded(&'static str),
    /// It stays where it is, for a person.
    Stays(&'static str),
}

/// Rules on a job that was put aside at `since`.
#[must_use]
pub fn rule(job: Job, since: Timestamp, now: Timestamp) -> Ruling {
    match job {
        Job::Command { lane, envelope } => fact(lane, *envelope, now),
        Job::Turn { .. } if is_late(since, now) => {
            Ruling::Unneeded("a turn older than ten minutes: the clock gives its session to a person")
        }
        Job::Turn { org, session, number, .. } => {
            send(Job::Turn { org, session, number, wait: SignedDuration::ZERO })
        }
        // Ranks only rise, and the others carry nothing: each worker looks what is to be done.
        job @ (Job::Status(_) | Job::Deliver { .. } | Job::SyncCrm { .. } | Job::LookAtCase { .. }) => {
            send(job)
        }
    }
}

fn fact(lane: String, envelope: Envelope, now: Timestamp) -> Ruling {
    let late = is_late(envelope.at, now);
    let envelope = match envelope.command {
        // Its words must not be said any more. The clock's look gives a session that still waits for them to a person.
        Command::AgentConcluded(_) if late => Envelope { command: Command::Woke, key: None, ..envelope },
        Command::HandBackRequested(_) | Command::ResolveRequested(_) if late => {
            return Ruling::Stays(
                "a person wanted this more than ten minutes ago: ask again, then discard it",
            );
        }
        // A message keeps the time at which it was written, by which the line sees how old it is.
        Command::CustomerWrote(_)
        | Command::AgentConcluded(_)
        | Command::RepReplied(_)
        | Command::CaseClosed(_)
        | Command::DeliveryEnded(_)
        | Command::DeliveryReopened { .. }
        | Command::WindowReopened { .. }
        | Command::HandoffRequested(_)
        | Command::HandBackRequested(_)
        | Command::ResolveRequested(_)
        | Command::Woke => envelope,
    };
    send(Job::Command { lane, envelope: Box::new(envelope) })
}

fn is_late(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since) > Policy::default().stale_after
}

fn send(job: Job) -> Ruling {
    Ruling::Send(Box::new(job))
}

/// What a job is, in one word, and whose. Nothing of what it carries.
#[must_use]
pub fn named(job: &Job) -> (&'static str, &OrgId) {
    match job {
        Job::Command { envelope, .. } => (envelope.command.name(), &envelope.org),
        Job::Status(note) => ("status", &note.org),
        Job::Deliver { org, .. } => ("deliver", org),
        Job::SyncCrm { org, .. } => ("sync_crm", org),
        Job::LookAtCase { org, .. } => ("look_at_case", org),
        Job::Turn { org, .. } => ("turn", org),
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
