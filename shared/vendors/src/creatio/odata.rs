//! How a request is spelled in the OData that Creatio understands: keys, literals, query strings.
//!
//! A GUID and a date stand bare, text stands in single quotes. A lookup is filtered through its path
//! (`Case/Id eq …`): the flat column (`CaseId eq …`) is refused with "Column by path CaseId not found", although
//! it is what a body must use.

use jiff::RoundMode;
use jiff::{Timestamp, TimestampRound, Unit};
use uuid::Uuid;

/// One record: `Case(8a1c…)`.
pub(super) fn record(entity: &str, id: Uuid) -> String {
    format!("{entity}({id})")
}

/// A resource with its query options, encoded. `$` and the blanks of expressions are the only characters that need
/// care on real sites: some refuse a `+` for a blank.
pub(super) fn with_query(resource: &str, options: &[(&str, &str)]) -> String {
    let options: Vec<String> =
        options.iter().map(|(name, value)| format!("${name}={}", encode(value))).collect();
    if options.is_empty() { resource.to_owned() } else { format!("{resource}?{}", options.join("&")) }
}

fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 16);
    for byte in value.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~,/()$=:'".contains(&byte);
        if plain { out.push(char::from(byte)) } else { out.push_str(&format!("%{byte:02X}")) }
    }
    out
}

/// A text literal.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A moment, in UTC and cut down to the millisecond: the coarsest any site stores, so that `ge` misses nothing.
pub(super) fn moment(at: Timestamp) -> String {
    let round = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    let floor = at.round(round).unwrap_or(at);
    format!("{floor:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_encoded_without_plus_signs() {
        let filter = format!("startswith(SearchNumber,{})", quoted("O'Neill & +1 #%"));
        assert_eq!(
            with_query("Contact", &[("filter", &filter), ("top", "1")]),
            "Contact?$filter=startswith(SearchNumber,'O''Neill%20%26%20%2B1%20%23%25')&$top=1"
        );
        assert_eq!(with_query("Contact", &[]), "Contact");
    }

    #[test]
    fn a_moment_never_lies_after_itself() {
        for (at, text) in [
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00.000Z"),
            ("2026-11-20T08:00:00.1239999+02:00", "2026-11-20T06:00:00.123Z"),
            ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(moment(at.parse().unwrap()), text);
        }
    }

    #[test]
    fn a_key_stands_bare() {
        assert_eq!(record("Case", Uuid::nil()), "Case(00000000-0000-0000-0000-000000000000)");
    }
}
