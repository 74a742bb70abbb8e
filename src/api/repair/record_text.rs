//! The text of one record, as far as it can be read.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::text::truncate_text;

/// How many bytes around a wrong one are reported.
const CONTEXT: usize = 24;
/// How many places of a record are reported.
const PLACES: usize = 4;

/// A record after its repair.
#[derive(Debug)]
pub(super) struct RepairedRecord<'b> {
    /// JSON; `None` if nothing can be read.
    pub(super) text: Option<Cow<'b, str>>,
    /// The record's id, if it is broken and has one.
    pub(super) id: Option<String>,
    /// What is wrong; `None` if the record is sound.
    pub(super) message: Option<String>,
    /// Whether members are missing.
    pub(super) is_cut: bool,
}

impl<'b> RepairedRecord<'b> {
    /// Repairs a record.
    pub(super) fn from_bytes(raw: &'b [u8]) -> Self {
        let text = String::from_utf8_lossy(raw);
        if is_json(&text) {
            let message = matches!(text, Cow::Owned(_)).then(|| describe_wrong_text(raw));
            let id = message.as_ref().and_then(|_| find_id(&text));
            return Self { text: Some(text), id, message, is_cut: false };
        }
        let escaped = escape_strings(&text);
        let message = Some(describe_wrong_json(raw, &text));
        if is_json(&escaped) {
            return Self {
                id: find_id(&escaped),
                text: Some(escaped.into()),
                message,
                is_cut: false,
            };
        }
        let kept = keep_members(&escaped);
        let id = kept.as_deref().and_then(find_id);
        let text = kept.filter(|_| id.is_some()).map(Cow::Owned);
        let missing =
            if text.is_some() { "; what follows there is missing in the table" } else { "" };
        Self { text, id, message: message.map(|message| message + missing), is_cut: true }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Replaces what JSON does not allow in texts: control characters, and backslashes that begin no escape.
fn escape_strings(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let (mut is_string, mut rest) = (false, text.chars());
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                is_string = !is_string;
                escaped.push(c);
            }
            '\\' if is_string => match escape_length(rest.as_str()) {
                Some(length) => {
                    escaped.push('\\');
                    escaped.extend(rest.by_ref().take(length));
                }
                None => escaped.push_str("\\\\"),
            },
            c if is_string && c < ' ' => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// The length of an escape behind its backslash; `None` if JSON does not know it.
fn escape_length(rest: &str) -> Option<usize> {
    match rest.as_bytes().first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => {
            let digits = rest.as_bytes().get(1..5)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(5)
        }
        _ => None,
    }
}

/// The object with its members up to the first that is not JSON.
fn keep_members(text: &str) -> Option<String> {
    let mut rest = text.trim_start().strip_prefix('{')?;
    let mut kept = String::from("{");
    while let Some((key, after)) = take_value(rest).filter(|(key, _)| key.starts_with('"')) {
        let Some(after) = after.trim_start().strip_prefix(':') else { break };
        let Some((value, after)) = take_value(after) else { break };
        if kept.len() > 1 {
            kept.push(',');
        }
        kept.extend([key, ":", value]);
        let Some(next) = after.trim_start().strip_prefix(',') else { break };
        rest = next;
    }
    kept.push('}');
    (kept.len() > 2).then_some(kept)
}

/// The value at the beginning of a text, and what follows it.
fn take_value(text: &str) -> Option<(&str, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let value = values.next()?.ok()?.get();
    Some((value, text.get(values.byte_offset()..)?))
}

/// The id of a record, or of the contact in a body.
fn find_id(text: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct RecordId<'a> {
        #[serde(borrow, alias = "_id")]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        contact: Option<&'a RawValue>,
    }
    let record: RecordId<'_> = serde_json::from_str(text).ok()?;
    let Some(id) = record.id else { return find_id(record.contact?.get()) };
    let id = match id.get() {
        quoted if quoted.starts_with('"') => serde_json::from_str::<String>(quoted).ok()?,
        number => number.to_owned(),
    };
    (!id.is_empty()).then(|| truncate_text(&id, 128))
}

/// Names the places with bytes that are not UTF-8.
fn describe_wrong_text(raw: &[u8]) -> String {
    let mut places = Vec::new();
    let mut at = 0;
    for chunk in raw.utf8_chunks() {
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() && places.last().is_none_or(|last| last + CONTEXT <= at) {
            places.push(at);
        }
        at += chunk.invalid().len();
    }
    let mut message = "bytes that are not UTF-8 (U+FFFD in the table): ".to_owned();
    let shown = places.iter().take(PLACES).map(|at| format!("`{}`", show_bytes(raw, *at)));
    message.push_str(&shown.collect::<Vec<_>>().join(", "));
    if places.len() > PLACES {
        let _ = write!(message, " and {} more places", places.len() - PLACES);
    }
    message
}

/// Names the first place that is not JSON.
fn describe_wrong_json(raw: &[u8], text: &str) -> String {
    let Err(error) = serde_json::from_str::<&RawValue>(text) else { return String::new() };
    // Places are counted in the text, where a wrong byte has three.
    let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let at = line_start.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    let at = if text.len() == raw.len() { at.min(raw.len()) } else { 0 };
    let cause = error.to_string();
    let cause = cause.split(" at line ").next().unwrap_or_default();
    format!("not JSON ({cause}): `{}`", show_bytes(raw, at))
}

/// The bytes around a place; what is not printable ASCII or part of a character as `\xNN`.
fn show_bytes(raw: &[u8], at: usize) -> String {
    let (from, to) = (at.saturating_sub(CONTEXT), (at + CONTEXT).min(raw.len()));
    let mut shown = String::new();
    if from > 0 {
        shown.push('…');
    }
    for chunk in raw[from..to].utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_control() => {
                    let _ = write!(shown, "\\x{:02X}", u32::from(c));
                }
                c => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    if to < raw.len() {
        shown.push('…');
    }
    shown
}
