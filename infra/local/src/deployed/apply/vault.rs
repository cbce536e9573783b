//! Comparing secrets without showing any: each field is `set`, `changed`, `unchanged` or `removed`, and nothing more.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use shared::OrgId;
use shared_aws::secrets::Name;

use super::wanted::{Vault, same};

/// The fields of one secret, by name.
type Words<'a> = BTreeMap<String, &'a SecretString>;

/// What the vault is to hold: what the file says and, unless it is pruned, what is stored of numbers that the file does
/// not have. Organisations that the file does not have keep their own secrets untouched.
#[must_use]
pub fn kept(
    wanted: &Vault,
    stored: &Vault,
    numbers: &BTreeSet<&str>,
    prune: bool,
    orgs: &BTreeSet<OrgId>,
) -> Vault {
    let mut vault = wanted.clone();
    if prune {
        return vault;
    }
    let surplus = |number: &&String| !numbers.contains(number.as_str());
    for (number, keys) in stored.webhooks.iter().filter(|(number, _)| surplus(number)) {
        vault.webhooks.insert(number.clone(), keys.clone());
    }
    for (org, tokens) in &stored.access {
        let in_file = orgs.contains(org);
        for (number, token) in &tokens.access_tokens {
            // Also a number that moved to another organisation is no surplus here: that one has its token.
            if surplus(&number) || !in_file {
                let own = vault.access.entry(org.clone()).or_default();
                own.access_tokens.insert(number.clone(), token.clone());
            }
        }
    }
    for (org, secret) in stored.creatio.iter().filter(|(org, _)| !orgs.contains(*org)) {
        vault.creatio.insert(org.clone(), secret.clone());
    }
    for (org, secret) in stored.models.iter().filter(|(org, _)| !orgs.contains(*org)) {
        vault.models.insert(org.clone(), secret.clone());
    }
    vault
}

/// The secrets that a vault is stored as.
#[must_use]
pub fn names(vault: &Vault) -> BTreeSet<Name> {
    secrets(vault).into_keys().collect()
}

/// The secrets whose content differs, each with a line a field.
#[must_use]
pub fn changes(to: &Vault, from: &Vault) -> BTreeMap<Name, Vec<String>> {
    let (to, from) = (secrets(to), secrets(from));
    let nothing = Words::new();
    let lines = |(name, after): (&Name, &Words<'_>)| {
        let known = from.get(name);
        let before = known.unwrap_or(&nothing);
        (known.is_none() || differs(before, after)).then(|| (name.clone(), compared(before, after)))
    };
    to.iter().filter_map(lines).collect()
}

fn differs(before: &Words<'_>, after: &Words<'_>) -> bool {
    before.len() != after.len()
        || after.iter().any(|(name, word)| before.get(name).is_none_or(|old| !same(old, word)))
}

fn compared(before: &Words<'_>, after: &Words<'_>) -> Vec<String> {
    let there = after.iter().map(|(name, word)| match before.get(name) {
        None => format!("+ {name}: set"),
        Some(old) if same(old, word) => format!("  {name}: unchanged"),
        Some(_) => format!("~ {name}: changed"),
    });
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    there.chain(gone.map(|name| format!("- {name}: removed"))).collect()
}

/// Every field of every secret. A secret without fields is not stored.
fn secrets(vault: &Vault) -> BTreeMap<Name, Words<'_>> {
    let mut all: BTreeMap<Name, Words<'_>> = BTreeMap::new();
    for (number, keys) in &vault.webhooks {
        let words = all.entry(Name::WhatsappWebhooks).or_default();
        words.insert(format!("{number}.app_secret"), &keys.app_secret);
        words.insert(format!("{number}.verify_token"), &keys.verify_token);
    }
    for (org, tokens) in &vault.access {
        for (number, token) in &tokens.access_tokens {
            let words = all.entry(Name::Whatsapp(org.clone())).or_default();
            words.insert(format!("{number}.access_token"), token);
        }
    }
    for (org, secret) in &vault.creatio {
        let word = ("client_secret".to_owned(), &secret.client_secret);
        all.insert(Name::Creatio(org.clone()), [word].into());
    }
    for (org, secret) in &vault.models {
        all.insert(Name::Model(org.clone()), [("api_key".to_owned(), &secret.api_key)].into());
    }
    all
}
