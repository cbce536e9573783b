//! The structure, kept true by a test: what may depend on what, what every file looks like, what the documents say.
//!
//! Each check is a function from text to problems, with a test beside it that shows it can find one.
#![allow(clippy::expect_used, clippy::panic, reason = "a tree that cannot be read is a failed test")]

mod arrows;
mod documents;
mod files;
mod manifest;
mod markdown;
mod pure;
mod rooms;
mod source;
mod tree;

/// Fails with every problem, one a line.
#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problem(s):\n  {}", problems.len(), problems.join("\n  "));
}
