//! A summary made without a model: what the customer wrote last, for when the assistant cannot say it better.

use crate::channel::render::shorten;
use crate::message::{Author, Message};

/// How many of the customer's messages it quotes.
const LAST: usize = 3;
/// How much of each.
const EACH: usize = 300;

/// One paragraph from the customer's last messages, newest last.
#[must_use]
pub fn from_words(recent: &[&str]) -> String {
    let from = recent.len().saturating_sub(LAST);
    let quoted: Vec<String> =
        recent.iter().skip(from).map(|text| format!("“{}”", shorten(text.trim(), EACH))).collect();
    if quoted.is_empty() {
        return "The customer has not written anything yet.".to_owned();
    }
    format!("The customer wrote: {}", quoted.join(" "))
}

/// The same from a transcript.
#[must_use]
pub fn from_transcript(messages: &[Message]) -> String {
    let words: Vec<&str> =
        messages.iter().filter(|m| m.author == Author::Customer).map(|m| m.text.as_str()).collect();
    from_words(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_are_quoted() {
        assert_eq!(from_words(&["a", "b", "c", "d"]), "The customer wrote: “b” “c” “d”");
        assert_eq!(from_words(&[]), "The customer has not written anything yet.");
        assert!(from_words(&["x".repeat(900).as_str()]).chars().count() < 340);
    }
}
