//! JSON text inside JSON Lines: embedded as it is, or as a string where readers would refuse it.
//!
//! A column of JSON holds text as a server sent it. Nested deeper than [`DEEPEST`], or with half a surrogate pair in
//! it, the line would be refused by common readers and the file lost for one cell; such text is embedded as a string.
//! White space between tokens is left out where it would break the line. The text is taken to be well formed.

/// The deepest nesting that is embedded.
pub(super) const DEEPEST: usize = 100;

/// Appends a text as a JSON string.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes every byte");
}

/// Appends JSON text as a value.
pub(super) fn embed_json(out: &mut Vec<u8>, text: &str) {
    // To nest so deep takes two bytes a level, and half a pair takes an escape: most text need not be looked at.
    let suspect = text.len() > 2 * DEEPEST || text.contains("\\u");
    if suspect && !is_embeddable(text.as_bytes()) {
        return write_string(out, text);
    }
    if text.bytes().any(|b| b == b'\n' || b == b'\r') {
        // No string holds a raw line break, so all of them are between tokens.
        out.extend(text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

fn is_embeddable(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match (byte, in_string) {
            (b'"', _) => in_string = !in_string,
            (b'\\', _) => match escape_length(&text[at..]) {
                Some(length) => at += length - 1,
                None => return false,
            },
            (b'[' | b'{', false) => depth += 1,
            (b']' | b'}', false) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return false;
        }
        at += 1;
    }
    true
}

/// The length of the escape at the start of this text; none if it is half a surrogate pair.
fn escape_length(text: &[u8]) -> Option<usize> {
    match (parse_unicode_escape(text), text.get(6..).and_then(parse_unicode_escape)) {
        (None, _) => Some(2),
        (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => Some(12),
        (Some(0xD800..0xE000), _) => None,
        (Some(_), _) => Some(6),
    }
}

/// The code of an escape `\uXXXX` at the start of this text.
fn parse_unicode_escape(text: &[u8]) -> Option<u32> {
    let hex = text.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}
