//! Signs that a text was decoded with the wrong character set, as in `ZoÃ«`.

/// Whether the text holds what UTF-8 looks like when it is read as Windows-1252, or a replacement character.
pub(super) fn is_likely(text: &str) -> bool {
    let mut rest = text.chars();
    let mut pairs_of_another_script = 0;
    while let Some(lead) = rest.next() {
        let mut following = rest.clone();
        let first = following.next();
        match lead {
            '\u{fffd}' => return true,
            // Two bytes, Latin letters: `Ã©`, `Â£`.
            'Ã' | 'Â' if first.is_some_and(is_continuation) => return true,
            'Ä' | 'Å' if first.is_some_and(|c| is_continuation(c) && !is_quote(c)) => {
                return true;
            }
            // Three bytes, punctuation: `â€™`; four, emoji: `ðŸ˜€`.
            'â' if matches!(first, Some('€' | '‚'))
                && following.next().is_some_and(is_continuation) =>
            {
                return true;
            }
            'ð' if first == Some('Ÿ') => return true,
            // Greek and Cyrillic: one pair may be a word's end before a quotation mark, two are none.
            'Î' | 'Ï' | 'Ð' | 'Ñ' if first.is_some_and(is_continuation) => {
                pairs_of_another_script += 1;
                if pairs_of_another_script == 2 {
                    return true;
                }
                rest = following;
                continue;
            }
            _ => {}
        }
        if !matches!(lead, 'Î' | 'Ï' | 'Ð' | 'Ñ') {
            pairs_of_another_script = 0;
        }
    }
    false
}

/// The Windows-1252 characters of the bytes 0x80 to 0xBF.
fn is_continuation(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{bf}') || is_quote(c) || "€‚ƒ„…†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ".contains(c)
}

/// Punctuation that follows a word in honest text, too.
fn is_quote(c: char) -> bool {
    matches!(c, '‘' | '’' | '“' | '”' | '–' | '—' | '…' | '›' | '»' | '«' | '\u{a0}')
}
