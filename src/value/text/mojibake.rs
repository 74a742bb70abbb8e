//! Detects text that was decoded with the wrong character set, such as `ZoÃ«`.

/// Whether the text contains UTF-8 that was read as Windows-1252, or a replacement character.
pub(super) fn is_likely(text: &str) -> bool {
    let mut rest = text.chars();
    let mut pairs_of_another_script = 0;
    while let Some(lead) = rest.next() {
        let mut following = rest.clone();
        let first = following.next();
        match lead {
            '\u{fffd}' => return true,
            // Two bytes: Latin letters, `Ã©`, `Â£`.
            'Ã' | 'Â' if first.is_some_and(is_continuation) => return true,
            'Ä' | 'Å' if first.is_some_and(|c| is_continuation(c) && !is_quote(c)) => {
                return true;
            }
            // Three bytes: punctuation, `â€™`. Four bytes: emoji, `ðŸ˜€`.
            'â' if matches!(first, Some('€' | '‚'))
                && following.next().is_some_and(is_continuation) =>
            {
                return true;
            }
            'ð' if first == Some('Ÿ') => return true,
            // Greek and Cyrillic. One pair may be the end of a word before a quotation mark; two pairs cannot.
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

/// Punctuation that also follows a word in correctly decoded text.
fn is_quote(c: char) -> bool {
    matches!(c, '‘' | '’' | '“' | '”' | '–' | '—' | '…' | '›' | '»' | '«' | '\u{a0}')
}
