//! The assistant's part of a session: what it is asked, and what its answer may do.

pub mod prompt;
pub mod verdict;

pub use prompt::{ChatRole, ChatTurn, Prompt};
pub use verdict::{Answer, Escalation, GaveUp, Verdict};
