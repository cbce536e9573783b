//! What a line says when it is ready: where it is, what is real and what is played, what to do first.

use std::path::Path;

use crate::config::Config;
use crate::sandboxes::Played;

/// Prints the lines that a newcomer needs.
#[expect(clippy::print_stdout, reason = "this is the command's answer to the person who started it")]
pub fn ready(config: &Config, played: Played, here: &str, folder: &Path) {
    println!("{}", words(config, played, here, folder));
}

fn words(config: &Config, played: Played, here: &str, folder: &Path) -> String {
    let part = |is_played: bool, real: &str| if is_played { "sandbox".to_owned() } else { real.to_owned() };
    let graph = std::env::var("SWITCHBOARD_WHATSAPP_URL").unwrap_or_else(|_| "graph.facebook.com".to_owned());
    let mut lines = vec![
        format!("Switchboard is ready: {here}"),
        format!("  organisations  {}", config.orgs.keys().cloned().collect::<Vec<_>>().join(", ")),
        format!("  numbers        {}", numbers(config)),
        format!("  WhatsApp       {}", part(played.whatsapp, &graph)),
        format!("  Creatio        {}", part(played.creatio, "as configured")),
        format!("  model          {}", part(played.model, "as configured")),
        format!("  data           {}", folder.display()),
    ];
    if !played.whatsapp {
        lines.push(format!(
            "  webhooks       {here}/webhooks/whatsapp and {here}/webhooks/creatio/<webhook_token>"
        ));
    }
    if played.any() {
        lines.push(format!("Open {here} and write as the customer; write \"human\" to be handed off."));
    }
    lines.push("Stop with Ctrl-C; everything is kept.".to_owned());
    lines.join("\n")
}

/// The numbers as people read them, and whether the assistant answers there.
fn numbers(config: &Config) -> String {
    let lines = config.orgs.values().flat_map(|org| &org.whatsapp);
    let shown = lines.map(|line| {
        let name = if line.display_number.is_empty() { &line.phone_number_id } else { &line.display_number };
        format!("{name}{}", if line.ai_enabled { "" } else { " (assistant off)" })
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandboxes;

    #[test]
    fn no_secret_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = crate::secrets::LocalSecrets::of(folder.path()).unwrap();
        let mut config = sandboxes::demo();
        let played = sandboxes::fill(&mut config, &secrets, "http://127.0.0.1:8080");
        let shown = words(&config, played, "http://127.0.0.1:8080", folder.path());
        assert!(shown.contains("http://127.0.0.1:8080") && shown.contains("sandbox"));
        for secret in [&secrets.admin_token, &secrets.webhook_token, &secrets.app_secret] {
            assert!(!shown.contains(secret.as_str()));
        }
    }
}
