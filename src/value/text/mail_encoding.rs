//! Detects text that is still encoded as in the source of an e-mail: `Zo=C3=AB`, `=?UTF-8?Q?Zo=C3=AB?=`.

/// Whether the text contains an encoded word, or a character in quoted-printable.
pub(super) fn is_likely(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        rest.starts_with(b"?") && is_encoded_word(&text[at + 2..]) || is_encoded_character(rest)
    })
}

/// Whether a text is `UTF-8?Q?…?=` or `utf-8?B?…?=`.
fn is_encoded_word(text: &str) -> bool {
    let mut parts = text.splitn(3, '?');
    let (charset, kind, rest) = (parts.next(), parts.next(), parts.next());
    charset.is_some_and(|name| !name.is_empty() && !name.contains(' '))
        && matches!(kind, Some("Q" | "q" | "B" | "b"))
        && rest.is_some_and(|rest| rest.contains("?="))
}

/// Whether bytes are the rest of `=C3=AB`: a first and a second byte of a character in UTF-8.
fn is_encoded_character(bytes: &[u8]) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
    matches!(bytes, [b'C'..=b'F', one, b'=', b'8'..=b'9' | b'A' | b'B', two, ..] if hex(*one) && hex(*two))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_distinguished_from_text_with_equals_signs() {
        for text in ["Zo=C3=AB", "=?UTF-8?Q?Zo=C3=AB?=", "x =?utf-8?B?TcO8bGxlcg==?= y"] {
            assert!(is_likely(text), "{text}");
        }
        for text in ["a=b", "https://example.net/?a=CA&b=1", "=?x", "1+1=2", "=C3", "E=MC2=80", ""]
        {
            assert!(!is_likely(text), "{text}");
        }
    }
}
