//! Normalizes names for comparison.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Normalizes a name to words: resolves compatibility forms, converts to lower case, splits `camelCase`, and treats
/// everything other than letters and digits as a space. Accents stay.
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

/// Reduces a name to its letters and digits: like [`normalise_name`], without accents and spaces. Names with the
/// same result are considered equal.
#[must_use]
pub fn fold_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            // Conversion to lower case may add marks, as for `İ`.
            c if c.is_alphanumeric() => folded.push(c),
            _ => {}
        }
    }
    folded
}

/// Characters of zero width, which are copied along with text from web pages.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Whether a capital begins a word: after a lower-case letter (`lastName`), or as the last of several before a
/// lower-case letter (`IDNumber`).
fn begins_word(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|at| chars[at]) else { return false };
    let after_small = before.is_lowercase() || before.is_numeric();
    let before_small = chars.get(at + 1).is_some_and(|c| c.is_lowercase());
    chars[at].is_uppercase() && (after_small || before.is_uppercase() && before_small)
}
