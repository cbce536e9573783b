//! `switchboard doctor`: tries a deployed line hop by hop and names the first that fails, with what to do.

mod backlog;
mod functions;
mod report;
mod settings;
mod vendors;
mod webhooks;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use shared_aws::secrets::Secrets;
use shared_aws::settings::SettingsTable;
use shared_lambda::accounts::DeployedAccounts;
use shared_vendors::guard::Guard;
use shared_vendors::http::Http;

use self::report::{Outcome, Report};
use self::webhooks::Door;
use super::addresses::Addresses;
use super::apply::{self, AppKeys, Store, Stored, same};
use super::aws::Aws;
use super::stack::Stack;
use super::trouble::Trouble;
use super::{Target, terminal};
use crate::config::{self, Config};

/// Try a deployed line hop by hop. Exit code 0: every hop works; 1: the first that fails is named.
#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    target: Target,
    /// The configuration: also tells whether it is what stands in the stack.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Also call WhatsApp, Creatio and the models from here, with the stored credentials.
    #[arg(long)]
    vendors: bool,
    /// The address that stands before the API, such as a custom domain.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: Doctor) -> ExitCode {
    let config = args.config.as_deref().map(|path| config::load(path, crate::allows_insecure()));
    let config = match config.transpose() {
        Ok(config) => config,
        Err(bad) => return crate::complain(&bad.0),
    };
    let report = examine(&args, config.as_ref()).await;
    terminal::say(&if args.json { format!("{:#}", report.json()) } else { report.words() });
    if report.first_failed().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every hop, in the order in which a message meets them. What cannot be tried without an earlier one is left out.
async fn examine(args: &Doctor, config: Option<&Config>) -> Report {
    let mut report = Report::default();
    let Some((aws, stack)) = account(args, &mut report).await else { return report };
    let Some((stored, store)) = told(&aws, &stack, &mut report).await else { return report };
    if let Some(config) = config {
        file(config, &store, &stack, &mut report).await;
    }
    front_door(args, config, &stack, &stored, &mut report).await;
    let orgs = settings::orgs(&stored.entries);
    report.extend(functions::ask(&aws.lambda(), &stack, &orgs).await);
    report.extend(backlog::look(&aws, &stack).await);
    if args.vendors {
        called(&aws, &stack, &stored, &mut report).await;
    } else {
        report.add("vendors", Outcome::Skipped("not asked for: --vendors".to_owned()));
    }
    report
}

async fn account(args: &Doctor, report: &mut Report) -> Option<(Aws, Stack)> {
    let aws = match args.target.aws().await {
        Ok(aws) => aws,
        Err(trouble) => {
            report.add("AWS region and credentials", told_by(&trouble));
            return None;
        }
    };
    report.add("AWS region and credentials", Outcome::Ok);
    match Stack::find(&aws, &args.target.stack).await {
        Ok(stack) => {
            let outcome = stack.incomplete().map_or(Outcome::Ok, |why| Outcome::failed(why.clone(), why));
            report.add(format!("stack {}", stack.name), outcome);
            Some((aws, stack))
        }
        Err(trouble) => {
            report.add(format!("stack {}", args.target.stack), told_by(&trouble));
            None
        }
    }
}

/// What the stack was told: settings and secrets.
async fn told(aws: &Aws, stack: &Stack, report: &mut Report) -> Option<(Stored, Store)> {
    let read = async {
        let store = Store::of(aws, stack)?;
        Ok::<_, Trouble>((store.read(BTreeSet::new()).await?, store))
    };
    match read.await {
        Ok((stored, store)) => {
            report.extend(settings::judge(&stored));
            Some((stored, store))
        }
        Err(trouble) => {
            report.add("settings and secrets", told_by(&trouble));
            None
        }
    }
}

async fn file(config: &Config, store: &Store, stack: &Stack, report: &mut Report) {
    let outcome = match apply::missing(config, store, stack).await {
        Ok(0) => Outcome::Ok,
        Ok(changes) => Outcome::failed(
            format!("{} of the file not applied", terminal::count(changes, "change")),
            "switchboard apply with --dry-run shows them, without it writes them",
        ),
        Err(trouble) => told_by(&trouble),
    };
    report.add("the file", outcome);
}

async fn front_door(
    args: &Doctor,
    config: Option<&Config>,
    stack: &Stack,
    stored: &Stored,
    report: &mut Report,
) {
    let addresses = Addresses::of(stack, args.api_url.as_deref());
    let http = Http::new(Guard::new(crate::allows_insecure()));
    let (addresses, http) = match (addresses, http) {
        (Ok(addresses), Ok(http)) => (addresses, http),
        (Err(trouble), _) => return report.add("the line's addresses", told_by(&trouble)),
        (_, Err(error)) => {
            return report.add("HTTPS", Outcome::failed(error.to_string(), error.to_string()));
        }
    };
    let door = Door { http: &http, addresses: &addresses };
    report.extend(door.whatsapp(&one_of_each_app(stored)).await);
    report.extend([door.creatio().await]);
    for (id, org) in config.iter().flat_map(|config| &config.orgs) {
        if let Some(creatio) = &org.creatio {
            report.extend([door.creatio_token(id, &creatio.webhook_token).await]);
        }
    }
}

/// Numbers of one app have the same keys: one of them is enough.
fn one_of_each_app(stored: &Stored) -> Vec<(&str, &AppKeys)> {
    let mut apps: Vec<(&str, &AppKeys)> = Vec::new();
    for (number, keys) in &stored.vault.webhooks {
        let known = apps.iter().any(|(_, app)| {
            same(&app.app_secret, &keys.app_secret) && same(&app.verify_token, &keys.verify_token)
        });
        if !known {
            apps.push((number, keys));
        }
    }
    apps
}

async fn called(aws: &Aws, stack: &Stack, stored: &Stored, report: &mut Report) {
    let table = match stack.output("SettingsTableName") {
        Ok(name) => SettingsTable::new(aws.dynamodb(), name),
        Err(trouble) => return report.add("vendors", told_by(&trouble)),
    };
    let secrets = Secrets::new(aws.secrets(), &stack.name);
    let accounts = Arc::new(DeployedAccounts::new(Arc::new(table), Arc::new(secrets)));
    match Http::new(Guard::new(crate::allows_insecure())) {
        Ok(http) => report.extend(vendors::call(&http, accounts, stored).await),
        Err(error) => report.add("vendors", Outcome::failed(error.to_string(), error.to_string())),
    }
}

/// Trouble in whose words stands what to do.
fn told_by(trouble: &Trouble) -> Outcome {
    Outcome::failed(trouble.to_string(), trouble.to_string())
}
