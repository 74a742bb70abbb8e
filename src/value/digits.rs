//! Converts digits of other scripts to ASCII.

use std::borrow::Cow;

/// The zero of each supported set of decimal digits: full-width, Arabic-Indic, Persian, Devanagari, Bengali, Thai.
const ZEROS: [char; 6] = ['\u{ff10}', '\u{0660}', '\u{06f0}', '\u{0966}', '\u{09e6}', '\u{0e50}'];

/// Converts such digits, and full-width punctuation, to ASCII.
pub(super) fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(char_to_ascii).collect())
}

fn char_to_ascii(c: char) -> char {
    for zero in ZEROS {
        if let Some(digit) = u32::from(c).checked_sub(u32::from(zero)).filter(|digit| *digit < 10) {
            return char::from_digit(digit, 10).expect("a digit is below ten");
        }
    }
    match c {
        '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' => {
            char::from_u32(u32::from(c) - 0xfee0).expect("the ASCII block has them all")
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}' | '\u{3000}' => ' ',
        c => c,
    }
}
