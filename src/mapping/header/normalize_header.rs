//! Names made comparable.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name in words: compatibility forms resolved, lower case, `camelCase` split, everything that is
/// neither letter nor digit taken for a blank. Accents stay.
#[must_use]
pub fn normalise_name(name: &str) -> String {
    let chars: Vec<char> = name.nfkc().filter(|c| !is_invisible(*c)).collect();
    let mut words = String::with_capacity(name.len());
    let mut between = false;
    for (at, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() && !is_combining_mark(c) {
            between = true;
            continue;
        }
        if (between || begins_word(&chars, at)) && !words.is_empty() {
            words.push(' ');
        }
        between = false;
        words.extend(c.to_lowercase());
    }
    words
}

/// A name by its letters and digits alone: as [`normalise_name`], without accents and blanks. Two names
/// that fold to the same text are the same name.
#[must_use]
pub fn fold_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            // Lower case may bring marks of its own, as that of `İ` does.
            c if c.is_alphanumeric() => folded.push(c),
            _ => {}
        }
    }
    folded
}

/// Characters that take no room: they come along when text is copied from web pages.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether a capital begins a word: after a small letter (`lastName`), or as the last of several before
/// a small one (`IDNumber`).
fn begins_word(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| chars[at]) else { return false };
    let after_small = before.is_lowercase() || before.is_numeric();
    let before_small = chars.get(at + 1).is_some_and(|c| c.is_lowercase());
    chars[at].is_uppercase() && (after_small || before.is_uppercase() && before_small)
}
