//! Scans JSON text that is known to be well formed.
//!
//! The text has passed a parser before, so scanning it needs no recursion, allocation or errors. On
//! malformed text the scan ends early; it never panics.

use std::borrow::Cow;

/// The elements of an array, as text; none if `raw` is not an array.
pub(super) fn array_elements(raw: &str) -> JsonElements<'_> {
    let at = if raw.starts_with('[') { 1 } else { raw.len() };
    JsonElements { raw, at }
}

/// The members of an object, as text: keys as sent (without quotes, still escaped) and values.
pub(super) fn object_members(raw: &str) -> JsonMembers<'_> {
    let at = if raw.starts_with('{') { 1 } else { raw.len() };
    JsonMembers { raw, at }
}

/// Where the value of an object's member starts. The value itself is not scanned.
pub(super) fn find_member_value(raw: &str, key: &str) -> Option<usize> {
    let mut at = raw.find('{')? + 1;
    loop {
        let start = next_token_start(raw, at)?;
        let end = value_end(raw, start);
        let value = next_token_start(raw, end)?;
        if strip_quotes(raw.get(start..end)?)? == key {
            return Some(value);
        }
        at = value_end(raw, value);
    }
}

/// The value at a start position.
pub(super) fn value_at(raw: &str, start: usize) -> Option<&str> {
    raw.get(start..value_end(raw, start))
}

/// The text of a JSON string; `None` if `raw` is not a string or is not representable in UTF-8.
pub(super) fn decode_string(raw: &str) -> Option<Cow<'_, str>> {
    unescape_text(strip_quotes(raw)?)
}

/// The text of an escaped string without quotes; `None` if it is not representable in UTF-8.
pub(super) fn unescape_text(inner: &str) -> Option<Cow<'_, str>> {
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut text = String::new();
    append_unescaped(inner, &mut text).then_some(Cow::Owned(text))
}

/// The text between the quotes of a JSON string.
pub(super) fn strip_quotes(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

/// Appends the text of an escaped string without quotes. Returns false if it contains an unpaired
/// surrogate, which becomes U+FFFD.
pub(super) fn append_unescaped(inner: &str, text: &mut String) -> bool {
    let mut clean = true;
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (read, used) = decode_escape(&rest[at + 1..]);
        clean &= read.is_some();
        text.push(read.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(at + 1 + used..).unwrap_or_default();
    }
    text.push_str(rest);
    clean
}

/// The character of an escape, and how many bytes it has after the backslash.
fn decode_escape(rest: &str) -> (Option<char>, usize) {
    let plain = match rest.as_bytes().first() {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return decode_unicode_escape(&rest[1..]),
        Some(&b) if b.is_ascii() => char::from(b),
        _ => return (None, 0),
    };
    (Some(plain), 1)
}

fn decode_unicode_escape(rest: &str) -> (Option<char>, usize) {
    let unit = |at| u32::from_str_radix(rest.get(at..at + 4)?, 16).ok();
    match (unit(0), rest.get(4..6), unit(6)) {
        (Some(high @ 0xD800..0xDC00), Some("\\u"), Some(low @ 0xDC00..0xE000)) => {
            let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
            (char::from_u32(code), 11)
        }
        (first, ..) => (first.and_then(char::from_u32), 5),
    }
}

pub(super) struct JsonElements<'r> {
    raw: &'r str,
    at: usize,
}

impl JsonElements<'_> {
    /// No elements.
    pub(super) fn empty() -> Self {
        Self { raw: "", at: 0 }
    }
}

impl<'r> Iterator for JsonElements<'r> {
    type Item = &'r str;

    fn next(&mut self) -> Option<&'r str> {
        let start = next_token_start(self.raw, self.at)?;
        self.at = value_end(self.raw, start);
        self.raw.get(start..self.at)
    }
}

pub(super) struct JsonMembers<'r> {
    raw: &'r str,
    at: usize,
}

impl<'r> Iterator for JsonMembers<'r> {
    type Item = (&'r str, &'r str);

    fn next(&mut self) -> Option<Self::Item> {
        let start = next_token_start(self.raw, self.at)?;
        let end = value_end(self.raw, start);
        let key = strip_quotes(self.raw.get(start..end)?)?;
        let start = next_token_start(self.raw, end)?;
        self.at = value_end(self.raw, start);
        Some((key, self.raw.get(start..self.at)?))
    }
}

/// Where the next value or key starts; `None` at the end of the array or object.
fn next_token_start(raw: &str, at: usize) -> Option<usize> {
    let skipped = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':');
    let bytes = raw.as_bytes().get(at..)?;
    let start = at + bytes.iter().take_while(|b| skipped(b)).count();
    let first = raw.as_bytes().get(start)?;
    (!matches!(first, b']' | b'}')).then_some(start)
}

fn value_end(raw: &str, start: usize) -> usize {
    let bytes = raw.as_bytes();
    match bytes[start] {
        b'"' => string_end(bytes, start),
        b'{' | b'[' => nesting_end(bytes, start),
        _ => {
            let ends =
                |b: &u8| matches!(b, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
            let length = bytes[start..].iter().position(ends);
            // At least one byte, so that scanning malformed text also ends.
            length.map_or(bytes.len(), |n| start + n.max(1))
        }
    }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(rest) = bytes.get(at..) {
        let Some(end) = memchr::memchr2(b'"', b'\\', rest) else {
            break;
        };
        if rest[end] == b'"' {
            return at + end + 1;
        }
        at += end + 2;
    }
    bytes.len()
}

fn nesting_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(b) = bytes.get(at) {
        match b {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}
