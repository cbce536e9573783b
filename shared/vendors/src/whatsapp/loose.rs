//! Reading JSON without letting one odd piece spoil its neighbours: an object is its fields, still unread.
//!
//! Each field is decoded when asked for, on its own. So a repeated key (the last one counts), a `null`, a number where
//! a string was promised, nesting of any depth and half of a surrogate pair cost at most the field they stand in.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Ids longer than this are not believed: they become parts of keys, and Meta's have fewer than 256 bytes.
const LONGEST_ID: usize = 512;

/// An object's fields in the order they came, keys and values unread.
pub(super) struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(&'de str, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut pairs = Vec::with_capacity(8);
                // Keys stay raw as well: a broken escape in one would fail the whole object.
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    pairs.push((key.get(), value));
                }
                Ok(pairs)
            }
        }
        source.deserialize_map(Pairs).map(Self)
    }
}

impl<'a> Fields<'a> {
    /// Reads an object; `None` when it is something else.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// The field's value, unless it is missing or null.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(key, _)| is_key(key, name))?;
        (found.1.get() != "null").then_some(found.1)
    }

    /// The field as an object.
    pub(super) fn object(&self, name: &str) -> Option<Fields<'a>> {
        Self::read(self.raw(name)?.get())
    }

    /// The field as a list of unread items: empty when it is missing or null, `None` when it is no list.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        self.raw(name).map_or_else(|| Some(Vec::new()), |raw| serde_json::from_str(raw.get()).ok())
    }

    /// The field's items that are objects.
    pub(super) fn objects(&self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        self.list(name).unwrap_or_default().into_iter().filter_map(|item| Self::read(item.get()))
    }

    /// The field as text. A number is taken digit by digit: account webhooks hold ids that no float can.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(self.raw(name)?.get())
    }

    /// The field as text that says something.
    pub(super) fn words(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// The field as an id: text that says something and is not over-long.
    pub(super) fn id(&self, name: &str) -> Option<String> {
        self.words(name).filter(|id| id.len() <= LONGEST_ID)
    }

    /// The field as a whole number, given as number or string.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// The field as a finite number, given as number or string.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Whether the field is `true`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|raw| matches!(raw.get(), "true" | "\"true\""))
    }
}

fn is_key(raw: &str, name: &str) -> bool {
    let plain = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    plain == Some(name) || (raw.contains('\\') && text(raw).as_deref() == Some(name))
}

/// A string's or number's text; `None` for anything else.
pub(super) fn text(raw: &str) -> Option<String> {
    if raw.starts_with('"') {
        serde_json::from_str(raw).or_else(|_| serde_json::from_str(&mend(raw))).ok()
    } else {
        raw.starts_with(|c: char| c.is_ascii_digit() || c == '-').then(|| raw.to_owned())
    }
}

/// The JSON string with each half of a surrogate pair, which no Rust string can hold, made a replacement character.
fn mend(raw: &str) -> String {
    let mut mended = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let (length, kept) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (12, escape.get(..12)),
            (Some(0xD800..=0xDFFF), _) => (6, None),
            // The backslash and what it escapes, so that an escaped backslash does not begin anything.
            (_, _) => {
                let length = escape.chars().take(2).map(char::len_utf8).sum();
                (length, escape.get(..length))
            }
        };
        mended.push_str(kept.unwrap_or("\u{FFFD}"));
        rest = escape.get(length..).unwrap_or_default();
    }
    mended.push_str(rest);
    mended
}

/// The UTF-16 unit of an escape that stands right here.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_on_its_own() {
        let json = r#"{"id":7,"body":"a\ud83d","id":"9","none":null,"deep":DEEP,"\u0074o":"x","big":880400000000000123}"#;
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        let json = json.replace("DEEP", &deep);
        let fields = Fields::read(&json).unwrap();
        assert_eq!(fields.text("id").as_deref(), Some("9"), "the last of two counts");
        assert_eq!(fields.text("body").as_deref(), Some("a\u{FFFD}"));
        assert_eq!(fields.text("none"), None);
        assert_eq!(fields.text("to").as_deref(), Some("x"), "an escaped key is the same key");
        assert_eq!(fields.text("big").as_deref(), Some("880400000000000123"));
        assert_eq!(fields.text("deep"), None);
        assert!(fields.raw("deep").is_some());
    }

    #[test]
    fn a_null_list_is_empty_and_a_wrong_one_is_none() {
        let fields = Fields::read(r#"{"null":null,"text":"x","list":[1,null]}"#).unwrap();
        assert_eq!(fields.list("null").map(|list| list.len()), Some(0));
        assert_eq!(fields.list("missing").map(|list| list.len()), Some(0));
        assert!(fields.list("text").is_none());
        assert_eq!(fields.list("list").map(|list| list.len()), Some(2));
    }

    #[test]
    fn a_broken_key_does_not_spoil_its_object() {
        let fields = Fields::read(r#"{"\udc00":1,"id":"x"}"#).unwrap();
        assert_eq!(fields.text("id").as_deref(), Some("x"));
    }

    #[test]
    fn only_lone_halves_are_replaced() {
        let cases = [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83d""#, "\u{FFFD}"),
            (r#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (r#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"),
            (r#""\\ud83d\ud83d""#, "\\ud83d\u{FFFD}"),
            (r#""é\"\ud83dé""#, "é\"\u{FFFD}é"),
        ];
        for (json, wanted) in cases {
            assert_eq!(text(json).as_deref(), Some(wanted), "{json}");
        }
    }

    #[test]
    fn an_over_long_id_is_none() {
        let json = format!(r#"{{"id":"{}","empty":" "}}"#, "x".repeat(LONGEST_ID + 1));
        let fields = Fields::read(&json).unwrap();
        assert_eq!((fields.id("id"), fields.id("empty")), (None, None));
    }
}
