//! Names computed from content: SHA-256 over length-prefixed parts.

use sha2::{Digest, Sha256};

/// The digest of these parts in 64 hexadecimal digits. `["ab", "c"]` and `["a", "bc"]` differ.
pub(crate) fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // As many digits on every machine.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text could have come from [`hex`].
pub(crate) fn is_hex(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_part_ends_matters() {
        assert_ne!(hex(&[b"ab", b"c"]), hex(&[b"a", b"bc"]));
        assert!(is_hex(&hex(&[b"a"])));
        assert!(!is_hex("../parked"));
    }
}
