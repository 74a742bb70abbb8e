//! JSON text inside JSON Lines: embedded as it is, or as a string where readers would reject it.
//!
//! A JSON column has text as a server sent it. If it is nested deeper than [`MAX_DEPTH`] or
//! contains an unpaired surrogate, common readers would reject the line and the file would be lost
//! for one cell; such text is embedded as a string. White space between tokens is omitted where it
//! would break the line. The text is assumed to be well formed.

/// The deepest nesting that is embedded.
pub(super) const MAX_DEPTH: usize = 100;

/// Appends a text as a JSON string.
pub(super) fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a vector takes every byte");
}

/// Appends JSON text as a value.
pub(super) fn embed_json(out: &mut Vec<u8>, text: &str) {
    // Such nesting takes two bytes per level, and a surrogate takes an escape: most text need not
    // be scanned.
    let needs_scan = text.len() > 2 * MAX_DEPTH || text.contains("\\u");
    if needs_scan && !is_embeddable(text.as_bytes()) {
        return write_string(out, text);
    }
    if text.bytes().any(|b| b == b'\n' || b == b'\r') {
        // A JSON string contains no raw line break, so all of them are between tokens.
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
        if depth > MAX_DEPTH {
            return false;
        }
        at += 1;
    }
    true
}

/// The length of the escape at the start of this text; `None` if it is an unpaired surrogate.
fn escape_length(text: &[u8]) -> Option<usize> {
    match (parse_unicode_escape(text), text.get(6..).and_then(parse_unicode_escape)) {
        (None, _) => Some(2),
        (Some(0xD800..0xDC00), Some(0xDC00..0xE000)) => Some(12),
        (Some(0xD800..0xE000), _) => None,
        (Some(_), _) => Some(6),
    }
}

/// The code unit of an escape such as `\u00e9` at the start of this text.
fn parse_unicode_escape(text: &[u8]) -> Option<u32> {
    let hex = text.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}
