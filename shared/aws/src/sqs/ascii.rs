//! JSON in plain ASCII. SQS refuses some characters, and one of them in a customer's text would make the sending fail
//! for ever: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes a value as JSON of the characters from space to `~` only. The same value gives the same text.
pub(super) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii))?;
    String::from_utf8(bytes).map_err(|_| serde::ser::Error::custom("not UTF-8"))
}

/// Compact JSON that escapes whatever is not plain ASCII. Those below U+0020, `"` and `\` the library escapes itself.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, to: &mut W, text: &str) -> io::Result<()> {
        for character in text.chars() {
            if matches!(character, ' '..='~') {
                write!(to, "{character}")?;
                continue;
            }
            // Beyond U+FFFF JSON has no escape but the two halves of UTF-16.
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn is_plain(text: &str) -> bool {
        text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    }

    #[test]
    fn what_is_not_plain_is_escaped() {
        let text = "\0\u{1f}\u{7f}\u{9f}é\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}\"\\/\n";
        let written = r#""\u0000\u001f\u007f\u009f\u00e9\ud7ff\ue000\uffff\ud800\udc00\udbff\udfff\"\\/\n""#;
        assert_eq!(json(&text).unwrap(), written);
        assert_eq!(serde_json::from_str::<String>(written).unwrap(), text);
    }

    proptest! {
        #[test]
        fn any_text_is_read_back(text in any::<String>(), name in any::<String>(), number in any::<f64>()) {
            let value = serde_json::json!({ &name: [&text, number, null], "n": { &text: u64::MAX } });
            let written = json(&value).unwrap();
            prop_assert!(is_plain(&written), "{written}");
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&read[&name][0], &value[&name][0]);
            prop_assert_eq!(&read["n"], &value["n"]);
        }
    }
}
