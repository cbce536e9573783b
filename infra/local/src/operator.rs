//! The operator's commands that speak to a running line: it is found through its data folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admin::Row;

/// Where a running line says how to reach it.
const DOOR: &str = "admin.json";

/// How to reach a running line.
#[derive(Serialize, Deserialize)]
pub struct Door {
    /// Its address.
    pub url: String,
    /// What lets in.
    pub token: String,
}

impl Door {
    /// Leaves the address in the data folder.
    pub fn open(&self, folder: &Path) -> std::io::Result<()> {
        crate::secrets::write_private(&folder.join(DOOR), serde_json::to_string_pretty(self)?.as_bytes())
    }

    fn of(folder: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(folder.join(DOOR)).map_err(|_| {
            format!(
                "no line has run in {}: start one with `switchboard local`, or name its folder with --data",
                folder.display()
            )
        })?;
        serde_json::from_str(&text).map_err(|error| format!("{DOOR} is damaged ({error}): restart the line"))
    }
}

/// Which line.
#[derive(Debug, Args)]
pub struct Where {
    /// The data folder of the running line.
    #[arg(long, default_value = ".switchboard")]
    pub data: PathBuf,
}

/// Which session of which line.
#[derive(Debug, Args)]
pub struct Which {
    /// The session's id; `switchboard sessions` lists them.
    pub session: String,
    #[command(flatten)]
    line: Where,
}

/// Lists sessions, the most recently active first.
pub async fn sessions(line: Where) -> ExitCode {
    finish(list(&line.data).await)
}

/// Hands off, hands back or resolves.
pub async fn act(which: Which, verb: &str) -> ExitCode {
    finish(ask(&which, verb).await)
}

/// Lists what could not be handled.
pub fn parked(line: &Where) -> ExitCode {
    let folder = line.data.join("parked");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        say("nothing is parked");
        return ExitCode::SUCCESS;
    };
    let mut notes: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    notes.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    notes.sort();
    for note in &notes {
        say(&format!("{}\n{}", note.display(), std::fs::read_to_string(note).unwrap_or_default()));
    }
    say(&format!("{} parked in {}", notes.len(), folder.display()));
    ExitCode::SUCCESS
}

async fn list(folder: &Path) -> Result<String, String> {
    let door = Door::of(folder)?;
    let request = client()?.get(format!("{}/admin/sessions", door.url));
    let rows: Vec<Row> =
        serde_json::from_value(call(&door, request).await?).map_err(|error| error.to_string())?;
    let line = |row: &Row| {
        format!(
            "{}  {:10}  {:10}  {:4} messages  {}",
            row.session, row.org, row.state, row.messages, row.last_activity
        )
    };
    let lines: Vec<String> = rows.iter().map(line).collect();
    Ok(if lines.is_empty() { "no sessions yet".to_owned() } else { lines.join("\n") })
}

async fn ask(which: &Which, verb: &str) -> Result<String, String> {
    let door = Door::of(&which.line.data)?;
    let request = client()?.post(format!("{}/admin/sessions/{}/{verb}", door.url, which.session));
    let answer = call(&door, request).await?;
    match (answer.get("done").and_then(Value::as_bool), answer.get("because").and_then(Value::as_str)) {
        (Some(true), _) => Ok(format!("{verb}: done")),
        (_, because) => Err(format!("{verb}: nothing changed: {}", because.unwrap_or("no reason given"))),
    }
}

/// Straight to this machine, whatever proxy the environment names.
fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder().no_proxy().build().map_err(|error| error.to_string())
}

async fn call(door: &Door, request: reqwest::RequestBuilder) -> Result<Value, String> {
    let answer = request.bearer_auth(&door.token).send().await.map_err(|_| {
        format!("the line at {} does not answer: is `switchboard local` still running?", door.url)
    })?;
    let status = answer.status();
    let body: Value = answer.json().await.map_err(|error| format!("{status}: {error}"))?;
    match body.get("error").and_then(Value::as_str) {
        Some(error) => Err(error.to_owned()),
        None => Ok(body),
    }
}

fn finish(outcome: Result<String, String>) -> ExitCode {
    match outcome {
        Ok(words) => {
            say(&words);
            ExitCode::SUCCESS
        }
        Err(words) => crate::complain(&words),
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command belongs on standard output")]
fn say(words: &str) {
    println!("{words}");
}
