//! Files of the project, and the constants in them that no other package can see.

use std::path::{Path, PathBuf};

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file that must be there.
pub fn file(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a constant of a source file is set to; it must be there.
pub fn constant(path: &str, name: &str) -> String {
    let text = file(path);
    let declared = text.split(&format!("const {name}: ")).nth(1).and_then(|rest| rest.split_once(';'));
    let value = declared.and_then(|(declared, _)| declared.split_once(" = "));
    value.unwrap_or_else(|| panic!("{path} has no constant {name}")).1.to_owned()
}

/// The whole numbers in a text such as `(Duration::from_secs(1), Duration::from_secs(3))`.
pub fn numbers(text: &str) -> Vec<u64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// `CrmSync` as `crm-sync`: names of the template as folders, packages, binaries and headings.
pub fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(letter.to_ascii_lowercase());
    }
    kebab
}

/// The folders of the functions.
pub fn function_folders() -> Vec<String> {
    let entries = std::fs::read_dir(project().join("functions")).expect("the functions' folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    assert!(names.len() >= 8, "{names:?}");
    names
}

#[test]
fn names_are_turned_into_each_other() {
    assert_eq!(kebab("CrmSync"), "crm-sync");
    assert_eq!(numbers("(Duration::from_secs(1), Duration::from_secs(30))"), [1, 30]);
}
