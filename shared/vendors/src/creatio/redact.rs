//! What of a site's error text may be shown: no address, no number, no id, no quoted words, and not much of it.

/// The most characters that are kept.
const MOST: usize = 200;
/// From how many digits on a run of them may be somebody's phone number.
const MANY_DIGITS: usize = 7;
/// A quotation longer than this may be a customer's words.
const LONGEST_QUOTE: usize = 60;

/// The text, fit for an operator's eyes and for a log.
///
/// Sites put URLs, stack traces, record ids and column values into their errors, so everything that looks like one
/// is replaced, white space is squeezed and the rest is cut.
pub(super) fn redact(text: &str) -> String {
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let unquoted = without_quotations(&squeezed);
    let words = unquoted.split(' ').map(without_addresses).collect::<Vec<_>>().join(" ");
    shared::channel::render::shorten(&without_numbers(&without_ids(&words)), MOST)
}

/// Drops quotations that hold several words or are long; quoted names of columns and objects stay.
fn without_quotations(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, mark, after)) = next_mark(rest) {
        kept.push_str(before);
        match after.find(mark) {
            Some(end) if end > LONGEST_QUOTE || after.get(..end).is_some_and(|q| q.contains(' ')) => {
                kept.push_str("[quoted]");
                rest = after.get(end + 1..).unwrap_or_default();
            }
            Some(end) => {
                kept.push(mark);
                kept.push_str(after.get(..=end).unwrap_or_default());
                rest = after.get(end + 1..).unwrap_or_default();
            }
            None => {
                kept.push(mark);
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// The text up to the next quotation mark that opens one, the mark, and what follows.
///
/// An apostrophe inside a word (`doesn't`) opens nothing.
fn next_mark(text: &str) -> Option<(&str, char, &str)> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let opens = c == '"' || (c == '\'' && !before.is_alphanumeric());
        if opens {
            return Some((text.get(..at)?, c, text.get(at + 1..)?));
        }
        before = c;
    }
    None
}

fn without_addresses(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    if lower.contains("://") || lower.contains("www.") {
        "[address]".to_owned()
    } else if lower.contains('@') {
        "[mail]".to_owned()
    } else {
        word.to_owned()
    }
}

fn without_ids(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-';
    replace_runs(text, is_part, |run| run.chars().filter(char::is_ascii_hexdigit).count() >= 32, "[id]")
}

fn without_numbers(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_digit() || " +-()./".contains(c);
    replace_runs(
        text,
        is_part,
        |run| run.chars().filter(char::is_ascii_digit).count() >= MANY_DIGITS,
        "[number]",
    )
}

/// Replaces each longest run of `part` characters that is `bad`; blanks around it stay.
fn replace_runs(text: &str, part: impl Fn(char) -> bool, bad: impl Fn(&str) -> bool, with: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.find(&part).unwrap_or(rest.len());
        let (before, run_on) = rest.split_at(plain);
        let (run, after) = run_on.split_at(run_on.find(|c| !part(c)).unwrap_or(run_on.len()));
        kept.push_str(before);
        if bad(run) {
            let lead = if run.starts_with(' ') { " " } else { "" };
            let tail = if run.ends_with(' ') { " " } else { "" };
            kept.push_str(&format!("{lead}{with}{tail}"));
        } else {
            kept.push_str(run);
        }
        rest = after;
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_personal_and_no_address_survives() {
        for (text, shown) in [
            ("see https://acme.creatio.com/0/odata/Case(1) now", "see [address] now"),
            ("Key (Id)=(9d1f86aa-f36b-1410-068c-20cf30b39373) exists", "Key (Id)=([id]) exists"),
            ("call +49 (170) 123-45 67 please", "call [number] please"),
            ("duplicate 12025550111.", "duplicate [number]"),
            ("mail to jane@example.com", "mail to [mail]"),
            ("cannot convert 'my bike is broken' to text", "cannot convert [quoted] to text"),
            ("23505: duplicate key, constraint \"PK_Case\"", "23505: duplicate key, constraint \"PK_Case\""),
            ("it doesn't work and you can't see 'Owner'", "it doesn't work and you can't see 'Owner'"),
            ("a\n\n   b", "a b"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn a_stack_trace_is_cut() {
        assert_eq!(redact(&"at Terrasoft ".repeat(100)).chars().count(), 200);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,400}") {
            prop_assert!(redact(&text).chars().count() <= 200);
        }

        #[test]
        fn no_phone_number_survives(digits in "[0-9]{7,15}", before in "[a-z ':\"]{0,8}", after in "[a-z '\"]{0,8}") {
            let shown = redact(&format!("{before}{digits}{after}"));
            prop_assert!(!shown.contains(&digits));
        }
    }
}
