//! The documents tell of everything that can be configured, and the code map of every package.

use std::collections::BTreeSet;

use crate::manifest::{self, Manifest};
use crate::source::code;
use crate::{none, tree};

/// The keys of the configuration file: the fields of the structures that read it.
fn keys(config: &str) -> BTreeSet<&str> {
    let fields = config.lines().filter_map(|line| line.strip_prefix("    pub "));
    fields.filter_map(|field| field.split_once(": ")).map(|(name, _)| name).collect()
}

/// The project's own environment variables that a text names.
fn variables(text: &str) -> BTreeSet<&str> {
    let name = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    };
    text.match_indices("SWITCHBOARD_").map(|(at, _)| name(at)).collect()
}

/// What a document does not have in code marks.
fn undocumented<'a>(document: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let missing = names.into_iter().filter(|name| !document.contains(&format!("`{name}`")));
    missing.map(|name| format!("`{name}` is not documented")).collect()
}

/// The fixed beginnings of all warnings and errors that the code logs.
fn complaints(code: &str) -> BTreeSet<String> {
    let calls = ["tracing::error!(", "tracing::warn!("].into_iter().flat_map(|call| code.split(call).skip(1));
    let inside = calls.filter_map(|rest| rest.split_once(");")).map(|(inside, _)| inside.replace("\\\n", ""));
    let last_text = |inside: String| inside.rsplit('"').nth(1).map(str::to_owned);
    // What follows the first placeholder differs from line to line; code marks are the document's own.
    let fixed = |text: String| {
        text.split('{').next().unwrap_or_default().trim_end_matches([' ', ':']).replace('`', "")
    };
    let texts =
        inside.filter_map(last_text).map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    texts.map(fixed).filter(|text| !text.is_empty()).collect()
}

#[test]
fn every_warning_and_error_is_explained() {
    let sources = tree::ending(".rs");
    let ours = |file: &&tree::File| {
        let path = &file.path;
        // The sandboxes' own troubles are nobody's but the developer's.
        !path.contains("/sandbox/") && !path.contains("tests") && !path.starts_with("shared/testkit/")
    };
    let code: String = sources.iter().filter(ours).map(|file| code(&file.text)).collect();
    let complaints = complaints(&code);
    assert!(complaints.len() >= 15, "{complaints:?}");
    none(undocumented(&tree::file("docs/operate.md"), complaints.iter().map(String::as_str)));
}

#[test]
fn every_key_of_the_configuration_is_documented() {
    let config = tree::file("infra/local/src/config.rs");
    let keys = keys(&config);
    assert!(keys.len() >= 20 && keys.contains("webhook_token"), "{keys:?}");
    none(undocumented(&tree::file("docs/configuration.md"), keys));
}

#[test]
fn every_environment_variable_is_documented() {
    let sources = tree::ending(".rs");
    let code: String =
        sources.iter().filter(|file| !file.path.starts_with("tests/")).map(|file| code(&file.text)).collect();
    none(undocumented(&tree::file("docs/configuration.md"), variables(&code)));
}

#[test]
fn the_code_map_shows_every_package() {
    let manifests = manifest::all();
    let readme = tree::file("README.md");
    let folders = manifests.iter().map(|manifest| manifest.folder.as_str());
    none(undocumented(&readme, folders).into_iter().map(|problem| format!("README.md: {problem}")).collect());
    let functions =
        manifests.iter().filter(|manifest| manifest.folder.starts_with("functions/")).map(Manifest::name);
    none(undocumented(&tree::file("docs/ARCHITECTURE.md"), functions));
}

#[test]
fn the_checks_find_what_is_not_told() {
    let config =
        "pub struct A {\n    /// X.\n    pub one: u8,\n    pub two: Option<u8>,\n    three: u8,\n}\n";
    assert_eq!(keys(config), BTreeSet::from(["one", "two"]));
    let name = concat!("SWITCH", "BOARD_NEW_THING");
    assert_eq!(variables(&format!("env(\"{name}\")")), BTreeSet::from([name]));
    let log = "tracing::warn!(why = \"x\", \"it broke: {}\", error);\ntracing::info!(\"fine\");\ntracing::error!(\"again\");";
    assert_eq!(complaints(log), BTreeSet::from(["again".to_owned(), "it broke".to_owned()]));
    assert_eq!(undocumented("`one` and two", keys(config)), ["`two` is not documented"]);
}
