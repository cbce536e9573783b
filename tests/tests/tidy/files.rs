//! What every file looks like: it opens with what it knows, it is short, and nothing in it is unfinished.

use crate::none;
use crate::source::{code, has_word};
use crate::tree::{self, File};

/// The most lines of one source file. One idea rarely needs a quarter of it.
const LINES: usize = 500;

/// Test files that may wait for time itself to pass, each for a reason.
const MAY_SLEEP: [(&str, &str); 0] = [];

fn without_a_first_line(file: &File) -> Option<String> {
    let first = file.text.lines().next().unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|rest| rest.trim().len() > 10);
    (!says).then(|| format!("{}: the first line must be `//!` and what this file alone knows", file.path))
}

fn too_long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > LINES).then(|| format!("{}: {lines} lines; is it one idea?", file.path))
}

/// Marks of unfinished or switched-off work. They are put together here so that this file does not find itself.
fn unfinished(file: &File) -> Vec<String> {
    let marks = [concat!("todo", "!("), concat!("unimpl", "emented!("), concat!("#[", "ignore")];
    let words = [
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("TO", "DO"),
        concat!("HA", "CK"),
        concat!("TB", "D"),
    ];
    let found = marks.into_iter().filter(|mark| file.text.contains(mark));
    let found = found.chain(words.into_iter().filter(|word| has_word(&file.text, word)));
    found.map(|mark| format!("{}: {mark}", file.path)).collect()
}

/// Whether this part of a file is test code: all of it, or what follows the first test module.
fn test_code(file: &File) -> &str {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let in_folder = file.path.starts_with("tests/") || file.path.contains("/tests/");
    if in_folder || name == "tests.rs" || name.ends_with("_tests.rs") {
        return &file.text;
    }
    let at = file.text.find("#[cfg(test)]").unwrap_or(file.text.len());
    file.text.get(at..).unwrap_or_default()
}

fn sleeps(file: &File) -> Option<String> {
    let may = MAY_SLEEP.iter().any(|(path, _)| file.path == *path);
    // A fake clock implements the port of that name, and that is no waiting.
    let code = code(test_code(file)).replace(concat!("fn sle", "ep("), "");
    let sleeps = !may && code.contains(concat!("sle", "ep("));
    sleeps.then(|| format!("{}: a test that sleeps; wait for the event instead", file.path))
}

/// Places that exist on one machine only, and addresses of package registries: neither helps a reader.
fn strays(file: &File) -> Vec<String> {
    let marks = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp/ba", "sh_jobs"),
        concat!("/ho", "me/"),
        concat!("crates", ".io/"),
        concat!("pypi", ".org"),
        concat!("registry", ".npmjs"),
        concat!("deb.deb", "ian.org"),
    ];
    let found = marks.into_iter().filter(|mark| file.text.contains(mark));
    found.map(|mark| format!("{}: mentions {mark}", file.path)).collect()
}

#[test]
fn every_source_file_says_what_it_knows() {
    none(tree::ending(".rs").iter().filter_map(without_a_first_line).collect());
}

#[test]
fn no_source_file_is_long() {
    none(tree::ending(".rs").iter().filter_map(too_long).collect());
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    let written =
        |file: &File| [".rs", ".md", ".toml", ".ci/check"].iter().any(|end| file.path.ends_with(end));
    none(tree::files().into_iter().filter(written).flat_map(|file| unfinished(&file)).collect());
}

#[test]
fn no_test_sleeps() {
    none(tree::ending(".rs").iter().filter_map(sleeps).collect());
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    // The lock file is cargo's own.
    let files = tree::files();
    none(files.iter().filter(|file| file.path != "Cargo.lock").flat_map(strays).collect());
}

#[test]
fn the_checks_find_what_they_look_for() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    assert!(without_a_first_line(&file("a.rs", "use std::fmt;")).is_some());
    assert!(without_a_first_line(&file("a.rs", "//!\nuse std::fmt;")).is_some());
    assert!(without_a_first_line(&file("a.rs", "//! What it knows.")).is_none());
    assert!(too_long(&file("a.rs", &"\n".repeat(501))).is_some());
    let text = [concat!("todo", "!()"), concat!("// XX", "X: later"), concat!("#[", "ignore = \"slow\"]")]
        .join("\n");
    assert_eq!(unfinished(&file("a.rs", &text)).len(), 3);
    assert_eq!(strays(&file("a.md", concat!("see /wo", "rk/x"))).len(), 1);
}

#[test]
fn only_sleeping_tests_are_found() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let line = concat!("tokio::time::sle", "ep(wait).await;");
    assert!(sleeps(&file("tests/tests/laptop/main.rs", line)).is_some());
    assert!(
        sleeps(&file("shared/flow/src/a.rs", &format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{ {line} }}")))
            .is_some()
    );
    assert!(sleeps(&file("shared/flow/src/a.rs", line)).is_none());
    assert!(sleeps(&file("tests/tests/a.rs", &format!("// {line}"))).is_none());
    assert!(sleeps(&file("tests/tests/a.rs", concat!("async fn sle", "ep(&self, _: Wait) {}"))).is_none());
}
