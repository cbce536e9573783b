//! What waits: queues, dead letters, what was parked, and what the clock should have woken long ago.

use shared::{SignedDuration, Timestamp};
use shared_aws::bodies::Bodies;
use shared_aws::dynamodb::Table;
use shared_aws::sqs::{Depth, Letters, Queue};
use shared_flow::ports::{PortResult, Waking};

use super::report::{Hop, Outcome};
use crate::deployed::aws::Aws;
use crate::deployed::stack::Stack;
use crate::deployed::trouble::Trouble;

/// The schedule looks every minute and a worker may take some; what waits longer than this is not being woken.
const OVERDUE: SignedDuration = SignedDuration::from_mins(5);
/// More than this in a queue is worth a word.
const MANY: u64 = 1_000;

/// Looks at everything that waits.
pub async fn look(aws: &Aws, stack: &Stack) -> Vec<Hop> {
    let mut hops = Vec::new();
    hops.push(hop("clock", clock(aws, stack).await));
    let bodies = match stack.output("BodiesBucketName") {
        Ok(bucket) => Bodies::new(aws.s3(), bucket),
        Err(trouble) => {
            hops.push(hop("parked input", Err(trouble)));
            return hops;
        }
    };
    let letters = Letters::new(aws.sqs(), bodies.clone());
    for queue in Queue::ALL {
        let depth = depth(&letters, stack.queue(queue)).await.map(waiting);
        hops.push(hop(&format!("queue {}", queue.name()), depth));
        let dead = depth_of_dead(&letters, stack, queue).await;
        hops.push(hop(&format!("dead letters of {}", queue.name()), dead));
    }
    hops.push(hop("parked input", parked(&bodies, &stack.name).await.map_err(Trouble::from)));
    hops
}

async fn clock(aws: &Aws, stack: &Stack) -> Result<Outcome, Trouble> {
    let table = Table::new(aws.dynamodb(), stack.output("LineTableName")?);
    let now = Timestamp::now();
    let due = table.due(now, 1).await?;
    Ok(overdue(due.first().map(|due| now.duration_since(due.at))))
}

/// The schedule itself cannot be seen from here; what it leaves undone can.
fn overdue(longest: Option<SignedDuration>) -> Outcome {
    match longest {
        Some(by) if by > OVERDUE => Outcome::failed(
            format!("something has been due for {} minutes and nobody took it", by.as_mins()),
            "see whether the schedule of AutoResolve runs (its logs have a line a minute), and whether the queues are worked off",
        ),
        Some(_) | None => Outcome::Ok,
    }
}

async fn depth(letters: &Letters, url: Result<&str, Trouble>) -> Result<Depth, Trouble> {
    Ok(letters.depth(url?).await?)
}

fn waiting(depth: Depth) -> Outcome {
    match depth.waiting {
        many if many > MANY => {
            Outcome::Note(format!("{many} wait: the line is overloaded, or a worker is away"))
        }
        _ => Outcome::Ok,
    }
}

async fn depth_of_dead(letters: &Letters, stack: &Stack, queue: Queue) -> Result<Outcome, Trouble> {
    let depth = depth(letters, stack.dead_letters(queue)).await?;
    Ok(dead(depth, &stack.name))
}

fn dead(depth: Depth, stack: &str) -> Outcome {
    match depth.waiting + depth.in_flight + depth.delayed {
        0 => Outcome::Ok,
        many => Outcome::failed(
            format!("{many} stand there: a function was killed or timed out on them"),
            format!("switchboard redrive --stack {stack} list, and the runbook's page on dead letters"),
        ),
    }
}

/// Parked input holds up nobody, and some of it stays for ever: worth a word, no failure.
async fn parked(bodies: &Bodies, stack: &str) -> PortResult<Outcome> {
    Ok(match bodies.list_parked().await?.len() {
        0 => Outcome::Ok,
        many => Outcome::Note(format!("{many} parked: switchboard redrive --stack {stack} list")),
    })
}

fn hop(name: &str, outcome: Result<Outcome, Trouble>) -> Hop {
    let failed = |trouble: Trouble| {
        Outcome::failed(
            trouble.to_string(),
            "check the rights of these credentials, and that the stack is whole",
        )
    };
    Hop { name: name.to_owned(), outcome: outcome.unwrap_or_else(failed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_overdue_is_a_failure() {
        assert_eq!(overdue(None), Outcome::Ok);
        assert_eq!(overdue(Some(SignedDuration::from_mins(4))), Outcome::Ok);
        assert!(matches!(overdue(Some(SignedDuration::from_mins(6))), Outcome::Failed { .. }));
    }

    #[test]
    fn one_dead_letter_is_a_failure_and_a_long_queue_a_word() {
        assert_eq!(dead(Depth::default(), "sb"), Outcome::Ok);
        for depth in [Depth { waiting: 1, ..Depth::default() }, Depth { in_flight: 1, ..Depth::default() }] {
            let Outcome::Failed { todo, .. } = dead(depth, "sb") else { panic!("{depth:?}") };
            assert!(todo.starts_with("switchboard redrive --stack sb list"), "{todo}");
        }
        assert_eq!(waiting(Depth { waiting: 10, ..Depth::default() }), Outcome::Ok);
        assert!(matches!(waiting(Depth { waiting: 1_001, ..Depth::default() }), Outcome::Note(_)));
    }
}
