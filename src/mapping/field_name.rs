//! Names of custom fields, made of headers.

/// A header as the name of a custom field: on one line, and without what is invisible.
#[must_use]
pub fn clean_field_name(header: &str) -> String {
    let visible = |c: &char| !is_invisible_or_bidi(*c);
    let shown: String =
        header.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(visible).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a character is invisible, or changes the order of others.
pub(crate) fn is_invisible_or_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_becomes_a_name_on_one_line() {
        assert_eq!(clean_field_name("  Shoe\n size\u{200b} (EU) "), "Shoe size (EU)");
        assert_eq!(clean_field_name("\t"), "");
    }
}
