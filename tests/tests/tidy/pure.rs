//! The core stays pure: a closed list of dependencies, and no clock, chance, network, thread or waiting in its sources.

use crate::manifest::{self, Manifest};
use crate::source::{code, has_word};
use crate::{none, tree};

const DEPENDENCIES: [&str; 5] = ["jiff", "serde", "thiserror", "uuid", "whatlang"];
const FOR_TESTS: [&str; 3] = ["expect-test", "proptest", "serde_json"];

/// Words that have no place in the core, and why.
const FORBIDDEN: [(&str, &str); 13] = [
    ("async", "the core does not wait"),
    ("await", "the core does not wait"),
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("Timestamp::now", "time is an argument"),
    ("Zoned::now", "time is an argument"),
    ("std::time", "time is an argument"),
    ("std::fs", "the core reads nothing"),
    ("std::net", "the core opens nothing"),
    ("std::env", "settings are arguments"),
    ("std::thread", "the core does one thing after the other"),
    ("std::sync", "the core shares nothing"),
    ("new_v4", "ids are computed, never drawn"),
];

fn unlisted(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    for (heading, listed) in [("dependencies", &DEPENDENCIES[..]), ("dev-dependencies", &FOR_TESTS[..])] {
        let extra =
            manifest.names(heading).into_iter().filter(|name| !listed.contains(name)).map(str::to_owned);
        problems
            .extend(extra.map(|name| format!("the core's {heading} are closed, {name} is not among them")));
    }
    let others = manifest.table.keys().filter(|key| key.ends_with("dependencies"));
    let others = others.filter(|key| !["dependencies", "dev-dependencies"].contains(&key.as_str()));
    problems.extend(others.map(|key| format!("the core has no {key}")));
    problems
}

fn impure(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let found = FORBIDDEN.iter().filter(|(word, _)| has_word(&code, word));
    found.map(|(word, why)| format!("{path}: `{word}`, but {why}")).collect()
}

#[test]
fn the_cores_dependencies_are_closed() {
    let manifests = manifest::all();
    let core = manifests.iter().find(|manifest| manifest.folder == "shared/core").expect("the core is there");
    none(unlisted(core));
}

#[test]
fn the_core_has_no_clock_no_chance_and_no_waiting() {
    let sources = tree::ending(".rs");
    let core = sources.iter().filter(|file| file.path.starts_with("shared/core/src/"));
    assert!(core.clone().count() > 20, "the core's sources were not found");
    none(core.flat_map(|file| impure(&file.path, &file.text)).collect());
}

/// A pair of state and fact that somebody forgot must not compile.
#[test]
fn every_state_and_fact_is_written_out() {
    let decide = tree::file("shared/core/src/session/decide.rs");
    let denied =
        decide.lines().any(|line| line.starts_with("#[deny(") && line.contains("wildcard_enum_match_arm"));
    assert!(denied, "decide must deny catch-all arms");
    assert!(!code(&decide).contains("_ =>"), "decide must not have a catch-all arm");
}

#[test]
fn the_checks_find_impure_code() {
    assert_eq!(impure("a.rs", "async fn f() { g().await }").len(), 2);
    assert_eq!(impure("a.rs", "let now = jiff::Timestamp::now();").len(), 1);
    assert_eq!(impure("a.rs", "// nobody may await here\nlet asynchronous = 1;"), Vec::<String>::new());
    let text = "[dependencies]\ntokio = {}\nserde = {}\n[build-dependencies]\ncc = {}";
    assert_eq!(unlisted(&manifest::parse("shared/core/Cargo.toml", text)).len(), 2);
}
