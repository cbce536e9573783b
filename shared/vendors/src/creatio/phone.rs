//! Whether a phone number as people typed it into a CRM is the customer's, and whom to take when several match.
//!
//! The platform keeps the digits of each number reversed in `SearchNumber`, so that the end of a number is found
//! with `startswith`. The end alone proves nothing: the same nine digits exist in other countries.

use jiff::Timestamp;
use uuid::Uuid;

/// How many last digits are asked for. Enough to be selective, few enough to find numbers without country code.
const TAIL: usize = 9;
/// The most digits a country code has.
const LONGEST_COUNTRY_CODE: usize = 3;

/// How well a stored number matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// The whole number, country code included.
    Full,
    /// The stored number has no country code, and the customer's ends with it.
    National,
}

/// A contact who may be the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub contact: Uuid,
    pub created: Option<Timestamp>,
    pub by: Match,
}

/// The digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The last digits of a number, in order.
pub(super) fn tail(digits: &str) -> &str {
    digits.get(digits.len().saturating_sub(TAIL)..).unwrap_or(digits)
}

/// The last digits of a number as `SearchNumber` begins with them.
pub(super) fn reversed_tail(digits: &str) -> String {
    tail(digits).chars().rev().collect()
}

/// Compares a number from the CRM with the customer's, given as digits with country code.
pub(super) fn compare(stored: &str, customer: &str) -> Option<Match> {
    // `+49 (0) 170 …` is written by people who want to be helpful.
    let stored = stored.replace("(0)", "");
    let all = digits(&stored);
    let international = stored.trim_start().starts_with('+') || all.starts_with("00");
    if all.strip_prefix("00").unwrap_or(&all) == customer {
        return Some(Match::Full);
    }
    let national = all.trim_start_matches('0');
    let code = customer.len().checked_sub(national.len())?;
    let fits = (1..=LONGEST_COUNTRY_CODE).contains(&code) && national.len() >= TAIL;
    (!international && fits && customer.ends_with(national)).then_some(Match::National)
}

/// Whom to take: the oldest with the whole number, else the only one with a national number, else nobody.
pub(super) fn choose(candidates: &[Candidate]) -> Option<Uuid> {
    let full = candidates.iter().filter(|c| c.by == Match::Full);
    // A contact without a date sorts last; equal dates are settled by id, so that the choice never varies.
    if let Some(oldest) = full.min_by_key(|c| (c.created.unwrap_or(Timestamp::MAX), c.contact)) {
        return Some(oldest.contact);
    }
    let first = candidates.first()?.contact;
    candidates.iter().all(|c| c.contact == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_number_is_asked_for_backwards() {
        assert_eq!(reversed_tail("12025550111"), "111055520");
        assert_eq!(reversed_tail("4917012345678"), "876543210");
        assert_eq!(reversed_tail("112"), "211");
    }

    #[test]
    fn numbers_match_however_they_are_written() {
        for (stored, customer, how) in [
            ("+1 (202) 555-0111", "12025550111", Some(Match::Full)),
            ("001 202 555 0111", "12025550111", Some(Match::Full)),
            ("12025550111", "12025550111", Some(Match::Full)),
            ("+49 (0) 170 1234567", "491701234567", Some(Match::Full)),
            ("202-555-0111", "12025550111", Some(Match::National)),
            ("0170 1234567", "491701234567", Some(Match::National)),
            ("612 345 678", "34612345678", Some(Match::National)),
            // The same ending abroad, with and without plus.
            ("+44 2025550111", "12025550111", None),
            ("442025550111", "12025550111", None),
            ("+34 612345678", "351612345678", None),
            // A short number may be anybody's.
            ("5550111", "12025550111", None),
            ("", "12025550111", None),
        ] {
            assert_eq!(compare(stored, customer), how, "{stored}");
        }
    }

    fn candidate(id: u128, year: i16, by: Match) -> Candidate {
        let created = format!("{year}-01-01T00:00:00Z").parse().ok();
        Candidate { contact: Uuid::from_u128(id), created, by }
    }

    #[test]
    fn the_whole_number_beats_a_national_one_and_the_oldest_wins() {
        let all = [
            candidate(1, 2001, Match::National),
            candidate(2, 2020, Match::Full),
            candidate(3, 2010, Match::Full),
        ];
        assert_eq!(choose(&all), Some(Uuid::from_u128(3)));
    }

    #[test]
    fn a_national_number_counts_only_for_one_person() {
        let mine = candidate(1, 2001, Match::National);
        assert_eq!(choose(&[mine, mine]), Some(mine.contact));
        assert_eq!(choose(&[mine, candidate(2, 2001, Match::National)]), None);
        assert_eq!(choose(&[]), None);
    }
}
