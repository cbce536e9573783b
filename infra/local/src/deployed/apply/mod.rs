//! `switchboard apply`: makes a deployed stack hold what the configuration file says, and shows the difference first.

mod fields;
mod plan;
mod stored;
mod vault;
mod wanted;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use shared::Timestamp;

pub use self::plan::Stored;
use self::plan::{Act, Plan};
pub use self::stored::Store;
pub use self::wanted::{AppKeys, Vault, Wanted, same, webhook_secrets};
use super::stack::Stack;
use super::trouble::Trouble;
use super::{Target, terminal};
use crate::config::{self, Config};

/// Put settings and secrets of a configuration file into a deployed stack. Shows what differs; no secret is shown.
#[derive(Debug, Args)]
pub struct Apply {
    /// The configuration, the same file that `local` reads.
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Also remove organisations, lines and secrets that the file does not have.
    #[arg(long)]
    prune: bool,
}

/// Runs the command.
pub async fn run(args: Apply) -> ExitCode {
    terminal::finish(apply(&args).await)
}

async fn apply(args: &Apply) -> Result<(), Trouble> {
    let config = config::load(&args.config, crate::allows_insecure()).map_err(|bad| Trouble(bad.0))?;
    let (aws, stack) = args.target.find().await?;
    let store = Store::of(&aws, &stack)?;
    let wanted = Wanted::new(&config, stack.output("ApiUrl")?).map_err(|bad| Trouble(bad.0))?;
    let plan = compare(&store, &wanted, args.prune).await?;
    terminal::say(&words(&plan, &wanted.notes, &stack.name, args));
    if args.dry_run || plan.is_empty() {
        return Ok(());
    }
    write(&store, &plan.acts).await?;
    terminal::say(&format!(
        "{} written. The functions follow within half a minute, secrets within five. Next: switchboard doctor --stack {}",
        terminal::count(plan.acts.len(), "change"),
        stack.name
    ));
    Ok(())
}

/// How many writes it would take to make the stack hold what the file says.
pub async fn missing(config: &Config, store: &Store, stack: &Stack) -> Result<usize, Trouble> {
    let wanted = Wanted::new(config, stack.output("ApiUrl")?).map_err(|bad| Trouble(bad.0))?;
    Ok(compare(store, &wanted, false).await?.acts.len())
}

async fn compare(store: &Store, wanted: &Wanted, prune: bool) -> Result<Plan, Trouble> {
    let stored = store.read(vault::names(&wanted.vault)).await?;
    let mut plan = Plan::new(wanted, &stored, prune, Timestamp::now())?;
    for (name, content) in std::mem::take(&mut plan.settled) {
        if store.must_be_rewritten(&name, &content).await? {
            plan.rewrite(name, content);
        }
    }
    Ok(plan)
}

/// Writes in order. What breaks off is safe to leave, and is continued by running the same again.
async fn write(store: &Store, acts: &[Act]) -> Result<(), Trouble> {
    for (done, act) in acts.iter().enumerate() {
        store.act(act).await.map_err(|error| {
            let Trouble(why) = error.into();
            Trouble(format!(
                "{why}\n{done} of {} are written; what stands now is whole and serves. Run the same command again: it \
                 continues where this one ended",
                terminal::count(acts.len(), "change")
            ))
        })?;
    }
    Ok(())
}

/// The difference as an operator reads it.
fn words(plan: &Plan, notes: &[String], stack: &str, args: &Apply) -> String {
    let mut lines: Vec<String> = notes.iter().map(|note| format!("note: {note}")).collect();
    if !plan.kept.is_empty() {
        lines.push("kept, though not in the file (--prune removes it):".to_owned());
        lines.extend(plan.kept.iter().map(|kept| format!("  {kept}")));
    }
    for block in &plan.shown {
        lines.push(block.title.clone());
        lines.extend(block.lines.iter().map(|line| format!("  {line}")));
    }
    lines.push(match (plan.is_empty(), args.dry_run) {
        (true, _) => format!("nothing to change in {stack}"),
        (false, true) => {
            format!("{} to write in {stack}; nothing was written", terminal::count(plan.acts.len(), "change"))
        }
        (false, false) => {
            format!("writing {} in {stack}", terminal::count(plan.acts.len(), "change"))
        }
    });
    lines.join("\n")
}

#[cfg(test)]
pub mod tests {
    pub use super::plan::tests::applied;
}
