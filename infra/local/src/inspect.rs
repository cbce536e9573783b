//! `switchboard inspect`: what the line would make of an input, as JSON, by the same code that serves the real thing.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use shared_vendors::guard::inspect_url;
use shared_vendors::whatsapp::{self, AppSecret};

/// Show what the line would make of an input. Exit code 0: accepted; 1: refused, with the reason in the JSON.
#[derive(Debug, Args)]
pub struct Inspect {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The body of a WhatsApp webhook.
    Whatsapp(Whatsapp),
    /// The address of a CRM, a model or another service. Resolves no names.
    Url(Url),
}

#[derive(Debug, Args)]
struct Whatsapp {
    /// The file that holds the request's body, byte for byte.
    file: PathBuf,
    /// The Meta app's secret; several while a secret is being changed.
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<SecretString>,
    /// The value of the X-Hub-Signature-256 header.
    #[arg(long, value_name = "HEADER")]
    signature: Option<String>,
    /// The phone number ids that are configured with the secret.
    #[arg(long = "number", value_name = "ID", num_args = 1..)]
    numbers: Vec<String>,
    /// The time to use as now, in Unix seconds: messages then tell their age.
    #[arg(long, value_name = "UNIX", value_parser = unix)]
    now: Option<Timestamp>,
}

#[derive(Debug, Args)]
struct Url {
    /// The address. Put `--` before one that begins with a dash.
    #[arg(allow_hyphen_values = true)]
    url: String,
}

/// Prints the JSON and says by exit code whether the input was accepted.
pub fn run(inspect: Inspect, allow_insecure: bool) -> std::io::Result<ExitCode> {
    let (seen, accepted) = match inspect.what {
        What::Whatsapp(args) => (inspect_whatsapp(args)?, "signature_valid"),
        What::Url(args) => (inspect_url(&args.url, allow_insecure), "allowed"),
    };
    writeln!(std::io::stdout(), "{seen:#}")?;
    let accepted = seen.get(accepted).and_then(Value::as_bool).unwrap_or(false);
    Ok(if accepted { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn inspect_whatsapp(args: Whatsapp) -> std::io::Result<Value> {
    let name = args.file.display();
    let body = std::fs::read(&args.file)
        .map_err(|error| std::io::Error::new(error.kind(), format!("cannot read {name}: {error}")))?;
    let with_numbers = |secret| AppSecret { secret, numbers: args.numbers.clone() };
    let secrets: Vec<AppSecret> = args.secrets.iter().cloned().map(with_numbers).collect();
    Ok(whatsapp::inspect(body.into(), args.signature.as_deref(), &secrets, args.now))
}

fn unix(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().map_err(|_| "Unix seconds are a whole number".to_owned())?;
    Timestamp::from_second(seconds).map_err(|error| error.to_string())
}
