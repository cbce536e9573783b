//! What may depend on what: core ← flow ← {aws, vendors, testkit} ← lambda ← functions ← the laptop line.

use crate::manifest::{self, Manifest};
use crate::none;

/// Packages of ours that a package may use.
fn allowed(manifest: &Manifest) -> Option<&'static [&'static str]> {
    Some(match manifest.folder.as_str() {
        "shared/core" => &[],
        "shared/flow" => &["shared"],
        // They do not know each other: a vendor's shape is no business of a store's, and the other way round.
        "shared/aws" | "shared/vendors" | "shared/testkit" => &["shared", "shared-flow"],
        "shared/lambda" => &["shared", "shared-flow", "shared-aws", "shared-vendors"],
        "infra/local" | "tests" => return None,
        folder if folder.starts_with("functions/") => {
            &["shared", "shared-flow", "shared-aws", "shared-vendors", "shared-lambda"]
        }
        // A new kind of package must be given its place first.
        _ => &[],
    })
}

/// Packages from outside that only some of ours may use, by the beginning of their name.
const RESERVED: [(&str, &[&str]); 7] = [
    ("aws-", &["shared/aws", "shared/lambda", "infra/local"]),
    ("dynoxide", &["shared/aws", "infra/local"]),
    ("rusqlite", &["infra/local"]),
    ("reqwest", &["shared/vendors", "infra/local", "tests"]),
    ("axum", &["shared/vendors", "shared/lambda", "functions/", "infra/local", "tests"]),
    ("maud", &["infra/local"]),
    ("tokio", &["shared/aws", "shared/vendors", "shared/lambda", "functions/", "infra/local", "tests"]),
];

fn is_ours(name: &str, ours: &[&str]) -> bool {
    ours.contains(&name)
}

/// Arrows that run the wrong way.
fn wrong_arrows(manifest: &Manifest, ours: &[&str]) -> Vec<String> {
    let Some(allowed) = allowed(manifest) else { return Vec::new() };
    let names = manifest.names("dependencies");
    let own = names.iter().filter(|name| is_ours(name, ours) && !allowed.contains(name));
    // Tests may lean on the testkit as well, never on more.
    let names = manifest.names("dev-dependencies");
    let tests = names
        .iter()
        .filter(|name| is_ours(name, ours) && !allowed.contains(name) && **name != "shared-testkit");
    own.chain(tests).map(|name| format!("{} must not depend on {name}", manifest.folder)).collect()
}

/// Packages from outside in a place that shall not know them.
fn out_of_place(manifest: &Manifest) -> Vec<String> {
    let reserved = |name: &str| RESERVED.iter().find(|(start, _)| name.starts_with(start));
    let may = |places: &[&str]| places.iter().any(|place| manifest.folder.starts_with(place));
    let names = manifest.names("dependencies");
    let strays = names.iter().filter(|name| reserved(name).is_some_and(|(_, places)| !may(places)));
    strays.map(|name| format!("{} must not depend on {name}", manifest.folder)).collect()
}

#[test]
fn arrows_run_one_way() {
    let manifests = manifest::all();
    let ours: Vec<&str> = manifests.iter().map(Manifest::name).collect();
    none(manifests.iter().flat_map(|manifest| wrong_arrows(manifest, &ours)).collect());
}

#[test]
fn clouds_and_clients_are_known_only_where_they_belong() {
    none(manifest::all().iter().flat_map(out_of_place).collect());
}

#[test]
fn the_checks_find_a_wrong_arrow() {
    let ours =
        ["shared", "shared-flow", "shared-aws", "shared-vendors", "shared-testkit", "agent", "delivery"];
    for (folder, text) in [
        ("shared/core", "[dependencies]\nshared-flow = {}"),
        ("shared/flow", "[dependencies]\nshared-vendors = {}"),
        ("shared/aws", "[dependencies]\nshared-vendors = {}"),
        ("shared/vendors", "[dev-dependencies]\nshared-aws = {}"),
        ("functions/agent", "[dependencies]\ndelivery = {}"),
        ("functions/agent", "[dependencies]\nshared-testkit = {}"),
        ("shared/new", "[dependencies]\nshared = {}"),
    ] {
        let manifest = manifest::parse(&format!("{folder}/Cargo.toml"), text);
        assert_eq!(wrong_arrows(&manifest, &ours).len(), 1, "{folder}: {text}");
    }
    let flow = manifest::parse(
        "shared/flow/Cargo.toml",
        "[dependencies]\naws-config = {}\nreqwest = {}\nserde = {}",
    );
    assert_eq!(out_of_place(&flow).len(), 2);
}
