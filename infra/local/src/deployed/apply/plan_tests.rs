//! Plans from real files against stored state: what they write, in which order, and that no secret is ever told.

use shared_aws::settings::record::TokenRecord;

use super::super::wanted::webhook_keys;
use super::*;
use crate::config;

const WHOLE: &str = include_str!("../../config/whole.toml");
const SECRETS: [&str; 6] = [
    "example-access-token",
    "example-app-secret",
    "example-verify-token",
    "example-client-secret",
    "example-webhook-token",
    "example-key",
];

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_794_819_600 + hours * 3600).unwrap()
}

fn wanted(text: &str) -> Wanted {
    Wanted::new(&config::parse(text).unwrap(), "https://api.example").unwrap()
}

/// A second organisation beside the documented one.
fn two() -> String {
    let other = WHOLE.replace("orgs.acme", "orgs.other").replace("example-", "second-");
    format!("{WHOLE}\n{}", other.replace("880200000000011", "880200000000022"))
}

fn plan(text: &str, stored: &Stored, prune: bool) -> Plan {
    Plan::new(&wanted(text), stored, prune, at(0)).unwrap()
}

/// Does to the stored state what the act does to the stack.
fn act(stored: &mut Stored, act: &Act) {
    match act {
        Act::Put(entry) => {
            stored.entries.retain(|old| old.key() != entry.key());
            stored.entries.push(Entry::clone(entry));
        }
        Act::Remove(key) => stored.entries.retain(|old| old.key() != *key),
        Act::PutSecret(name, content) => {
            stored.names.insert(name.clone());
            put(&mut stored.vault, name, content);
        }
        Act::RemoveSecret(name) => {
            stored.names.remove(name);
            match name {
                Name::WhatsappWebhooks => stored.vault.webhooks.clear(),
                Name::Whatsapp(org) => drop(stored.vault.access.remove(org)),
                Name::Creatio(org) => drop(stored.vault.creatio.remove(org)),
                Name::Model(org) => drop(stored.vault.models.remove(org)),
            }
        }
    }
}

fn put(vault: &mut Vault, name: &Name, content: &Content) {
    let org = name.org().cloned();
    match (content, org) {
        (Content::Webhooks(secrets), None) => vault.webhooks = webhook_keys(secrets),
        (Content::Access(tokens), Some(org)) => drop(vault.access.insert(org, tokens.clone())),
        (Content::Creatio(secret), Some(org)) => drop(vault.creatio.insert(org, secret.clone())),
        (Content::Model(secret), Some(org)) => drop(vault.models.insert(org, secret.clone())),
        (content, org) => panic!("{content:?} of {org:?}"),
    }
}

/// What a stack holds after a first run with this file.
pub fn applied(text: &str) -> Stored {
    let mut stored = Stored::default();
    for one in &plan(text, &stored, false).acts {
        act(&mut stored, one);
    }
    stored
}

fn told(plan: &Plan) -> String {
    let blocks = plan.shown.iter().map(|block| format!("{}: {}", block.title, block.lines.join(" | ")));
    blocks.chain(plan.kept.clone()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_second_run_changes_nothing() {
    for text in [WHOLE.to_owned(), two()] {
        let stored = applied(&text);
        let again = plan(&text, &stored, true);
        assert!(again.is_empty() && again.shown.is_empty() && again.kept.is_empty(), "{}", told(&again));
        assert_eq!(again.settled.len(), stored.names.len(), "each secret's key is looked at");
    }
}

#[test]
fn the_first_run_writes_an_organisation_before_what_names_it_and_opens_the_door_last() {
    let plan = plan(WHOLE, &Stored::default(), false);
    let order: Vec<String> = plan
        .acts
        .iter()
        .map(|act| match act {
            Act::PutSecret(name, _) => format!("secret {name}"),
            Act::Put(entry) if matches!(**entry, Entry::CreatioToken(..)) => "token".to_owned(),
            Act::Put(entry) => entry.key().to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        order,
        [
            "secret acme/whatsapp",
            "secret acme/creatio",
            "secret acme/model",
            "ORG#acme",
            "token",
            "LINE#whatsapp:880200000000011",
            "secret whatsapp-webhooks",
        ]
    );
}

#[test]
fn wherever_a_run_breaks_off_no_line_is_without_its_organisation_and_the_next_run_completes_it() {
    let moves = [(String::new(), two()), (two(), WHOLE.to_owned()), (WHOLE.to_owned(), two())];
    for (before, after) in moves {
        let start = || if before.is_empty() { Stored::default() } else { applied(&before) };
        let whole = plan(&after, &start(), true);
        for broken_at in 0..=whole.acts.len() {
            let mut stored = start();
            for one in whole.acts.iter().take(broken_at) {
                act(&mut stored, one);
                no_line_is_orphaned(&stored);
            }
            for one in &plan(&after, &stored, true).acts {
                act(&mut stored, one);
                no_line_is_orphaned(&stored);
            }
            assert!(plan(&after, &stored, true).is_empty(), "after {broken_at} of {}", whole.acts.len());
        }
    }
}

fn no_line_is_orphaned(stored: &Stored) {
    let orgs: BTreeSet<&OrgId> =
        stored.entries.iter().filter(|e| matches!(e, Entry::Org(..))).map(Entry::org).collect();
    for entry in &stored.entries {
        if matches!(entry, Entry::Line(..)) {
            assert!(orgs.contains(entry.org()));
            assert!(stored.vault.access.contains_key(entry.org()));
        }
    }
    for number in stored.vault.webhooks.keys() {
        let line = Key::Line(LineKey::whatsapp(number));
        assert!(
            stored.entries.iter().any(|entry| entry.key() == line),
            "webhooks of nobody's line are taken"
        );
    }
}

#[test]
fn each_field_that_changes_is_one_line() {
    let text = WHOLE
        .replace("debounce_seconds = 3", "debounce_seconds = 5")
        .replace("auto_resolve_hours = 12", "auto_resolve_hours = 24")
        .replace("example-app-secret", "canary");
    let plan = plan(&text, &applied(WHOLE), false);
    assert_eq!(
        told(&plan),
        "organisation acme: ~ debounce_seconds = 3 → 5\n\
         line whatsapp:880200000000011: ~ auto_resolve_hours = 12 → 24\n\
         secret whatsapp-webhooks: ~ 880200000000011.app_secret: changed |   \
         880200000000011.verify_token: unchanged"
    );
    assert_eq!(plan.acts.len(), 3);
}

#[test]
fn no_secret_and_nothing_made_of_one_is_told() {
    let digest = |word: &str| {
        let digest = shared_vendors::creatio::webhook::token_digest(word);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let replaced = WHOLE.replace("example-", "canary-");
    let plans = [
        plan(WHOLE, &Stored::default(), false),
        plan(&replaced, &applied(WHOLE), false),
        plan(WHOLE, &applied(&replaced), true),
        plan("[orgs.x]\nname=\"X\"\nprofile=\"P\"\n", &applied(WHOLE), true),
        plan("[orgs.x]\nname=\"X\"\nprofile=\"P\"\n", &applied(WHOLE), false),
    ];
    for plan in plans {
        let everything = format!("{} {:?}", told(&plan), plan.shown);
        let debug = format!("{plan:?} {:?} {:?}", applied(WHOLE).vault, wanted(WHOLE));
        for secret in SECRETS.iter().flat_map(|s| [(*s).to_owned(), s.replace("example-", "canary-")]) {
            assert!(!everything.contains(&secret) && !debug.contains(&secret), "{secret}");
            let hash = digest(&secret);
            let parts = [hash.get(..8).unwrap(), hash.get(56..).unwrap()];
            assert!(!parts.iter().any(|part| everything.contains(part)), "the hash of {secret}");
        }
    }
}

#[test]
fn a_replaced_webhook_token_stays_valid_for_a_day() {
    let stored = applied(WHOLE);
    let changed = WHOLE.replace("example-webhook-token", "another-webhook-token");
    let plan = plan(&changed, &stored, false);
    let told = told(&plan);
    assert!(told.contains("~ creatio.webhook_token: changed"), "{told}");
    assert!(told.contains(&format!("stays valid until {}", at(24))), "{told}");
    let token = |act: &Act| match act {
        Act::Put(entry) => match entry.as_ref() {
            Entry::CreatioToken(_, token) => Some(token.clone()),
            Entry::Org(..) | Entry::Line(..) => None,
        },
        Act::PutSecret(..) | Act::Remove(_) | Act::RemoveSecret(_) => None,
    };
    let tokens: Vec<TokenRecord> = plan.acts.iter().filter_map(token).collect();
    let ends: Vec<Option<i64>> = tokens.iter().map(|token| token.expires_at).collect();
    assert_eq!(ends, [None, Some(at(24).as_second())]);
}

#[test]
fn a_token_that_moves_between_organisations_of_the_file_is_not_ended() {
    let (acme, other) = ("example-webhook-token", "second-webhook-token");
    for (from, to, new_owner) in [(acme, other, "other"), (other, acme, "acme")] {
        let moved =
            two().replace(from, "x-token").replace(to, from).replace("x-token", "third-webhook-token");
        let mut stored = applied(&two());
        for one in &plan(&moved, &stored, false).acts {
            act(&mut stored, one);
        }
        let digest = shared_vendors::creatio::webhook::token_digest(from);
        let standing = TokenRecord { org: OrgId::new(new_owner).unwrap(), expires_at: None };
        let key = Key::CreatioToken(digest);
        let entry = stored.entries.iter().find(|entry| entry.key() == key).unwrap();
        assert_eq!(*entry, Entry::CreatioToken(digest, standing));
        assert!(plan(&moved, &stored, false).is_empty());
    }
}

#[test]
fn what_the_file_does_not_have_is_kept_and_named_unless_it_is_pruned() {
    let mut stored = applied(&two());
    let kept = plan(WHOLE, &stored, false);
    assert!(kept.is_empty(), "{}", told(&kept));
    assert_eq!(kept.kept, ["line whatsapp:880200000000022", "webhook token of other", "organisation other"]);
    let pruned = plan(WHOLE, &stored, true);
    for one in &pruned.acts {
        act(&mut stored, one);
    }
    let other = OrgId::new("other").unwrap();
    assert!(stored.entries.iter().all(|entry| *entry.org() != other));
    assert!(stored.names.iter().all(|name| name.org() != Some(&other)), "{:?}", stored.names);
    assert_eq!(stored.vault.webhooks.keys().collect::<Vec<_>>(), ["880200000000011"]);
}

#[test]
fn a_number_that_the_file_lost_keeps_its_keys_until_it_is_pruned() {
    let mut more = WHOLE.to_owned();
    let number = "[[orgs.acme.whatsapp]]\nphone_number_id = \"880200000000033\"\naccess_token = \"third\"\n\
                  app_secret = \"example-app-secret\"\nverify_token = \"example-verify-token\"\n";
    more.push_str(number);
    let stored = applied(&more);
    let kept = plan(WHOLE, &stored, false);
    assert!(kept.is_empty(), "{}", told(&kept));
    assert_eq!(kept.kept, ["line whatsapp:880200000000033"]);
    let pruned = told(&plan(WHOLE, &stored, true));
    assert!(pruned.contains("880200000000033.access_token: removed"), "{pruned}");
    assert!(pruned.contains("line whatsapp:880200000000033: - removed"), "{pruned}");
}

#[test]
fn a_token_of_an_organisation_that_stays_is_not_taken_from_it() {
    let stored = applied(&WHOLE.replace("orgs.acme", "orgs.first"));
    let error = Plan::new(&wanted(WHOLE), &stored, false, at(0)).unwrap_err().to_string();
    assert!(error.contains("orgs.acme.creatio.webhook_token is already that of first"), "{error}");
    assert!(!error.contains("example-webhook-token"), "{error}");
    assert!(Plan::new(&wanted(WHOLE), &stored, true, at(0)).is_ok());
}

#[test]
fn a_secret_that_cannot_be_read_is_written_anew() {
    let mut stored = applied(WHOLE);
    stored.vault.models.clear();
    let plan = plan(WHOLE, &stored, false);
    assert_eq!(told(&plan), "secret acme/model: + api_key: set");
}

#[test]
fn an_empty_key_is_a_key() {
    let text = WHOLE.replace("api_key = \"example-key\"", "api_key = \"\"");
    let stored = applied(&text);
    let acme = OrgId::new("acme").unwrap();
    assert!(stored.vault.models.contains_key(&acme));
    let changed = plan(WHOLE, &stored, false);
    assert_eq!(told(&changed), "secret acme/model: ~ api_key: changed");
}
