//! Links and paths in the documents lead somewhere, in the project and to the right heading.

use std::collections::BTreeSet;

use crate::{none, tree};

/// Prose without its fenced examples.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The targets of all links.
fn links(text: &str) -> Vec<String> {
    let after = prose(text);
    let targets = after.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.split_whitespace().next().unwrap_or_default().to_owned()).collect()
}

/// Paths that the prose names in code marks, such as `shared/core/src/lib.rs`: they begin with a folder of the root.
fn named_paths(text: &str, folders: &BTreeSet<&str>) -> Vec<String> {
    let prose = prose(text);
    let spans = prose.split('`').skip(1).step_by(2);
    let is_path = |span: &&str| {
        let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        plain && span.split_once('/').is_some_and(|(first, _)| folders.contains(first))
    };
    spans.filter(is_path).map(str::to_owned).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let prose = prose(text);
    prose
        .lines()
        .filter(|line| line.starts_with('#'))
        .any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

/// A path from the root, from a link in a document. `None` when it leads out of the project.
fn resolve(document: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn broken_link(document: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let broken = || Some(format!("{document}: the link `{target}` leads nowhere"));
    let Some(path) = resolve(document, path) else { return broken() };
    let own = target.starts_with('#');
    let there = own || tree::root().join(&path).exists();
    let linked = if own {
        text.to_owned()
    } else {
        std::fs::read_to_string(tree::root().join(&path)).unwrap_or_default()
    };
    if there && (heading.is_empty() || has_heading(&linked, heading)) { None } else { broken() }
}

#[test]
fn every_link_leads_somewhere() {
    let documents = tree::ending(".md");
    assert!(documents.len() >= 8, "only {} documents were found", documents.len());
    let broken = documents.iter().flat_map(|document| {
        links(&document.text)
            .into_iter()
            .filter_map(|target| broken_link(&document.path, &document.text, &target))
    });
    none(broken.collect());
}

#[test]
fn every_path_that_is_named_exists() {
    let files = tree::files();
    let folders = files.iter().filter_map(|file| file.path.split_once('/')).map(|(first, _)| first).collect();
    let documents = files.iter().filter(|file| file.path.ends_with(".md"));
    let missing = documents.flat_map(|document| {
        let paths = named_paths(&document.text, &folders).into_iter();
        let missing = paths.filter(|path| !tree::root().join(path.trim_end_matches('/')).exists());
        missing.map(|path| format!("{}: `{path}` does not exist", document.path))
    });
    none(missing.collect());
}

#[test]
fn the_checks_find_what_leads_nowhere() {
    let text = "# A Head, line\nSee [x](a/b.md#c-d \"t\") and [y](#a-head-line).\n```\n[z](nowhere)\n```\n";
    assert_eq!(links(text), ["a/b.md#c-d", "#a-head-line"]);
    assert_eq!(broken_link("README.md", text, "#a-head-line"), None);
    assert!(broken_link("README.md", text, "#another").is_some());
    assert!(broken_link("docs/x.md", text, "../nowhere.md").is_some());
    assert!(broken_link("docs/x.md", text, "../../outside.md").is_some());
    assert_eq!(broken_link("docs/x.md", text, "https://example.com/x"), None);
    assert_eq!(broken_link("docs/x.md", text, "../Cargo.toml"), None);
    let folders = BTreeSet::from(["shared"]);
    assert_eq!(named_paths("`shared/x.rs`, `/shared/y`, `a b/c`, `other/z.rs`", &folders), ["shared/x.rs"]);
}
