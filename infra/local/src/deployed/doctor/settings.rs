//! Whether a stack was told enough to serve: organisations, lines, and each one's secrets.

use std::collections::BTreeSet;

use shared::OrgId;
use shared_aws::secrets::Name;
use shared_aws::settings::record::Entry;

use super::report::{Hop, Outcome};
use crate::deployed::apply::{Stored, Vault};
use crate::deployed::terminal::count;

/// What to do about all of it.
const APPLY: &str = "run switchboard apply with the configuration file";

/// The organisations that are configured.
pub fn orgs(entries: &[Entry]) -> Vec<OrgId> {
    let org = |entry: &Entry| matches!(entry, Entry::Org(..)).then(|| entry.org().clone());
    entries.iter().filter_map(org).collect()
}

/// Judges what is stored.
pub fn judge(stored: &Stored) -> Vec<Hop> {
    let mut hops = vec![settings(&stored.entries)];
    hops.push(webhooks(stored));
    for entry in &stored.entries {
        if let Entry::Org(org, record) = entry {
            hops.extend(access(org, stored));
            if record.creatio.is_some() {
                hops.push(there(Name::Creatio(org.clone()), stored.vault.creatio.contains_key(org), stored));
            }
            if record.model.is_some() {
                hops.push(there(Name::Model(org.clone()), stored.vault.models.contains_key(org), stored));
            }
        }
    }
    hops
}

fn settings(entries: &[Entry]) -> Hop {
    let orgs: BTreeSet<&OrgId> =
        entries.iter().filter(|entry| matches!(entry, Entry::Org(..))).map(Entry::org).collect();
    let lines: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry, Entry::Line(..))).collect();
    let orphan = lines.iter().find(|line| !orgs.contains(line.org()));
    let outcome = match (orgs.len(), lines.len(), orphan) {
        (0, ..) => Outcome::failed("no organisation is configured", APPLY),
        (_, 0, _) => Outcome::failed(
            "no line is configured: no customer's message is taken",
            "add a number to the configuration file, then run switchboard apply",
        ),
        (_, _, Some(line)) => {
            let why = format!("{} belongs to {}, which is not configured", line.key(), line.org());
            Outcome::failed(why, APPLY)
        }
        (_, _, None) => Outcome::Ok,
    };
    let (orgs, lines) = (count(orgs.len(), "organisation"), count(lines.len(), "line"));
    Hop { name: format!("settings ({orgs}, {lines})"), outcome }
}

/// Numbers of lines that this holds nothing for.
fn lacking(stored: &Stored, holds: impl Fn(&str, &OrgId, &Vault) -> bool) -> Vec<&str> {
    let lines = stored.entries.iter().filter_map(|entry| match entry {
        Entry::Line(line, record) => Some((line.address.as_str(), &record.org)),
        Entry::Org(..) | Entry::CreatioToken(..) => None,
    });
    lines.filter(|(number, org)| !holds(number, org, &stored.vault)).map(|(number, _)| number).collect()
}

fn webhooks(stored: &Stored) -> Hop {
    let lacking = lacking(stored, |number, _, vault| vault.webhooks.contains_key(number));
    let name = Name::WhatsappWebhooks;
    if stored.vault.webhooks.is_empty() {
        return there(name, false, stored);
    }
    covers(name, &lacking)
}

fn access(org: &OrgId, stored: &Stored) -> Option<Hop> {
    let own = stored.entries.iter().any(|entry| matches!(entry, Entry::Line(..)) && entry.org() == org);
    let name = Name::Whatsapp(org.clone());
    if own && !stored.vault.access.contains_key(org) {
        return Some(there(name, false, stored));
    }
    let lacking = lacking(stored, |number, of, vault| {
        of != org || vault.access.get(org).is_some_and(|tokens| tokens.access_tokens.contains_key(number))
    });
    own.then(|| covers(name, &lacking))
}

fn covers(name: Name, lacking: &[&str]) -> Hop {
    let outcome = match lacking {
        [] => Outcome::Ok,
        [..] => Outcome::failed(format!("it holds nothing for {}", lacking.join(", ")), APPLY),
    };
    Hop { name: format!("secret {name}"), outcome }
}

/// One that exists and was not read holds something else than it should.
fn there(name: Name, readable: bool, stored: &Stored) -> Hop {
    let outcome = match (readable, stored.names.contains(&name)) {
        (true, _) => Outcome::Ok,
        (false, true) => Outcome::failed("it does not hold what it should", APPLY),
        (false, false) => Outcome::failed("there is none", APPLY),
    };
    Hop { name: format!("secret {name}"), outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployed::apply::tests::applied;
    use crate::deployed::doctor::report::Report;

    const WHOLE: &str = include_str!("../../config/whole.toml");

    fn failed(stored: &Stored) -> Option<String> {
        let mut report = Report::default();
        report.extend(judge(stored));
        report.first_failed().map(|hop| format!("{}: {:?}", hop.name, hop.outcome))
    }

    #[test]
    fn what_apply_wrote_is_enough() {
        assert_eq!(failed(&applied(WHOLE)), None);
        assert_eq!(orgs(&applied(WHOLE).entries), [OrgId::new("acme").unwrap()]);
    }

    #[test]
    fn each_missing_part_is_named() {
        let acme = OrgId::new("acme").unwrap();
        let without = |spoil: &dyn Fn(&mut Stored)| {
            let mut stored = applied(WHOLE);
            spoil(&mut stored);
            failed(&stored).unwrap()
        };
        assert!(failed(&Stored::default()).unwrap().contains("no organisation is configured"));
        let no_lines = without(&|s| s.entries.retain(|entry| !matches!(entry, Entry::Line(..))));
        assert!(no_lines.contains("no line is configured"), "{no_lines}");
        let orphan = without(&|s| {
            let other = applied(&WHOLE.replace("orgs.acme", "orgs.other").replace("000011", "000022"));
            s.entries.extend(other.entries.into_iter().filter(|entry| matches!(entry, Entry::Line(..))));
        });
        assert!(orphan.contains("belongs to other, which is not configured"), "{orphan}");
        let webhooks = without(&|s| s.vault.webhooks.clear());
        assert!(webhooks.starts_with("secret whatsapp-webhooks: ") && webhooks.contains("does not hold"));
        let tokens = without(&|s| s.vault.access.get_mut(&acme).unwrap().access_tokens.clear());
        assert!(
            tokens.starts_with("secret acme/whatsapp: ") && tokens.contains("880200000000011"),
            "{tokens}"
        );
        let model = without(&|s| {
            s.vault.models.clear();
            s.names.remove(&Name::Model(acme.clone()));
        });
        assert!(model.starts_with("secret acme/model: ") && model.contains("there is none"), "{model}");
        let creatio = without(&|s| s.vault.creatio.clear());
        assert!(creatio.starts_with("secret acme/creatio: "), "{creatio}");
    }
}
