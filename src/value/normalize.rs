//! Keys for names, which ignore case, accents, punctuation and a leading "the".

use unicode_normalization::UnicodeNormalization;

/// The key of a name: letters and digits in lower case, with one space between words.
pub(super) fn name_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in
        name.nfkd().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).flat_map(char::to_lowercase)
    {
        if c == '&' {
            key.push_str(" and ");
        } else if c.is_alphanumeric() || is_letter_mark(c) {
            key.push(c);
        } else {
            key.push(' ');
        }
    }
    let mut words: Vec<_> = key.split_whitespace().collect();
    if words.len() > 1 && words[0] == "the" {
        words.remove(0);
    }
    words.join(" ")
}

/// Marks that are parts of letters, as in the scripts of India. Accents have been removed before.
fn is_letter_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}
