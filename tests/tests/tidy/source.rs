//! Just enough of Rust's surface to look for words in code and not in prose.

/// The code without its comments. A comment mark inside a string costs the rest of that line, which no check minds.
pub fn code(text: &str) -> String {
    let without = |line: &str| line.split_once("//").map_or(line, |(code, _)| code).to_owned();
    text.lines().map(without).collect::<Vec<_>>().join("\n")
}

/// Whether the word stands in the text on its own, not as a part of a longer one.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|after| after.chars().next());
        !part(before) && !part(after)
    })
}

#[test]
fn words_are_found_and_comments_are_not() {
    assert!(has_word("x.await;", "await") && !has_word("awaited", "await") && !has_word("an_await", "await"));
    assert_eq!(code("a // b\n/// c\nd"), "a \n\nd");
}
