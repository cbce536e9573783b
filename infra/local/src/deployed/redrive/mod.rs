//! `switchboard redrive`: lists what a deployed line had to put aside, replays it by the rules, or throws it away.

mod items;
mod list;
mod replay;
mod rounds;
mod rule;
mod webhook;
mod yard;

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use shared_aws::sqs::Queue;

use self::items::{WEBHOOKS, Which};
use self::rounds::{Deed, Stop, go};
use self::yard::StackYard;
use super::trouble::Trouble;
use super::{Target, terminal};

/// A fifth of what a small line takes in its busiest minute.
const RATE: u32 = 5;

/// List, replay or discard what a deployed line had to put aside: parked input and dead letters.
#[derive(Debug, Args)]
pub struct Redrive {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what was put aside, and why.
    List(Chosen),
    /// Replay it. The assistant answers nothing that is older than ten minutes; nothing counts twice.
    Run(Run),
    /// Throw it away.
    Discard(Discard),
}

#[derive(Debug, Args, Default)]
struct Chosen {
    /// Only what came from here: a queue's name, or webhooks/whatsapp.
    #[arg(long, value_name = "NAME", value_parser = origin)]
    queue: Option<String>,
    /// Only this; may be given several times. `list` shows the ids.
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    chosen: Chosen,
    /// How many a second at most. Keep it to a fifth of what the line takes normally.
    #[arg(long, default_value_t = RATE, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("meant").required(true).args(["ids", "all"])))]
struct Discard {
    #[command(flatten)]
    chosen: Chosen,
    /// Everything, or everything of --queue.
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub async fn run(args: Redrive) -> ExitCode {
    terminal::finish(redrive(args).await)
}

async fn redrive(args: Redrive) -> Result<(), Trouble> {
    let (aws, stack) = args.target.find().await?;
    let open = |rate| StackYard::open(&aws, &stack, rate);
    match args.what.unwrap_or_else(|| What::List(Chosen::default())) {
        What::List(chosen) => list::list(&open(RATE)?, &chosen.which()).await,
        What::Run(Run { chosen, rate }) => {
            go(&open(rate)?, &chosen.which(), Deed::Replay, &Stop::listen()).await
        }
        What::Discard(Discard { chosen, .. }) => {
            go(&open(RATE)?, &chosen.which(), Deed::Discard, &Stop::listen()).await
        }
    }
}

impl Chosen {
    fn which(self) -> Which {
        Which { from: self.queue, ids: self.ids }
    }
}

/// A place that things come from, as it is typed.
fn origin(text: &str) -> Result<String, String> {
    let known: Vec<&str> = Queue::ALL.into_iter().map(Queue::name).chain([WEBHOOKS]).collect();
    if known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("use one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        redrive: Redrive,
    }

    fn parsed(line: &str) -> Result<Redrive, String> {
        let words = ["switchboard"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.redrive).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_thrown_away_that_was_not_named() {
        assert!(parsed("--stack sb discard").is_err());
        assert!(parsed("--stack sb discard --queue turns").is_err());
        assert!(parsed("--stack sb discard --queue turns --all").is_ok());
        assert!(parsed("--stack sb discard --id a1 --id b2").is_ok());
    }

    #[test]
    fn a_replay_has_a_pace_and_known_places() {
        let Ok(Redrive { what: Some(What::Run(run)), .. }) = parsed("--stack sb run") else { panic!() };
        assert_eq!(run.rate, 5);
        assert!(parsed("--stack sb run --rate 0").is_err());
        assert!(parsed("--stack sb run --queue mail").unwrap_err().contains("webhooks/whatsapp"));
        assert!(parsed("--stack sb list --queue webhooks/whatsapp").is_ok());
        assert!(parsed("list").is_err());
    }
}
