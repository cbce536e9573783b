//! `switchboard outputs`: the addresses to paste into Meta and Creatio, and the names that support asks for.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::addresses::Addresses;
use super::stack::Stack;
use super::trouble::Trouble;
use super::{Target, terminal};
use crate::config::{self, Config};

/// Show the addresses of a deployed stack that go into Meta and Creatio, and the names of its parts.
#[derive(Debug, Args)]
pub struct Outputs {
    #[command(flatten)]
    target: Target,
    /// The configuration: names the keys whose values belong beside the addresses.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Print Creatio's addresses whole, with their tokens. Whoever sees them can wake the line.
    #[arg(long, requires = "config")]
    reveal: bool,
    /// The address that stands before the API, such as a custom domain.
    #[arg(long, value_name = "URL")]
    api_url: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: Outputs) -> ExitCode {
    terminal::finish(outputs(&args).await)
}

async fn outputs(args: &Outputs) -> Result<(), Trouble> {
    let config = args.config.as_deref().map(|path| config::load(path, crate::allows_insecure()));
    let config = config.transpose().map_err(|bad| Trouble(bad.0))?;
    let (aws, stack) = args.target.find().await?;
    let addresses = Addresses::of(&stack, args.api_url.as_deref())?;
    let shown = Shown::new(&addresses, config.as_ref(), args.reveal)?;
    terminal::say(&if args.json {
        shown.json(&stack, aws.region())
    } else {
        shown.words(&stack, aws.region())
    });
    Ok(())
}

/// What is pasted where.
#[derive(Debug)]
struct Shown {
    callback: String,
    /// Where each number's verify token stands in the file.
    verify: Vec<String>,
    /// By organisation.
    creatio: Vec<(String, String)>,
}

impl Shown {
    fn new(addresses: &Addresses, config: Option<&Config>, reveal: bool) -> Result<Self, Trouble> {
        let mut shown =
            Self { callback: addresses.whatsapp.clone(), verify: Vec::new(), creatio: Vec::new() };
        let Some(config) = config else {
            shown.verify.push("orgs.<org>.whatsapp.verify_token".to_owned());
            let address = format!("{}/<orgs.<org>.creatio.webhook_token>", addresses.creatio);
            shown.creatio.push(("<org>".to_owned(), address));
            return Ok(shown);
        };
        for (id, org) in &config.orgs {
            let number =
                |id: &str, number: &str| format!("orgs.{id}.whatsapp.verify_token of number {number}");
            shown.verify.extend(org.whatsapp.iter().map(|line| number(id, &line.phone_number_id)));
            let Some(creatio) = &org.creatio else { continue };
            let address = match reveal {
                true => addresses.creatio_with(&creatio.webhook_token)?.expose_secret().to_owned(),
                false => format!("{}/<orgs.{id}.creatio.webhook_token>", addresses.creatio),
            };
            shown.creatio.push((id.clone(), address));
        }
        Ok(shown)
    }

    fn words(&self, stack: &Stack, region: &str) -> String {
        let mut lines = vec![format!("{} in {region}, {}", stack.name, stack.status), String::new()];
        lines.push("Meta: the app's dashboard, WhatsApp, Configuration, Webhook".to_owned());
        lines.push(format!("  callback URL   {}", self.callback));
        lines.extend(self.verify.iter().map(|key| format!("  verify token   the value of {key}")));
        lines.push(String::new());
        lines.push("Creatio: the web service that the business processes call".to_owned());
        lines.extend(self.creatio.iter().map(|(org, address)| format!("  {org:14} {address}")));
        lines.push(String::new());
        lines.push("For support".to_owned());
        let wide = stack.outputs().keys().map(String::len).max().unwrap_or(0);
        lines.extend(stack.outputs().iter().map(|(name, value)| format!("  {name:wide$}  {value}")));
        lines.join("\n")
    }

    fn json(&self, stack: &Stack, region: &str) -> String {
        let creatio: Vec<Value> =
            self.creatio.iter().map(|(org, url)| json!({ "org": org, "webhook_url": url })).collect();
        let all = json!({
            "stack": stack.name,
            "region": region,
            "status": stack.status,
            "meta": { "callback_url": self.callback, "verify_token_keys": self.verify },
            "creatio": creatio,
            "outputs": stack.outputs(),
        });
        format!("{all:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed::addresses::tests::OUTPUTS;
    use crate::deployed::stack::tests::stack;

    const WHOLE: &str = include_str!("../config/whole.toml");

    fn both(config: Option<&str>, reveal: bool) -> [String; 2] {
        let config = config.map(|text| config::parse(text).unwrap());
        let stack = stack(&OUTPUTS);
        let addresses = Addresses::of(&stack, None).unwrap();
        let shown = Shown::new(&addresses, config.as_ref(), reveal).unwrap();
        [shown.words(&stack, "eu-central-1"), shown.json(&stack, "eu-central-1")]
    }

    #[test]
    fn what_is_pasted_where_is_told() {
        for text in both(Some(WHOLE), false) {
            assert!(text.contains("https://api.example/webhooks/whatsapp"), "{text}");
            assert!(text.contains("orgs.acme.whatsapp.verify_token of number 880200000000011"), "{text}");
            let address = "https://api.example/webhooks/creatio/<orgs.acme.creatio.webhook_token>";
            assert!(text.contains(address), "{text}");
        }
    }

    #[test]
    fn only_reveal_shows_a_secret_and_only_the_one_in_the_address() {
        for text in both(Some(WHOLE), false).into_iter().chain(both(None, true)) {
            assert!(!text.contains("example-"), "{text}");
        }
        for text in both(Some(WHOLE), true) {
            assert!(text.contains("https://api.example/webhooks/creatio/example-webhook-token"), "{text}");
            for secret in ["example-verify-token", "example-app-secret", "example-client-secret"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }

    #[test]
    fn the_json_is_json() {
        let [_, text] = both(None, false);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["meta"]["callback_url"], "https://api.example/webhooks/whatsapp");
        assert_eq!(value["outputs"]["ApiUrl"], "https://api.example");
    }
}
