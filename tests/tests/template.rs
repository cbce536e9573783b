//! The template, read as text: what each function may do, how long everything may take, what rings when it fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a template that lacks what every template has is a failed test"
)]

mod template {
    // What the tests stand on.
    mod cfn;
    mod iam;
    mod source;

    // What they show.
    mod alarms;
    mod dashboard;
    mod door;
    mod functions;
    mod queues;
    mod roles;
    mod storage;
    mod times;

    /// Fails with every problem, one a line.
    #[track_caller]
    fn none(problems: Vec<String>) {
        assert!(problems.is_empty(), "{} problem(s):\n  {}", problems.len(), problems.join("\n  "));
    }
}
