//! What the operator's commands print, and with which exit code they end.

use std::io::Write;
use std::process::ExitCode;

use super::trouble::Trouble;

/// Says something on standard output. Whoever reads it may stop reading, as `head` does: that is no fault.
pub fn say(words: &str) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Says how far a long work is, on standard error, where it does not mix with the answer.
pub fn progress(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// 0 when the command did its work; 2, with the reason on standard error, when it could not.
pub fn finish(outcome: Result<(), Trouble>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => crate::complain(&trouble.to_string()),
    }
}

/// `1 change`, `2 changes`.
#[must_use]
pub fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!((count(1, "change"), count(0, "change")), ("1 change".to_owned(), "0 changes".to_owned()));
    }
}
