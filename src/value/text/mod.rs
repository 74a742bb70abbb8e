//! Text: the content of a cell without the damage done by earlier programs.
//!
//! Surrounding spaces, invisible characters, and the apostrophe that spreadsheets and exporters put in front are
//! removed; letters are composed (NFC). Anything that carries meaning stays: line breaks, inner spaces, apostrophes
//! of names. A text that looks wrongly decoded is reported but not changed.

mod apostrophe;
mod mail_encoding;
mod mojibake;

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::ParsedValue;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

#[cfg(test)]
mod tests;

/// Cleans a cell's text.
///
/// Removes outer spaces and zero-width characters, one leading `'` added by a spreadsheet or an exporter
/// (`W_APOSTROPHE_STRIPPED`), invisible characters (`W_INVISIBLE_CHARACTER`) and characters that change the
/// direction of writing (`W_BIDI_CONTROL`). No-break spaces become spaces. `W_MOJIBAKE`: the text looks wrongly
/// decoded, or not decoded at all, and is not changed.
///
/// # Errors
/// `R_CONTROL_CHARACTER` for a control character other than tab, line feed and carriage return.
pub fn clean_text(raw: &str) -> Result<ParsedValue<String>, Diagnostic> {
    if !raw.bytes().all(is_plain_ascii) {
        return clean_unicode(raw);
    }
    let mut notices = Vec::new();
    let text = apostrophe::strip_leading(raw.trim_ascii(), &mut notices);
    if mail_encoding::is_likely(text) {
        notices.push(Diagnostic::new(
            DiagnosticCode::W_MOJIBAKE,
            "the text seems to be encoded as in the source of an e-mail; it is left unchanged",
        ));
    }
    Ok(ParsedValue { value: text.to_owned(), notices })
}

/// Puts the text on one line: each line break becomes `, `, and blank lines are removed.
#[must_use]
pub fn to_single_line(text: &str) -> String {
    if !text.contains(is_line_break) {
        return text.to_owned();
    }
    let mut line = String::with_capacity(text.len());
    for part in text.split(is_line_break).map(str::trim).filter(|part| !part.is_empty()) {
        if line.ends_with([',', ';']) {
            line.push(' ');
        } else if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(part);
    }
    line
}

/// Puts a name on one line: each line break becomes a space, since `, ` would separate a last name from a first one.
#[must_use]
pub fn name_to_single_line(name: &str) -> String {
    let lines = name.split(is_line_break).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Cleans a text that is not entirely printable ASCII.
fn clean_unicode(raw: &str) -> Result<ParsedValue<String>, Diagnostic> {
    if let Some(c) = raw.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(control_character_error(c));
    }
    let mut notices = Vec::new();
    let mut found = RemovedCharacters::default();
    let trimmed = raw.trim_matches(is_trimmable);
    let (start, end) = raw.split_once(trimmed).unwrap_or_default();
    found.record_removed(start);
    found.record_removed(end);
    let text = apostrophe::strip_leading(trimmed, &mut notices);
    let value = if mojibake::is_likely(text) {
        notices.push(Diagnostic::new(
            DiagnosticCode::W_MOJIBAKE,
            "the text seems to have been decoded with the wrong encoding; it is left unchanged",
        ));
        Cow::Borrowed(text)
    } else {
        strip_invisible(text, &mut found)
    };
    found.push_notices(&mut notices);
    let value = match is_nfc_quick(value.chars()) {
        IsNormalized::Yes => value.into_owned(),
        _ => value.nfc().collect(),
    };
    Ok(ParsedValue { value, notices })
}

fn control_character_error(c: char) -> Diagnostic {
    let code = u32::from(c);
    let hint = match code {
        0x80..=0x9f => "; the file was probably decoded with the wrong encoding",
        _ => "; remove it from the cell",
    };
    Diagnostic::new(
        DiagnosticCode::R_CONTROL_CHARACTER,
        format!("the text contains the control character U+{code:04X}{hint}"),
    )
}

/// Spaces and invisible characters, which are meaningless at the ends of a text.
fn is_trimmable(c: char) -> bool {
    c.is_whitespace() || is_bidi_control(c) || is_invisible(c) || is_zero_width_joiner(c)
}

/// Characters that are not displayed.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// The zero-width joiner and non-joiner, which some scripts and emoji need.
fn is_zero_width_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Characters that change the direction of writing.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Scripts without spaces, in which a zero-width space separates words.
fn is_spaceless_script(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}

/// The kinds of characters that were removed.
#[derive(Default)]
struct RemovedCharacters {
    unseen: bool,
    turns: bool,
}

impl RemovedCharacters {
    fn record_removed(&mut self, text: &str) {
        self.unseen |= text.contains(|c| is_invisible(c) || is_zero_width_joiner(c));
        self.turns |= text.contains(is_bidi_control);
    }

    fn push_notices(&self, notices: &mut Vec<Diagnostic>) {
        if self.unseen {
            notices.push(Diagnostic::new(
                DiagnosticCode::W_INVISIBLE_CHARACTER,
                "invisible characters were removed from the text",
            ));
        }
        if self.turns {
            notices.push(Diagnostic::new(
                DiagnosticCode::W_BIDI_CONTROL,
                "characters that change the direction of writing were removed from the text",
            ));
        }
    }
}

fn strip_invisible<'t>(text: &'t str, found: &mut RemovedCharacters) -> Cow<'t, str> {
    let odd = |c: char| {
        is_invisible(c) || is_zero_width_joiner(c) || is_bidi_control(c) || is_no_break_space(c)
    };
    if !text.contains(odd) {
        return Cow::Borrowed(text);
    }
    let mut value = String::with_capacity(text.len());
    let mut previous = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_next_to = |test: fn(char) -> bool| test(previous) || test(next);
        let is_needed = (is_zero_width_joiner(c) && is_next_to(|c| !c.is_ascii()))
            || (c == '\u{200b}' && is_next_to(is_spaceless_script));
        if is_bidi_control(c) {
            found.turns = true;
        } else if (is_invisible(c) || is_zero_width_joiner(c)) && !is_needed {
            found.unseen = true;
        } else {
            value.push(if is_no_break_space(c) { ' ' } else { c });
            previous = c;
        }
    }
    Cow::Owned(value)
}

fn is_no_break_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}
