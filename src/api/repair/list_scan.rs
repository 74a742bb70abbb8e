//! Finds the records of a list in a body that no JSON parser accepts.
//!
//! A record that is JSON is taken as such. Another one ends where its braces balance, or, if that leads nowhere, where
//! the rest of the body is sound again.

use memchr::{memchr, memchr2, memrchr_iter};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// How often a place is looked for from which on a body is sound.
const MAX_ATTEMPTS: usize = 64;

/// A body, divided at its list.
#[derive(Debug)]
pub(super) struct ScannedList<'b> {
    /// Everything up to and with the bracket that opens the list.
    pub(super) head: &'b [u8],
    /// The records, as they were sent.
    pub(super) records: Vec<&'b [u8]>,
    /// Everything from the bracket that closes the list.
    pub(super) tail: &'b [u8],
}

impl<'b> ScannedList<'b> {
    /// Divides a body; `None` if it has no such list, or if what follows the list is not sound: it was cut off.
    pub(super) fn find(body: &'b [u8], list: &str) -> Option<Self> {
        let start = find_list(body, list)?;
        let mut records = Vec::new();
        let mut at = skip_blank(body, start);
        if body.get(at) != Some(&b']') {
            loop {
                let end = record_end(body, at)
                    .or_else(|| find_sound_rest(body, at))
                    .or_else(|| find_last_bracket(body, at))?;
                records.push(body[at..end].trim_ascii_end());
                at = skip_blank(body, end);
                match body.get(at)? {
                    b',' => at = skip_blank(body, at + 1),
                    _ => break,
                }
            }
        }
        is_sound_tail(body, at).then(|| Self { head: &body[..start], records, tail: &body[at..] })
    }
}

/// Where the first record of a list begins: behind its bracket.
fn find_list(body: &[u8], list: &str) -> Option<usize> {
    let mut at = skip_blank(body, 0);
    (body.get(at) == Some(&b'{')).then_some(())?;
    loop {
        at = skip_blank(body, at + 1);
        let end = string_end(body, at)?;
        let is_list = body[at..end].strip_prefix(b"\"")?.strip_suffix(b"\"")? == list.as_bytes();
        at = skip_blank(body, end);
        (body.get(at) == Some(&b':')).then_some(())?;
        at = skip_blank(body, at + 1);
        if is_list {
            return (body.get(at) == Some(&b'[')).then_some(at + 1);
        }
        at = skip_blank(body, record_end(body, at)?);
        (body.get(at) == Some(&b',')).then_some(())?;
    }
}

/// Where a value ends: as JSON, or where its braces balance before a comma or the end of the list.
fn record_end(body: &[u8], at: usize) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_slice(&body[at..]).into_iter::<&RawValue>();
    let parsed = match values.next() {
        Some(Ok(_)) => Some(at + values.byte_offset()),
        _ => nesting_end(body, at),
    };
    parsed.filter(|end| matches!(body.get(skip_blank(body, *end)), Some(b',' | b']' | b'}')))
}

/// The next record from which on the whole rest of the body can be divided.
fn find_sound_rest(body: &[u8], broken: usize) -> Option<usize> {
    let mut from = broken + 1;
    for _ in 0..MAX_ATTEMPTS {
        let start = from + memchr(b'{', body.get(from..)?)?;
        let comma = body[broken..start].trim_ascii_end();
        if comma.ends_with(b",") && is_sound_rest(body, start) {
            return Some(broken + comma.len() - 1);
        }
        from = start + 1;
    }
    None
}

fn is_sound_rest(body: &[u8], start: usize) -> bool {
    let mut at = start;
    loop {
        let Some(end) = record_end(body, at) else { return false };
        at = skip_blank(body, end);
        match body.get(at) {
            Some(b',') => at = skip_blank(body, at + 1),
            _ => return is_sound_tail(body, at),
        }
    }
}

/// The bracket that ends the list, for a list whose last record is broken.
fn find_last_bracket(body: &[u8], broken: usize) -> Option<usize> {
    let brackets = memrchr_iter(b']', &body[broken..]).take(MAX_ATTEMPTS);
    brackets.map(|at| broken + at).find(|at| is_sound_tail(body, *at))
}

/// Whether a bracket closes the list, and what follows are the other members of the body and its end.
fn is_sound_tail(body: &[u8], at: usize) -> bool {
    let Some(rest) = body.get(at..).and_then(|rest| rest.strip_prefix(b"]")) else { return false };
    let object = format!("{{\"\":0{}", String::from_utf8_lossy(rest));
    serde_json::from_str::<IgnoredAny>(&object).is_ok()
}

fn skip_blank(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// The end of an object, array or text by its braces and quotes alone.
fn nesting_end(body: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0_usize);
    loop {
        match body.get(at)? {
            b'"' => {
                at = string_end(body, at)?;
                if depth == 0 {
                    return Some(at);
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// The end of a text that starts with a quote.
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let rest = body.get(at..)?;
        let found = memchr2(b'"', b'\\', rest)?;
        if rest[found] == b'"' {
            return Some(at + found + 1);
        }
        at += found + 2;
    }
}
