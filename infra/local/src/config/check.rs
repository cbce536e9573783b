//! What a well-formed `switchboard.toml` may still get wrong: ids, addresses, numbers, and secrets that are empty.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use shared::OrgId;
use shared_vendors::guard::Guard;

use super::{Config, CreatioConfig, ModelConfig, OrgConfig, WhatsAppConfig};

/// Checks what the parser cannot. The error names the key and says what to write instead.
pub fn check(config: &Config, allow_insecure: bool) -> Result<(), String> {
    if config.orgs.is_empty() {
        return Err("no organisation: add a section such as [orgs.acme]".to_owned());
    }
    let guard = Guard::new(allow_insecure);
    let mut numbers = BTreeMap::new();
    let mut tokens = BTreeMap::new();
    for (id, org) in &config.orgs {
        OrgId::new(id).map_err(|error| format!("[orgs.{id}]: {error}"))?;
        check_org(id, org, &guard)?;
        for line in &org.whatsapp {
            once(&mut numbers, &line.phone_number_id, id, "phone_number_id")?;
        }
        if let Some(creatio) = &org.creatio {
            once(&mut tokens, creatio.webhook_token.expose_secret(), id, "creatio.webhook_token")?;
        }
    }
    Ok(())
}

/// One number and one webhook token belong to one organisation, or messages could reach another tenant.
fn once(seen: &mut BTreeMap<String, String>, value: &str, org: &str, key: &str) -> Result<(), String> {
    match seen.insert(value.to_owned(), org.to_owned()) {
        None => Ok(()),
        Some(other) => {
            Err(format!("orgs.{org}: {key} is used twice (also in orgs.{other}); each belongs to one place"))
        }
    }
}

fn check_org(id: &str, org: &OrgConfig, guard: &Guard) -> Result<(), String> {
    let key = |name: &str| format!("orgs.{id}.{name}");
    if !(0.0..=600.0).contains(&org.debounce_seconds) {
        return Err(format!("{}: give seconds from 0 to 600", key("debounce_seconds")));
    }
    for line in &org.whatsapp {
        check_line(&key("whatsapp"), line)?;
    }
    if let Some(creatio) = &org.creatio {
        check_creatio(&key("creatio"), creatio, guard)?;
    }
    org.model.as_ref().map_or(Ok(()), |model| check_model(&key("model"), model, guard))
}

fn check_line(key: &str, line: &WhatsAppConfig) -> Result<(), String> {
    let digits =
        |text: &str| !text.is_empty() && text.len() <= 40 && text.chars().all(|c| c.is_ascii_digit());
    if !digits(&line.phone_number_id) {
        return Err(format!(
            "{key}.phone_number_id: give Meta's id of the number, digits only (not the number itself)"
        ));
    }
    if !(line.auto_resolve_hours > 0.0 && line.auto_resolve_hours <= 8760.0) {
        return Err(format!("{key}.auto_resolve_hours: give hours above 0, at most 8760"));
    }
    for (name, secret) in [
        ("access_token", &line.access_token),
        ("app_secret", &line.app_secret),
        ("verify_token", &line.verify_token),
    ] {
        filled(key, name, secret)?;
    }
    Ok(())
}

fn check_creatio(key: &str, creatio: &CreatioConfig, guard: &Guard) -> Result<(), String> {
    address(key, "instance_url", &creatio.instance_url, guard)?;
    if let Some(url) = &creatio.identity_url {
        address(key, "identity_url", url, guard)?;
    }
    filled(key, "client_secret", &creatio.client_secret)?;
    filled(key, "webhook_token", &creatio.webhook_token)
}

fn check_model(key: &str, model: &ModelConfig, guard: &Guard) -> Result<(), String> {
    address(key, "base_url", &model.base_url, guard)
}

fn address(key: &str, name: &str, url: &str, guard: &Guard) -> Result<(), String> {
    guard.check(url).map(|_| ()).map_err(|refused| format!("{key}.{name}: {refused}{}", way_out(url)))
}

/// What somebody needs to know who means a stand-in on their own machine.
fn way_out(url: &str) -> &'static str {
    match Guard::new(true).check(url) {
        Ok(_) => " (for a stand-in on this machine, set SWITCHBOARD_ALLOW_INSECURE=1)",
        Err(_) => "",
    }
}

fn filled(key: &str, name: &str, secret: &SecretString) -> Result<(), String> {
    if secret.expose_secret().trim().is_empty() {
        return Err(format!("{key}.{name}: is empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const WHOLE: &str = include_str!("whole.toml");

    fn refused(from: &str, to: &str) -> String {
        assert!(WHOLE.contains(from), "{from}");
        check(&parse(&WHOLE.replace(from, to)).unwrap(), true).unwrap_err()
    }

    #[test]
    fn each_wrong_value_is_named() {
        assert!(refused("orgs.acme", "orgs.Acme").contains("[orgs.Acme]"));
        assert!(refused("\"880200000000011\"", "\"+1202\"").contains("phone_number_id"));
        assert!(refused("auto_resolve_hours = 12", "auto_resolve_hours = 0").contains("auto_resolve_hours"));
        assert!(refused("\"example-app-secret\"", "\"\"").contains("app_secret: is empty"));
        assert!(refused("https://acme.creatio.com", "https://10.0.0.1").contains("instance_url"));
    }

    #[test]
    fn plain_http_needs_the_switch() {
        let config = parse(WHOLE).unwrap();
        let said = check(&config, false).unwrap_err();
        assert!(
            said.contains("orgs.acme.model.base_url") && said.contains("SWITCHBOARD_ALLOW_INSECURE"),
            "{said}"
        );
        assert_eq!(check(&config, true), Ok(()));
    }

    #[test]
    fn one_number_belongs_to_one_organisation() {
        let second =
            WHOLE.replace("orgs.acme", "orgs.other").replace("example-webhook-token", "another-token");
        let both = parse(&format!("{WHOLE}\n{second}")).unwrap();
        assert!(check(&both, true).unwrap_err().contains("phone_number_id is used twice"));
    }
}
