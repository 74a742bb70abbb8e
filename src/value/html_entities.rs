//! HTML entities: `&amp;`, `&#39;` and `&#x27;` in texts that a program took from a web page.

/// The longest entity that is looked for, in bytes between `&` and `;`. The longest name has 31.
const LONGEST: usize = 32;

/// How often a text may have been encoded: `&amp;amp;` is `&`.
const MOST_TIMES: usize = 3;

/// A text with its entities decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedEntities {
    /// The decoded text.
    pub text: String,
    /// The first entity that was found.
    pub first: String,
}

/// Decodes a text's HTML entities; `None` if it has none. An entity ends with `;`, so the parameters of web addresses
/// are not changed. Entities of control characters stay as written.
#[must_use]
pub fn decode_html_entities(text: &str) -> Option<DecodedEntities> {
    let (first, mut decoded) = decode_once(text)?;
    for _ in 1..MOST_TIMES {
        let Some((_, again)) = decode_once(&decoded) else { break };
        decoded = again;
    }
    Some(DecodedEntities { text: decoded, first })
}

/// Whether a text has an HTML tag, so that it is HTML rather than a text that was encoded by mistake.
#[must_use]
pub fn has_markup(text: &str) -> bool {
    let Some(last) = text.rfind('>') else { return false };
    text[..last].match_indices('<').any(|(at, _)| {
        let tag = &text[at + 1..];
        tag.strip_prefix('/').unwrap_or(tag).starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// Decodes each entity once, and returns the first one with the decoded text.
fn decode_once(text: &str) -> Option<(String, String)> {
    let mut decoded = String::new();
    let mut first = None;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let name = &rest[at + 1..];
        decoded.push_str(&rest[..at]);
        let end = memchr::memchr(b';', &name.as_bytes()[..name.len().min(LONGEST + 1)]);
        if let Some((end, letters)) = end.and_then(|end| Some((end, resolve_entity(&name[..end])?)))
        {
            first.get_or_insert_with(|| rest[at..at + end + 2].to_owned());
            decoded.push_str(&letters);
            rest = &name[end + 1..];
        } else {
            decoded.push('&');
            rest = name;
        }
    }
    decoded.push_str(rest);
    Some((first?, decoded))
}

fn resolve_entity(name: &str) -> Option<String> {
    let Some(number) = name.strip_prefix('#') else {
        return quick_xml::escape::resolve_html5_entity(name).map(str::to_owned);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let c = match u8::try_from(code) {
        // Browsers read these as windows-1252.
        Ok(byte @ 0x80..=0x9f) => {
            let byte = [byte];
            encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0.chars().next()?
        }
        _ => char::from_u32(code)?,
    };
    (!c.is_control() || matches!(c, '\t' | '\n' | '\r')).then(|| c.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_decoded_and_anything_else_stays() {
        for (text, expected) in [
            ("Sample &amp; Sons", Some("Sample & Sons")),
            ("O&#39;Sample &#x27; &#X27;", Some("O'Sample ' '")),
            ("Zo&euml;", Some("Zoë")),
            ("a&nbsp;b", Some("a\u{a0}b")),
            ("it&#146;s", Some("it’s")),
            ("A &amp;amp; B", Some("A & B")),
            ("AT&T; R&D; Q&A", None),
            ("https://example.com/?a=1&copy=2", None),
            ("&#0; &#7; &#xD800; &;", None),
            ("Sample & Sons", None),
            ("&ééééééééééééééééééééééé;", None),
        ] {
            let decoded = decode_html_entities(text).map(|it| it.text);
            assert_eq!(decoded.as_deref(), expected, "{text}");
        }
        assert_eq!(
            decode_html_entities("x &lt; y &amp; z").map(|it| it.first).as_deref(),
            Some("&lt;")
        );
    }

    #[test]
    fn markup_is_a_tag_and_not_a_comparison() {
        assert!(has_markup("a<br>b") && has_markup("<p class='x'>a</p>") && has_markup("a</b>"));
        assert!(!has_markup("5 < 6 > 4") && !has_markup("<3") && !has_markup("a> <b"));
    }

    #[test]
    fn a_huge_cell_takes_no_huge_time() {
        assert!(decode_html_entities(&"&".repeat(1_000_000)).is_none());
        assert_eq!(
            decode_html_entities(&"&amp;".repeat(200_000)).map(|it| it.text.len()),
            Some(200_000)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_decoded(text in "[a&;#x0-9]{0,30}|\\PC{0,30}") {
            let _ = decode_html_entities(&text);
            let _ = has_markup(&text);
        }
    }
}
