//! The project's own files as git knows them, new ones included, ignored ones not.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file and where it stands, from the project's root.
pub struct File {
    pub path: String,
    pub text: String,
}

/// The project's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every text file of the project. Others, such as pictures, are left out.
pub fn files() -> Vec<File> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files: it is needed to check the structure");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).expect("paths are UTF-8");
    let paths = paths.split('\0').filter(|path| !path.is_empty());
    // A file that was deleted but not yet committed is still listed.
    let files: Vec<File> = paths.filter_map(read).collect();
    assert!(files.len() > 100, "only {} files were found: is this the project's root?", files.len());
    files
}

/// The text files whose path ends so.
pub fn ending(end: &str) -> Vec<File> {
    files().into_iter().filter(|file| file.path.ends_with(end)).collect()
}

/// One file that must be there.
pub fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn read(path: &str) -> Option<File> {
    let text = std::fs::read_to_string(root().join(path)).ok()?;
    Some(File { path: path.to_owned(), text })
}
