//! JSON files that show damage: the last member, `checksum`, is the SHA-256 of everything before it.

use serde::Serialize;

use super::state_hash::sha256_hex;

/// What stands before the checksum, and behind it.
const BEFORE: &str = ",\n  \"checksum\": \"";
const BEHIND: &str = "\"\n}\n";

/// An object as JSON for people, with its checksum.
pub(super) fn to_bytes(object: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(object).expect("it is plain JSON");
    text.truncate(text.trim_end_matches("\n}").len());
    let checksum = sha256_hex(text.as_bytes());
    text.push_str(BEFORE);
    text.push_str(&checksum);
    text.push_str(BEHIND);
    text.into_bytes()
}

/// An object as JSON for people, without a checksum.
pub(super) fn to_plain_bytes(object: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(object).expect("it is plain JSON");
    bytes.push(b'\n');
    bytes
}

/// Whether bytes are what was written, to the last one.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let parts = text.strip_suffix(BEHIND).and_then(|text| text.rsplit_once(BEFORE));
    parts.is_some_and(|(content, checksum)| sha256_hex(content.as_bytes()) == checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_can_change_unnoticed() {
        let bytes = to_bytes(&serde_json::json!({"a": 1, "b": {"c": "d\n}"}}));
        assert!(is_sound(&bytes));
        assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0x80] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert!(!is_sound(&other), "byte {at}");
            }
            assert!(!is_sound(&bytes[..at]), "cut at {at}");
        }
    }
}
