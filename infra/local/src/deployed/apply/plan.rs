//! What applying a file changes: every write in its order, and the words that an operator reads before.
//!
//! The order keeps a run that breaks off harmless. An organisation's secrets come first, then its record, its tokens,
//! its lines: no line ever names an organisation that is not there. What proves webhooks comes last: until then Meta's
//! webhooks for a new number are refused and repeated, instead of taken for a line that nobody knows yet. Removal goes
//! the other way.

use std::collections::{BTreeMap, BTreeSet};

use shared::channel::LineKey;
use shared::{OrgId, Timestamp};
use shared_aws::secrets::{AccessTokens, CreatioSecret, ModelSecret, Name, WebhookSecrets};
use shared_aws::settings::record::{Entry, Key, LineRecord, OrgRecord, token_changes};

use super::fields::{self, Fields};
use super::vault;
use super::wanted::{Vault, Wanted, webhook_secrets};
use crate::deployed::trouble::Trouble;

/// What stands in the stack now.
#[derive(Debug, Default)]
pub struct Stored {
    /// The settings.
    pub entries: Vec<Entry>,
    /// The secrets that can be read.
    pub vault: Vault,
    /// All secrets that exist.
    pub names: BTreeSet<Name>,
}

/// One write. Doing it twice is doing it once.
#[derive(Debug)]
pub enum Act {
    /// Write a secret.
    PutSecret(Name, Content),
    /// Write a record.
    Put(Box<Entry>),
    /// Remove a record.
    Remove(Key),
    /// Remove a secret.
    RemoveSecret(Name),
}

/// The content of a secret.
#[derive(Debug)]
pub enum Content {
    /// What proves webhooks.
    Webhooks(WebhookSecrets),
    /// Tokens that send.
    Access(AccessTokens),
    /// A Creatio client secret.
    Creatio(CreatioSecret),
    /// A model's key.
    Model(ModelSecret),
}

/// Something that changes, in words.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub title: String,
    /// One line a field.
    pub lines: Vec<String>,
}

/// The whole of what applying a file does.
#[derive(Debug, Default)]
pub struct Plan {
    /// The writes, in order.
    pub acts: Vec<Act>,
    /// The same for people. No secret is in it, nor anything made of one.
    pub shown: Vec<Block>,
    /// What is stored, is not in the file, and stays.
    pub kept: Vec<String>,
    /// The secrets that hold what they should.
    pub settled: Vec<(Name, Content)>,
}

impl Plan {
    /// Compares. With `prune`, what the file does not have is removed instead of kept.
    pub fn new(wanted: &Wanted, stored: &Stored, prune: bool, now: Timestamp) -> Result<Self, Trouble> {
        let old = Old::new(wanted, stored);
        old.refuse_foreign_tokens(wanted, prune)?;
        let mut plan = Self::default();
        let numbers = wanted.lines.keys().map(|line| line.address.as_str()).collect();
        let vault = vault::kept(&wanted.vault, &stored.vault, &numbers, prune, &old.orgs_of_file);
        let mut changes = vault::changes(&vault, &stored.vault);
        let mut contents = contents(&vault);
        let webhooks = contents.remove(&Name::WhatsappWebhooks);
        for (name, content) in contents {
            plan.put_secret(&mut changes, name, content);
        }
        plan.orgs(wanted, &old);
        plan.tokens(wanted, stored, now);
        plan.lines(wanted, &old);
        if let Some(webhooks) = webhooks {
            plan.put_secret(&mut changes, Name::WhatsappWebhooks, webhooks);
        }
        plan.surplus(&old, &vault, stored, prune);
        Ok(plan)
    }

    /// Whether everything stands as the file asks for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    /// Writes a secret that holds the right words but cannot stay as it is.
    pub fn rewrite(&mut self, name: Name, content: Content) {
        let why =
            "~ written anew: it stands under another key than the stack's, or in another form".to_owned();
        self.shown.push(Block { title: format!("secret {name}"), lines: vec![why] });
        // Before all else: it is needed by what stands already.
        self.acts.insert(0, Act::PutSecret(name, content));
    }

    fn put_secret(&mut self, changes: &mut BTreeMap<Name, Vec<String>>, name: Name, content: Content) {
        match changes.remove(&name) {
            Some(lines) => {
                self.shown.push(Block { title: format!("secret {name}"), lines });
                self.acts.push(Act::PutSecret(name, content));
            }
            None => self.settled.push((name, content)),
        }
    }

    fn orgs(&mut self, wanted: &Wanted, old: &Old<'_>) {
        for (id, record) in &wanted.orgs {
            let before = old.orgs.get(id).map(|record| fields::org(record));
            self.put(format!("organisation {id}"), before, &fields::org(record), || {
                Entry::Org(id.clone(), record.clone())
            });
        }
    }

    fn lines(&mut self, wanted: &Wanted, old: &Old<'_>) {
        for (line, record) in &wanted.lines {
            let before = old.lines.get(line).map(|record| fields::line(record));
            self.put(format!("line {line}"), before, &fields::line(record), || {
                Entry::Line(line.clone(), record.clone())
            });
        }
    }

    fn put(&mut self, title: String, before: Option<Fields>, after: &Fields, entry: impl Fn() -> Entry) {
        let known = before.is_some();
        let differences = fields::differences(&before.unwrap_or_default(), after);
        if !differences.is_empty() {
            let title = if known { title } else { format!("{title} (new)") };
            let lines = differences.iter().map(ToString::to_string).collect();
            self.shown.push(Block { title, lines });
            self.acts.push(Act::Put(Box::new(entry())));
        }
    }

    fn tokens(&mut self, wanted: &Wanted, stored: &Stored, now: Timestamp) {
        let taken: BTreeSet<[u8; 32]> = wanted.tokens.values().copied().flatten().collect();
        for (org, token) in &wanted.tokens {
            let mut changes = token_changes(&stored.entries, org, *token, now);
            // A token that moves to another organisation of the file does not end: it is that one's now.
            changes.retain(|entry| match entry {
                Entry::CreatioToken(digest, _) => Some(*digest) == *token || !taken.contains(digest),
                Entry::Org(..) | Entry::Line(..) => false,
            });
            let lines = token_lines(&changes, *token);
            if !lines.is_empty() {
                self.shown.push(Block { title: format!("webhook token of {org}"), lines });
                self.acts.extend(changes.into_iter().map(Box::new).map(Act::Put));
            }
        }
    }

    /// What the file does not have: lines first, then what they need.
    fn surplus(&mut self, old: &Old<'_>, vault: &Vault, stored: &Stored, prune: bool) {
        let lines = old.surplus_lines.iter().map(|line| (format!("line {line}"), Key::Line(line.clone())));
        let tokens = old.surplus_tokens.iter();
        let tokens =
            tokens.map(|(digest, org)| (format!("webhook token of {org}"), Key::CreatioToken(*digest)));
        let orgs = old.surplus_orgs.iter().map(|org| (format!("organisation {org}"), Key::Org(org.clone())));
        for (title, key) in lines.chain(tokens).chain(orgs) {
            self.remove_or_keep(title, Act::Remove(key), prune);
        }
        let needed = vault::names(vault);
        for name in stored.names.iter().filter(|name| !needed.contains(name)) {
            self.remove_or_keep(format!("secret {name}"), Act::RemoveSecret(name.clone()), prune);
        }
    }

    fn remove_or_keep(&mut self, title: String, act: Act, prune: bool) {
        if prune {
            self.shown.push(Block { title, lines: vec!["- removed: it is not in the file".to_owned()] });
            self.acts.push(act);
        } else {
            self.kept.push(title);
        }
    }
}

/// The secrets that a vault is stored as.
fn contents(vault: &Vault) -> BTreeMap<Name, Content> {
    let mut all = BTreeMap::new();
    if !vault.webhooks.is_empty() {
        all.insert(Name::WhatsappWebhooks, Content::Webhooks(webhook_secrets(&vault.webhooks)));
    }
    let access = vault.access.iter().filter(|(_, tokens)| !tokens.access_tokens.is_empty());
    all.extend(access.map(|(org, it)| (Name::Whatsapp(org.clone()), Content::Access(it.clone()))));
    let creatio = vault.creatio.iter();
    all.extend(creatio.map(|(org, it)| (Name::Creatio(org.clone()), Content::Creatio(it.clone()))));
    let models = vault.models.iter();
    all.extend(models.map(|(org, it)| (Name::Model(org.clone()), Content::Model(it.clone()))));
    all
}

/// What becomes of an organisation's tokens; neither a token nor its digest is told.
fn token_lines(changes: &[Entry], wanted: Option<[u8; 32]>) -> Vec<String> {
    let ends: Vec<String> = changes.iter().filter_map(end).collect();
    let set = changes.iter().any(|entry| matches!(entry, Entry::CreatioToken(d, _) if Some(*d) == wanted));
    let first = set.then(|| match ends.is_empty() {
        true => "+ creatio.webhook_token: set".to_owned(),
        false => "~ creatio.webhook_token: changed".to_owned(),
    });
    first.into_iter().chain(ends).collect()
}

fn end(entry: &Entry) -> Option<String> {
    let Entry::CreatioToken(_, token) = entry else { return None };
    let until = Timestamp::from_second(token.expires_at?).ok()?;
    Some(format!("- the one before stays valid until {until}"))
}

/// What is stored, by kind, and what of it the file does not have.
struct Old<'a> {
    orgs: BTreeMap<&'a OrgId, &'a OrgRecord>,
    lines: BTreeMap<&'a LineKey, &'a LineRecord>,
    tokens: BTreeMap<[u8; 32], &'a OrgId>,
    orgs_of_file: BTreeSet<OrgId>,
    surplus_orgs: Vec<OrgId>,
    surplus_lines: Vec<LineKey>,
    surplus_tokens: Vec<([u8; 32], OrgId)>,
}

impl<'a> Old<'a> {
    fn new(wanted: &Wanted, stored: &'a Stored) -> Self {
        let mut old = Self {
            orgs: BTreeMap::new(),
            lines: BTreeMap::new(),
            tokens: BTreeMap::new(),
            orgs_of_file: wanted.orgs.keys().cloned().collect(),
            surplus_orgs: Vec::new(),
            surplus_lines: Vec::new(),
            surplus_tokens: Vec::new(),
        };
        for entry in &stored.entries {
            match entry {
                Entry::Org(org, record) => drop(old.orgs.insert(org, record)),
                Entry::Line(line, record) => drop(old.lines.insert(line, record)),
                Entry::CreatioToken(digest, token) => drop(old.tokens.insert(*digest, &token.org)),
            }
        }
        let in_file = |org: &OrgId| wanted.orgs.contains_key(org);
        let taken: BTreeSet<[u8; 32]> = wanted.tokens.values().copied().flatten().collect();
        old.surplus_orgs = old.orgs.keys().filter(|org| !in_file(org)).map(|org| (*org).clone()).collect();
        let lines = old.lines.keys().filter(|line| !wanted.lines.contains_key(line));
        old.surplus_lines = lines.map(|line| (*line).clone()).collect();
        let tokens = old.tokens.iter().filter(|(digest, org)| !in_file(org) && !taken.contains(*digest));
        old.surplus_tokens = tokens.map(|(digest, org)| (*digest, (*org).clone())).collect();
        old
    }

    /// A token that lets in an organisation which stays although the file does not have it must stay that one's.
    fn refuse_foreign_tokens(&self, wanted: &Wanted, prune: bool) -> Result<(), Trouble> {
        for (org, token) in &wanted.tokens {
            let owner = token.and_then(|token| self.tokens.get(&token));
            if let Some(owner) = owner.filter(|owner| !prune && !self.orgs_of_file.contains(**owner)) {
                return Err(Trouble(format!(
                    "orgs.{org}.creatio.webhook_token is already that of {owner}, which is stored and not in this file: \
                     choose another, or remove {owner} with --prune"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
pub mod tests;
