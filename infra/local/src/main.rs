//! The `switchboard` command: which subcommands there are, and where each of them lives.

mod admin;
mod config;
mod deployed;
mod embedded;
mod host;
mod inspect;
mod line;
mod local;
mod operator;
mod playground;
mod sandbox;
mod sandboxes;
mod secrets;
mod settings;
mod show;
mod stage;
mod store;
mod takeover;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use shared_lambda::telemetry::{self, Form};

use crate::local::LocalArgs;
use crate::operator::{Where, Which};

/// An AI-first support line that runs in your own account. Without a subcommand it runs here, with sandboxes.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole line on this machine; what the configuration does not name is played by sandboxes.
    Local(LocalArgs),
    /// List the sessions of the running line.
    Sessions(Where),
    /// Take a session from the assistant.
    Handoff(Which),
    /// Give a session back to the assistant.
    Handback(Which),
    /// End a session.
    Resolve(Which),
    /// List input that could not be handled and was kept.
    Parked(Where),
    Inspect(inspect::Inspect),
    Apply(deployed::apply::Apply),
    Outputs(deployed::outputs::Outputs),
    Doctor(deployed::doctor::Doctor),
    Redrive(deployed::redrive::Redrive),
}

#[tokio::main]
async fn main() -> ExitCode {
    telemetry::start(Form::Terminal);
    match Cli::parse().command.unwrap_or_else(|| Command::Local(LocalArgs::default())) {
        Command::Local(args) => local::run(args).await,
        Command::Sessions(line) => operator::sessions(line).await,
        Command::Handoff(which) => operator::act(which, "handoff").await,
        Command::Handback(which) => operator::act(which, "handback").await,
        Command::Resolve(which) => operator::act(which, "resolve").await,
        Command::Parked(line) => operator::parked(&line),
        Command::Inspect(args) => {
            inspect::run(args, allows_insecure()).unwrap_or_else(|error| complain(&error.to_string()))
        }
        Command::Apply(args) => deployed::apply::run(args).await,
        Command::Outputs(args) => deployed::outputs::run(args).await,
        Command::Doctor(args) => deployed::doctor::run(args).await,
        Command::Redrive(args) => deployed::redrive::run(args).await,
    }
}

/// Whether plain http and loopback addresses are accepted: only for sandboxes on one's own machine.
fn allows_insecure() -> bool {
    std::env::var("SWITCHBOARD_ALLOW_INSECURE").is_ok_and(|value| value == "1")
}

/// Says what went wrong on standard error.
#[expect(clippy::print_stderr, reason = "a command's complaint belongs on standard error")]
fn complain(words: &str) -> ExitCode {
    eprintln!("switchboard: {words}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
