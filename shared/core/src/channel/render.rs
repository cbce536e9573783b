//! How a text fits a channel: cleaned of what no reader sees, and split where it is too long for one message.

use super::Channel;

/// The most characters one message may have on the channel, counted in the unit that yields the most.
#[must_use]
pub fn limit(channel: Channel) -> usize {
    match channel {
        // Cloud API text body. Meta does not say what it counts, so the largest count (UTF-16) must fit.
        Channel::Whatsapp => 4096,
    }
}

/// The text without what must not be stored or shown: control characters other than tab and line break,
/// zero-width and direction-changing characters used to hide instructions, and Unicode tag characters.
///
/// The zero-width joiner stays where it joins emoji, and the non-joiner where scripts need it.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().filter(|&c| !is_hidden(c)).collect()
}

/// Whether a reader would see nothing of the text: only white space, hidden characters, and what merely joins others.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    let joins = |c| matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}');
    text.chars().all(|c| c.is_whitespace() || joins(c) || is_hidden(c))
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Tag characters spell out hidden text; flags of regions end in U+E007F and are rare enough to give up.
        '\u{E0000}'..='\u{E007F}' => true,
        '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{00AD}' => true,
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        '\u{FFFE}' | '\u{FFFF}' => true,
        other => other.is_control(),
    }
}

/// Cuts a text into parts that the channel accepts, in order, at paragraph, line, sentence or word ends where
/// there is one in the last half of a part. Nothing is lost but the white space at a cut.
#[must_use]
pub fn split(channel: Channel, text: &str) -> Vec<String> {
    split_at_most(text, limit(channel))
}

/// The same for any limit of at least 2, so that every character fits a part.
fn split_at_most(text: &str, most: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while units(rest) > most {
        let (head, tail) = rest.split_at(cut(rest, most));
        if !head.trim_end().is_empty() {
            parts.push(head.trim_end().to_owned());
        }
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The byte at which the first part ends: the best boundary in the last half of what fits, else the hard limit.
fn cut(text: &str, most: usize) -> usize {
    let hard = hard_limit(text, most);
    let window = text.get(..hard).unwrap_or(text);
    let floor = hard / 2;
    let best = ["\n\n", "\n", ". ", " "].iter().find_map(|mark| {
        let found = window.rfind(mark).filter(|&at| at > floor)?;
        Some(found + mark.len())
    });
    best.unwrap_or(hard)
}

/// The largest byte offset on a character boundary whose prefix has at most `most` units. At least one character.
fn hard_limit(text: &str, most: usize) -> usize {
    let mut used = 0;
    let mut end = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > most && at > 0 {
            return at;
        }
        end = at + c.len_utf8();
    }
    end
}

/// The first `most` characters, with an ellipsis if something was cut.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_characters_go_and_emoji_stay() {
        assert_eq!(clean("a\u{1}b\u{200B}c\u{202E}d\u{E0041}"), "abcd");
        let family = "👩‍👩‍👧‍👦🏳️‍🌈 1️⃣";
        assert_eq!(clean(family), family);
    }

    #[test]
    fn a_long_answer_is_cut_between_paragraphs() {
        let text = format!("{}\n\n{}", "a".repeat(3000), "b".repeat(3000));
        assert_eq!(split(Channel::Whatsapp, &text), ["a".repeat(3000), "b".repeat(3000)]);
    }

    #[test]
    fn nothing_to_say_is_no_part() {
        assert!(split(Channel::Whatsapp, " \n ").is_empty());
    }

    /// Every part fits and has something to read, and no letter is lost or moved.
    fn check_parts(text: &str, parts: &[String], most: usize) -> Result<(), TestCaseError> {
        for part in parts {
            prop_assert!(units(part) <= most);
            prop_assert!(!part.trim().is_empty());
        }
        let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(squeeze(&parts.concat()), squeeze(text));
        Ok(())
    }

    proptest! {
        #[test]
        fn no_letter_is_lost_whatever_the_limit(text in "(\\PC|\n|[.]? ){0,120}", most in 2_usize..50) {
            check_parts(&text, &split_at_most(&text, most), most)?;
        }

        // Making long random texts is what takes long, so a random piece is repeated past the limit.
        #[test]
        fn every_part_fits_the_channel(piece in "(\\PC|\n| ){1,40}", times in 1_usize..400) {
            let text = piece.repeat(times);
            check_parts(&text, &split(Channel::Whatsapp, &text), limit(Channel::Whatsapp))?;
        }
    }
}
