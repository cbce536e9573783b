//! What of a site's error text may be repeated: phrases, names and SQL states from closed lists, and nothing else.

/// The most characters that are kept.
const MOST: usize = 200;
/// The most words that are looked at.
const MOST_WORDS: usize = 2_000;
/// For a text of which nothing is known.
const NOTHING_KNOWN: &str = "a reason that is not repeated here (see the site's own log)";

/// The objects and columns that we read and write, as sites spell them.
const NAMES: [&str; 33] = [
    "Activity",
    "AuthorId",
    "Body",
    "Case",
    "CaseId",
    "CaseOrigin",
    "CaseStatus",
    "CommunicationTypeId",
    "Contact",
    "ContactCommunication",
    "ContactId",
    "CreatedById",
    "CreatedOn",
    "DetailedResult",
    "DueDate",
    "GroupId",
    "Id",
    "MessageTypeId",
    "MobilePhone",
    "Name",
    "Notes",
    "Number",
    "OriginId",
    "OwnerId",
    "Phone",
    "SearchNumber",
    "ShowInScheduler",
    "StartDate",
    "StatusId",
    "Subject",
    "Symptoms",
    "Title",
    "TypeId",
];

/// PostgreSQL's codes for what goes wrong with a row or with the server's load.
const SQL_STATES: [&str; 14] = [
    "22001", "22003", "22007", "22P02", "23502", "23503", "23505", "23514", "25006", "40001", "40P01",
    "42501", "42703", "57014",
];

/// Texts of the product, of PostgreSQL, SQL Server and the OData libraries, without their signs.
const PHRASES: [&str; 42] = [
    "access denied",
    "an error has occurred",
    "canceling statement due to statement timeout",
    "cannot insert the value null into column",
    "column by path",
    "conflicted with the foreign key constraint",
    "connection pool has been exhausted",
    "could not serialize access",
    "current user does not have sufficient permissions",
    "deadlock detected",
    "deadlocked on lock resources",
    "does not exist in",
    "does not exist on type",
    "does not have permission",
    "does not have sufficient permissions",
    "duplicate key",
    "duplicate key value violates unique constraint",
    "insert or update on table",
    "insufficient rights",
    "invalid input syntax for type",
    "invalid resource path",
    "is not a valid edm guid",
    "no http resource was found",
    "no type was found that matches the controller",
    "not found in schema",
    "null value in column",
    "object reference not set to an instance of an object",
    "permission denied",
    "securityexception",
    "string or binary data would be truncated",
    "the insert statement",
    "the property",
    "the request is invalid",
    "the update statement",
    "timeout expired",
    "truncated value",
    "update or delete on table",
    "value too long for type character varying",
    "violates check constraint",
    "violates foreign key constraint",
    "violates not null constraint",
    "violates unique constraint",
];

/// The text, fit for an operator's eyes and for a log; empty when it is.
///
/// Sites put column values, addresses, record ids and stack traces into their errors, with and without quotation
/// marks, so nothing can be recognised as harmless but what is known. `…` stands for the rest.
pub(super) fn redact(text: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let words: Vec<Word<'_>> = words(text).take(MOST_WORDS).collect();
    let mut rest = words.as_slice();
    let mut kept: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let (piece, length) = known(rest).unwrap_or(("…", 1));
        if piece != "…" || kept.last() != Some(&"…") {
            kept.push(piece);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    if kept.iter().all(|piece| *piece == "…") {
        return NOTHING_KNOWN.to_owned();
    }
    shared::channel::render::shorten(&kept.join(" "), MOST)
}

/// A run of letters and digits, and whether a colon follows.
struct Word<'a> {
    text: &'a str,
    before_colon: bool,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let pieces = text.split_inclusive(|c: char| !c.is_alphanumeric());
    pieces.filter_map(|piece| {
        let text = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
        (!text.is_empty()).then(|| Word { text, before_colon: piece.ends_with(':') })
    })
}

/// What is known at the beginning, from our own lists, and how many words it takes. The longest phrase is meant.
fn known(words: &[Word<'_>]) -> Option<(&'static str, usize)> {
    let begins = |phrase: &str| {
        let mut left = words.iter();
        phrase.split(' ').all(|part| left.next().is_some_and(|word| word.text.eq_ignore_ascii_case(part)))
    };
    let length = |phrase: &str| phrase.split(' ').count();
    let phrase = PHRASES.into_iter().filter(|phrase| begins(phrase)).max_by_key(|phrase| length(phrase));
    if let Some(phrase) = phrase {
        return Some((phrase, length(phrase)));
    }
    let word = words.first()?;
    let name = NAMES.into_iter().find(|name| *name == word.text);
    // Without the colon it may be part of somebody's number.
    let state = || SQL_STATES.into_iter().find(|state| word.before_colon && *state == word.text);
    name.or_else(state).map(|known| (known, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_known_is_repeated_and_nothing_else() {
        for (text, shown) in [
            ("Truncated value: 'CANARYNAME'. Key (Name)=(CANARYUNQUOTED)", "truncated value … Name …"),
            (
                "Column by path GroupId not found in schema Case",
                "column by path GroupId not found in schema Case",
            ),
            (
                "23503: insert or update on table \"Case\" violates foreign key constraint \"FK_Case_OwnerId_Contact\"",
                "23503 insert or update on table Case violates foreign key constraint … Case OwnerId Contact",
            ),
            (
                "23505: duplicate key value violates unique constraint \"PK_X\"",
                "23505 duplicate key value violates unique constraint …",
            ),
            (
                "The property 'UsrA' does not exist on type 'Terrasoft.Case'.",
                "the property … does not exist on type … Case",
            ),
            ("duplicate key 12025550111.", "duplicate key …"),
            ("access denied for jane@example.com, see https://acme.creatio.com/0", "access denied …"),
            ("NameCANARY, CANARYName, \u{e9}Name and Case", "… Case"),
            ("call 0170 23505 now", NOTHING_KNOWN),
            ("my bike is broken", NOTHING_KNOWN),
            ("\u{2026} …", NOTHING_KNOWN),
            (" \n", ""),
        ] {
            assert_eq!(redact(text), shown, "{text}");
        }
    }

    #[test]
    fn a_stack_trace_is_cut() {
        assert_eq!(redact(&"Case, ".repeat(1_000_000)).chars().count(), MOST);
    }

    proptest! {
        #[test]
        fn only_our_own_words_come_out(text in "(duplicate key|Name|access denied|CANARY|23505:|\\PC{0,9}|[ '\"(=:]){0,40}") {
            let shown = redact(&text);
            prop_assert!(shown.chars().count() <= MOST);
            let mut rest = shown.trim_end_matches('…').to_owned();
            let mut ours: Vec<&str> = PHRASES.into_iter().chain(NAMES).chain(SQL_STATES).collect();
            ours.push(NOTHING_KNOWN);
            ours.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
            // A piece at the cut may be half of one.
            if shown.chars().count() < MOST {
                for piece in ours {
                    rest = rest.replace(piece, "");
                }
                prop_assert!(rest.chars().all(|c| c == ' ' || c == '…'), "{rest:?} is left of {shown:?}");
            }
            prop_assert!(!shown.contains("CANARY"));
        }
    }
}
