//! How a settings item is named, and that a name is read back as what it was written for.

use std::fmt;

use shared::OrgId;
use shared::channel::{Channel, LineKey};

/// The name of a settings item: `ORG#<org>`, `LINE#<channel>:<address>` or `CREATIO-TOKEN#<hex SHA-256>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An organisation.
    Org(OrgId),
    /// A line.
    Line(LineKey),
    /// A webhook token, known by its SHA-256 digest.
    CreatioToken([u8; 32]),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org(org) => write!(f, "ORG#{org}"),
            Self::Line(line) => write!(f, "LINE#{line}"),
            Self::CreatioToken(digest) => {
                f.write_str("CREATIO-TOKEN#")?;
                digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl Key {
    /// The key with this name; `None` for a name that this version gives to nothing.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once('#')?;
        match kind {
            "ORG" => OrgId::new(rest).ok().map(Self::Org),
            "LINE" => line(rest).map(Self::Line),
            "CREATIO-TOKEN" => digest(rest).map(Self::CreatioToken),
            _ => None,
        }
    }
}

fn line(text: &str) -> Option<LineKey> {
    let (channel, address) = text.split_once(':')?;
    let channel = [Channel::Whatsapp].into_iter().find(|known| known.name() == channel)?;
    Some(LineKey { channel, address: address.to_owned() })
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let mut bytes = [0; 32];
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_what_it_was_written_for() {
        let digest = std::array::from_fn(|at| u8::try_from(at * 7).unwrap());
        let names = [
            (Key::Org(OrgId::new("acme").unwrap()), "ORG#acme".to_owned()),
            (Key::Line(LineKey::whatsapp("88#0:1")), "LINE#whatsapp:88#0:1".to_owned()),
            (
                Key::CreatioToken(digest),
                "CREATIO-TOKEN#00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9".to_owned(),
            ),
        ];
        for (key, name) in names {
            assert_eq!((key.to_string(), Key::read(&name)), (name, Some(key)));
        }
    }

    #[test]
    fn other_names_are_nothing_of_ours() {
        let half = format!("CREATIO-TOKEN#{}", "0".repeat(62));
        let odd = format!("CREATIO-TOKEN#{}+f", "0".repeat(62));
        for name in ["", "ORG", "ORG#", "ORG#Acme", "LINE#pigeon:1", "LINE#1", "LATER#acme", &half, &odd] {
            assert_eq!(Key::read(name), None, "{name}");
        }
    }
}
