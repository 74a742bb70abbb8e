//! Plausibility: whether texts decoded with an encoding look like words.
//!
//! A file does not say that an old Mac or DOS wrote it, and a detector for web pages does not expect it. But with the
//! wrong encoding, words have capitals, symbols or foreign letters inside them: `HŽlo•se` instead of `Héloïse`.

use super::code_page;
use super::text_encoding::TextEncoding;

/// The letters with marks of European languages in lower case.
const LETTERS: &str = "áàâäãåąăāæçćčďđðéèêëęěėēğģíìîïīįıķľłļĺñńňņóòôöõőøœŕřśšşșßťţțþúùûüůűūųýÿźžż";

/// The encodings that are tried when the detected one is implausible, the more common ones first.
fn alternatives() -> [TextEncoding; 8] {
    [
        TextEncoding::Standard(encoding_rs::WINDOWS_1252),
        TextEncoding::Standard(encoding_rs::MACINTOSH),
        TextEncoding::Page(&code_page::IBM850),
        TextEncoding::Page(&code_page::IBM437),
        TextEncoding::Standard(encoding_rs::WINDOWS_1250),
        TextEncoding::Standard(encoding_rs::ISO_8859_2),
        TextEncoding::Page(&code_page::IBM852),
        TextEncoding::Page(&code_page::MAC_CE),
    ]
}

/// How plausible an encoding is for a sample of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plausibility {
    /// Characters that fit the word around them.
    pub(crate) fitting: u32,
    /// Characters that do not.
    pub(crate) odd: u32,
}

impl Plausibility {
    /// Judges the characters beyond ASCII.
    pub(crate) fn of(encoding: TextEncoding, sample: &[u8]) -> Self {
        let text: Vec<char> = encoding.decode_lossy(sample).chars().collect();
        let mut judged = Self { fitting: 0, odd: 0 };
        for (at, c) in text.iter().enumerate().filter(|(_, c)| !c.is_ascii()) {
            let near = |index: Option<usize>| index.and_then(|index| text.get(index)).copied();
            match judge(near(at.checked_sub(1)), *c, near(Some(at + 1))) {
                Some(true) => judged.fitting += 1,
                Some(false) => judged.odd += 1,
                None => {}
            }
        }
        judged
    }

    /// Whether more characters fit than do not.
    pub(crate) fn is_likely(self) -> bool {
        self.fitting > self.odd * 2
    }

    fn score(self) -> i64 {
        i64::from(self.fitting) - 2 * i64::from(self.odd)
    }
}

/// The most plausible alternative for a file whose detected encoding does not fit.
pub(crate) fn find_plausible_encoding(sample: &[u8]) -> Option<TextEncoding> {
    let mut best: Option<(TextEncoding, Plausibility)> = None;
    for encoding in alternatives() {
        let judged = Plausibility::of(encoding, sample);
        if judged.is_likely() && best.is_none_or(|(_, other)| judged.score() > other.score()) {
            best = Some((encoding, judged));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// The first word of the sample with a character beyond ASCII.
pub(crate) fn find_marked_word(encoding: TextEncoding, sample: &[u8]) -> Option<String> {
    const LONGEST: usize = 40;
    let text = encoding.decode_lossy(sample);
    let mut words = text.split(|c: char| !c.is_alphabetic());
    let word = words.find(|word| !word.is_ascii())?;
    Some(word.chars().take(LONGEST).collect())
}

/// Whether a character fits between its neighbours; `None` if it says nothing.
fn judge(before: Option<char>, c: char, after: Option<char>) -> Option<bool> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let is_latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphabetic() || is_european(c));
    let is_lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
    let is_upper = |c: Option<char>| c.is_some_and(char::is_uppercase);
    if c.is_control() || c == '\u{fffd}' {
        return Some(false);
    }
    if is_european(c) {
        // Capitals are at the beginning of a word, or in a word of capitals.
        let fits = if c.is_lowercase() {
            is_lower(before)
                || is_lower(after)
                || (is_upper(before) && !is_upper(after))
                || c == 'ß'
        } else {
            !(is_lower(before) || is_letter(before) && is_lower(after))
        };
        return Some(fits && (is_latin(before) || is_latin(after)));
    }
    if c.is_alphabetic() {
        // Letters of other scripts are not among Latin ones.
        return Some(!is_latin(before) && !is_latin(after));
    }
    let is_inside = is_latin(before) && is_latin(after);
    match c {
        // Apostrophes, dashes and no-break spaces are also between letters.
        '’' | '\u{a0}' | '–' | '—' => None,
        // Mathematical signs, lines and blocks stand apart from words.
        '\u{2200}'..='\u{25ff}' if is_latin(before) || is_latin(after) => Some(false),
        _ => is_inside.then_some(false),
    }
}

fn is_european(c: char) -> bool {
    !c.is_ascii() && c.to_lowercase().next().is_some_and(|lower| LETTERS.contains(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str, encoding: TextEncoding) -> Vec<u8> {
        let byte = |c: char| {
            (0..=255).find(|byte| encoding.decode_lossy(&[*byte]).starts_with(c)).unwrap()
        };
        text.chars().map(byte).collect()
    }

    #[test]
    fn the_encoding_in_which_words_are_words_is_found() {
        let western =
            "Héloïse Lefèvre\nZoë Müller\nJosé Núñez, Málaga\nÅsa Öberg\nGROẞ\n".replace('ẞ', "SS");
        let central = "Łukasz Żak\nJiří Dvořák\nŐry Gábor\nTomáš Čech\n";
        let mac = TextEncoding::Standard(encoding_rs::MACINTOSH);
        for encoding in [
            TextEncoding::Standard(encoding_rs::WINDOWS_1252),
            mac,
            TextEncoding::Page(&code_page::IBM850),
        ] {
            let bytes = encode(&western, encoding);
            assert_eq!(find_plausible_encoding(&bytes), Some(encoding), "{}", encoding.name());
        }
        for encoding in [
            TextEncoding::Standard(encoding_rs::WINDOWS_1250),
            TextEncoding::Page(&code_page::IBM852),
            TextEncoding::Page(&code_page::MAC_CE),
        ] {
            let bytes = encode(central, encoding);
            assert_eq!(find_plausible_encoding(&bytes), Some(encoding), "{}", encoding.name());
        }
        let bytes = encode("Zoë\nMüller\n", mac);
        assert_eq!(find_plausible_encoding(&bytes), Some(mac));
        assert_eq!(find_marked_word(mac, &bytes).as_deref(), Some("Zoë"));
    }

    #[test]
    fn noise_fits_no_encoding() {
        let noise: Vec<u8> = (0x80..=0xff).flat_map(|byte| [b'a', byte, b'b', b'\n']).collect();
        assert_eq!(find_plausible_encoding(&noise), None);
    }
}
