//! The packages' manifests: each inherits lints, licence and versions from the workspace, each folder bears its name.

use toml::{Table, Value};

use crate::{none, tree};

/// A package's manifest.
pub struct Manifest {
    /// The folder, from the project's root.
    pub folder: String,
    pub table: Table,
}

impl Manifest {
    pub fn name(&self) -> &str {
        self.table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The names under a heading such as `dependencies`, sorted.
    pub fn names(&self, heading: &str) -> Vec<&str> {
        let under = self.table.get(heading).and_then(Value::as_table);
        let mut names: Vec<&str> = under.into_iter().flat_map(Table::keys).map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

/// Reads a manifest.
pub fn parse(path: &str, text: &str) -> Manifest {
    let folder = path.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned();
    Manifest { folder, table: text.parse().expect("cargo could read it") }
}

/// The manifest of every package.
pub fn all() -> Vec<Manifest> {
    let files = tree::ending("/Cargo.toml");
    let manifests: Vec<Manifest> = files.iter().map(|file| parse(&file.path, &file.text)).collect();
    assert!(manifests.len() >= 15, "only {} packages were found", manifests.len());
    manifests
}

/// What a manifest does not inherit from the workspace, although the same must hold for every package.
fn not_inherited(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    let inherits =
        |value: Option<&Value>| value.and_then(|v| v.get("workspace")).and_then(Value::as_bool) == Some(true);
    if manifest.table.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool)
        != Some(true)
    {
        problems.push(format!("{}: the workspace's lints are not inherited", manifest.folder));
    }
    let package = manifest.table.get("package");
    for key in ["version", "edition", "rust-version", "license", "publish"] {
        if !inherits(package.and_then(|package| package.get(key))) {
            problems.push(format!("{}: {key} is not inherited", manifest.folder));
        }
    }
    for heading in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let under = manifest.table.get(heading).and_then(Value::as_table).into_iter().flatten();
        let own = under.filter(|(_, value)| !inherits(Some(value)));
        problems.extend(own.map(|(name, _)| {
            format!(
                "{}: {name} has a version of its own; versions stand in the root manifest",
                manifest.folder
            )
        }));
    }
    problems
}

/// A function's folder, its package and so its binary bear one name.
fn misnamed(manifest: &Manifest) -> Option<String> {
    let folder = manifest.folder.strip_prefix("functions/")?;
    (folder != manifest.name())
        .then(|| format!("functions/{folder}: the package is called {}", manifest.name()))
}

/// The lints whose absence would let code reachable from outside panic.
fn lints_missing(root: &Table) -> Vec<String> {
    let clippy = root.get("workspace").and_then(|w| w.get("lints")).and_then(|l| l.get("clippy"));
    let is_set = |lint: &&str| clippy.and_then(|c| c.get(*lint)).and_then(Value::as_str) == Some("warn");
    let wanted =
        ["unwrap_used", "expect_used", "panic", "indexing_slicing", "todo", "unimplemented", "dbg_macro"];
    wanted.iter().filter(|lint| !is_set(lint)).map(|lint| format!("the lint {lint} is not on")).collect()
}

#[test]
fn every_package_inherits_from_the_workspace() {
    none(all().iter().flat_map(not_inherited).collect());
}

#[test]
fn every_function_bears_its_folders_name() {
    none(all().iter().filter_map(misnamed).collect());
}

#[test]
fn the_lints_against_panics_are_on() {
    none(lints_missing(&tree::file("Cargo.toml").parse().expect("cargo could read it")));
}

#[test]
fn the_checks_find_a_manifest_that_goes_its_own_way() {
    let text = "[package]\nname = \"b\"\nversion = \"1\"\n[lints]\nworkspace = false\n[dependencies]\nserde = \"1\"\n";
    let found = not_inherited(&parse("functions/a/Cargo.toml", text));
    assert!(found.iter().any(|problem| problem.contains("lints")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("license")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("serde has a version")), "{found:?}");
    assert_eq!(
        misnamed(&parse("functions/a/Cargo.toml", text)).as_deref(),
        Some("functions/a: the package is called b")
    );
    assert_eq!(lints_missing(&Table::new()).len(), 7);
}
