//! Web addresses.

use super::ParsedValue;
use super::quote::QuotedText;
use super::split::longest_prefix_len;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The maximum length of an address that browsers and servers accept, in characters.
const LONGEST: usize = 2_048;

/// Returns the web address of a cell, and adds `https://` if it has no scheme. Of several addresses, the first is
/// used (`W_EXTRA_URLS`). An empty cell gives an empty text.
///
/// # Errors
/// `W_URL_INVALID` for a text that is not the address of a web site.
pub fn parse_url(text: &str) -> Result<ParsedValue<String>, Diagnostic> {
    let mut addresses = split_addresses(text).into_iter();
    let Some(first) = addresses.next() else {
        return Ok(ParsedValue::without_notices(String::new()));
    };
    let value = to_web_address(first).ok_or_else(|| {
        Diagnostic::new(
            DiagnosticCode::W_URL_INVALID,
            format!("{} is not a web address", QuotedText(first)),
        )
    })?;
    let mut read = ParsedValue::without_notices(value);
    let extra = addresses.count();
    if extra > 0 {
        let message = format!("the cell contains {extra} more; only {} is used", QuotedText(first));
        read.notices.push(Diagnostic::new(DiagnosticCode::W_EXTRA_URLS, message));
    }
    Ok(read)
}

/// Splits at spaces, `|`, and commas and semicolons at the end of a word; inside an address, they belong to it.
fn split_addresses(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || c == '|');
    words
        .flat_map(|word| {
            let starts: Vec<_> = word
                .match_indices([',', ';'])
                .filter(|(index, _)| {
                    longest_prefix_len(&word[index + 1..], &["http://", "https://", "www."])
                        .is_some()
                })
                .map(|(index, _)| index)
                .collect();
            let mut pieces = Vec::new();
            let mut from = 0;
            for index in starts {
                pieces.push(&word[from..index]);
                from = index + 1;
            }
            pieces.push(&word[from..]);
            pieces
        })
        .map(|word| word.trim_matches([',', ';', '<', '>', '"']))
        .filter(|word| !word.is_empty() && *word != ":::")
        .collect()
}

fn to_web_address(word: &str) -> Option<String> {
    if word.len() > LONGEST || word.contains(['<', '>', '"', '\\', '`', '{', '}']) {
        return None;
    }
    let scheme = ["http://", "https://"].into_iter().find(|scheme| {
        word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let rest = scheme.map_or(word, |scheme| &word[scheme.len()..]);
    let rest = rest.strip_prefix("//").filter(|_| scheme.is_none()).unwrap_or(rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An e-mail address is not a web site.
    if scheme.is_none() && host.contains('@') {
        return None;
    }
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let (host, port) = host.split_once(':').unwrap_or((host, "80"));
    let is_port = port.parse::<u16>().is_ok();
    (is_host(host) && is_port).then(|| format!("{}{rest}", scheme.unwrap_or("https://")))
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let top = host.rsplit('.').next().unwrap_or_default();
    let is_number = host.split('.').all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    host.contains('.')
        && host.split('.').all(is_label)
        && (top.chars().nth(1).is_some() && !is_number
            || host.parse::<std::net::Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, codes: &[&str]) {
        let read = parse_url(text).unwrap();
        assert_eq!(read.value, expected, "{text}");
        assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
    }

    #[test]
    fn an_address_keeps_its_text_and_gets_a_scheme() {
        for (text, expected) in [
            ("https://avery.example.com", "https://avery.example.com"),
            ("http://cafe.example.com", "http://cafe.example.com"),
            ("villa.example.com", "https://villa.example.com"),
            ("www.example.com/a,b;c?d=e#f", "https://www.example.com/a,b;c?d=e#f"),
            ("HTTP://Example.com/Path", "http://Example.com/Path"),
            ("//example.com", "https://example.com"),
            ("exämple.com:8080/x", "https://exämple.com:8080/x"),
            ("http://192.0.2.1/", "http://192.0.2.1/"),
            ("<https://example.com>", "https://example.com"),
            ("", ""),
        ] {
            check(text, expected, &[]);
        }
    }

    #[test]
    fn of_several_the_first_is_kept() {
        for text in [
            "https://a.example.com|https://b.example.com",
            "a.example.com, b.example.com",
            "a.example.com;https://b.example.com",
            "https://a.example.com\nhttps://b.example.com",
            "a.example.com ::: b.example.com",
        ] {
            check(text, "https://a.example.com", &["W_EXTRA_URLS"]);
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for text in [
            "javascript:alert(1)",
            "ann@example.com",
            "localhost",
            "n/a",
            "none",
            "@handle",
            "http://",
            "ftp://example.com",
            "a..b",
            "http://-a-.com",
            "1.5",
            "#REF!",
            "http://x.com:99999",
        ] {
            assert_eq!(parse_url(text).unwrap_err().code, "W_URL_INVALID", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:/.|,@ ]{0,30}|\\PC{0,30}") {
            if let Ok(read) = parse_url(&text) {
                proptest::prop_assert!(read.value.is_empty() || read.value.starts_with("http"));
            }
        }
    }
}
