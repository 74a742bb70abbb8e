//! Text helpers for all modules: escaping for terminals, patterns, similar names, shortening, plurals, and encodings.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The similarity (0 to 1) from which on a name is suggested.
pub(crate) const NEAR_ENOUGH: f64 = 0.8;
/// All characters but letters, digits, `-` and `_`.
const OUTSIDE_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Whether a terminal interprets a character instead of printing it: control characters, line breaks, and marks that
/// change the reading direction.
fn is_terminal_control(c: char) -> bool {
    let direction = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let line_break = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || direction || line_break
}

/// A hash of a text, to compare many texts in little memory; the same in every run of one build.
pub(crate) fn hash_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Escapes untrusted text for a terminal: characters that a terminal interprets become visible escapes such as
/// `\u{1b}` or `\n`. Everything else is unchanged.
pub(crate) fn escape_for_terminal(text: &str) -> Cow<'_, str> {
    escape_where(text, |c, _| is_terminal_control(c))
}

/// Escapes the text of a table's cell, in which tabs and line breaks (LF or CRLF) are ordinary text.
pub(crate) fn escape_for_table(text: &str) -> Cow<'_, str> {
    escape_where(text, |c, next| {
        let is_layout = matches!(c, '\n' | '\t') || c == '\r' && next == Some('\n');
        is_terminal_control(c) && !is_layout
    })
}

/// Escapes a line of JSON without changing its meaning: JSON itself requires escapes only for the ASCII control
/// characters.
pub(crate) fn escape_json_line(line: String) -> String {
    if !line.contains(is_terminal_control) {
        return line;
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_terminal_control(c) {
            // All of them are in the Basic Multilingual Plane, where an escape has four digits.
            write!(shown, "\\u{:04x}", u32::from(c)).expect("writing to a string cannot fail");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Escapes the characters for which `acts` returns true, given each character and the next.
fn escape_where(text: &str, acts: impl Fn(char, Option<char>) -> bool) -> Cow<'_, str> {
    if !text.contains(is_terminal_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if acts(c, rest.peek().copied()) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Whether an entire name matches a pattern: `*` is any text, `?` is any character, and case is ignored.
pub(crate) fn matches_wildcard(pattern: &str, name: &str) -> bool {
    capture_first_star(pattern, name).is_some()
}

/// The text that the first `*` of a pattern matches in a name. `None` if the pattern does not match the name.
pub(crate) fn capture_first_star(pattern: &str, name: &str) -> Option<String> {
    let (pattern, folded) = (lowercase_chars(pattern), lowercase_chars(name));
    let (mut at, mut in_name) = (0, 0);
    // Where to continue when the last `*` must match one more character, and what the first `*` matched.
    let mut last: Option<(usize, usize)> = None;
    let mut first: Option<(usize, Option<usize>)> = None;
    loop {
        match (pattern.get(at), folded.get(in_name)) {
            (Some('*'), _) => {
                first = match first {
                    None => Some((in_name, None)),
                    // A second `*`: everything before it is final, since each `*` matches as little as possible.
                    Some((start, None)) => {
                        let taken = last.map_or(start, |(_, taken)| taken);
                        Some((start, Some(taken)))
                    }
                    known => known,
                };
                at += 1;
                last = Some((at, in_name));
            }
            (Some(wanted), Some(c)) if *wanted == '?' || wanted == c => {
                at += 1;
                in_name += 1;
            }
            (None, None) => break,
            (_, Some(_)) => {
                let (behind, taken) = last?;
                last = Some((behind, taken + 1));
                (at, in_name) = (behind, taken + 1);
            }
            (Some(_), None) => return None,
        }
    }
    let (start, end) = first.unwrap_or((0, Some(0)));
    let end = end.or(last.map(|(_, taken)| taken)).unwrap_or(start);
    Some(name.chars().skip(start).take(end - start).collect())
}

/// Converts a text to lower case, one character for each of its characters.
fn lowercase_chars(text: &str) -> Vec<char> {
    text.chars().map(|c| c.to_lowercase().next().unwrap_or(c)).collect()
}

/// The name most similar to a text, if it is similar enough to be suggested. Both are compared by their `key`.
pub(crate) fn closest_match<'n>(
    text: &str,
    names: impl IntoIterator<Item = &'n str>,
    key: impl Fn(&str) -> String,
) -> Option<&'n str> {
    let text = key(text);
    let scored = names.into_iter().map(|name| (similarity(&text, &key(name)), name));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= NEAR_ENOUGH).then_some(best.1)
}

/// The similarity of two texts, from 0 to 1.
pub(crate) fn similarity(one: &str, other: &str) -> f64 {
    strsim::jaro_winkler(one, other)
}

/// Percent-encodes all but letters, digits, `-` and `_`, so that the result is a single URL segment and a safe file
/// name.
pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, OUTSIDE_SEGMENT).to_string()
}

/// Truncates a text to a number of characters, with `…` if it is longer.
pub(crate) fn truncate_text(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The form in which words are compared for similarity: lower case, and short, since the time for a comparison grows with
/// the product of the lengths.
pub(crate) fn comparison_key(word: &str) -> String {
    word.chars().take(64).flat_map(char::to_lowercase).collect()
}

/// A number with its thousands separated: `12,345`.
pub(crate) fn format_count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number of things: `1 row`, `2 businesses`, `12,345 rows`.
pub(crate) fn format_plural(number: u64, noun: &str) -> String {
    let ending = if noun.ends_with("ss") { "es" } else { "s" };
    format!("{} {noun}{}", format_count(number), select_plural(number, "", ending))
}

/// The form of a word or phrase that a number requires, such as `is` or `are`.
pub(crate) fn select_plural<'t>(number: u64, one: &'t str, other: &'t str) -> &'t str {
    if number == 1 { one } else { other }
}

/// Encodes bytes in lower-case hexadecimal.
pub(crate) fn encode_hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

/// A path as one word of a command line for a POSIX shell, in quotes if it needs them, without control characters.
pub(crate) fn quote_path_for_shell(path: &str) -> String {
    let path = escape_for_terminal(path);
    // A path is never a flag.
    let path = if path.starts_with('-') { Cow::Owned(format!("./{path}")) } else { path };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        return path.into_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_for_a_shell_is_quoted_if_it_needs_it() {
        assert_eq!(quote_path_for_shell("ghl-import/a.csv"), "ghl-import/a.csv");
        assert_eq!(quote_path_for_shell("my leads.csv"), "'my leads.csv'");
        assert_eq!(quote_path_for_shell("it's"), r"'it'\''s'");
        assert_eq!(quote_path_for_shell(""), "''");
        assert_eq!(quote_path_for_shell("$(x)"), "'$(x)'");
        assert_eq!(quote_path_for_shell("-rf"), "./-rf");
    }

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        assert_eq!(escape_for_terminal("red \u{1b}[31m\u{7}\u{9b}"), r"red \u{1b}[31m\u{7}\u{9b}");
        assert_eq!(escape_for_terminal("a\r\nb\tc\u{7f}\0"), r"a\r\nb\tc\u{7f}\u{0}");
        assert_eq!(
            escape_for_terminal("x\u{202e}y\u{2066}z\u{200f}\u{2028}\u{2029}\u{61c}"),
            r"x\u{202e}y\u{2066}z\u{200f}\u{2028}\u{2029}\u{61c}"
        );
    }

    #[test]
    fn ordinary_text_of_any_script_stays() {
        for text in ["", "Zoë 東京 עברית \u{1f469}\u{200d}\u{1f4bb} ﷺ", r"C:\new"] {
            for shown in [escape_for_terminal(text), escape_for_table(text)] {
                assert!(matches!(shown, Cow::Borrowed(same) if same == text), "{text}");
            }
        }
    }

    #[test]
    fn a_table_keeps_its_tabs_and_line_breaks_and_no_other_control() {
        assert_eq!(escape_for_table("a\r\nb\tc\nd\re"), "a\r\nb\tc\nd\\re");
        assert_eq!(
            escape_for_table("X\u{61c}Y\u{2028}Z\u{2029}\u{202e}\u{1b}[1m"),
            r"X\u{61c}Y\u{2028}Z\u{2029}\u{202e}\u{1b}[1m"
        );
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "Anything"),
            ("acme*", "ACME Berlin"),
            ("*berlin", "Acme Berlin"),
            ("a*e b*n", "Acme Berlin"),
            ("acm? berlin", "Acme Berlin"),
            ("*a*a*", "banana"),
            ("zoë", "ZOË"),
        ] {
            assert!(matches_wildcard(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("acme", "Acme Berlin"), ("?", ""), ("??", "a"), ("a*b", "abc"), ("", "a"), ("a", "")]
        {
            assert!(!matches_wildcard(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_first_star_is_what_it_is_in_the_name() {
        for (pattern, name, star) in [
            ("phone *", "Phone Home", "Home"),
            ("* phone", "Home Phone", "Home"),
            ("child * name *", "Child Ünal Name first", "Ünal"),
            ("*a*a*", "banana", "b"),
            ("*b", "abab", "aba"),
            ("plain", "Plain", ""),
        ] {
            assert_eq!(capture_first_star(pattern, name).as_deref(), Some(star), "{pattern}");
        }
        assert_eq!(capture_first_star("* phone", "Home Fax"), None);
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let closest = |text| closest_match(text, ["email", "phone"], str::to_lowercase);
        assert_eq!([closest("Emial"), closest("xyz")], [Some("email"), None]);
    }

    #[test]
    fn only_a_longer_text_is_cut() {
        assert_eq!(["äöü", "äöüß"].map(|text| truncate_text(text, 3)), ["äöü", "äöü…"]);
    }

    #[test]
    fn bytes_and_texts_are_encoded() {
        assert_eq!(encode_hex(&[0, 0xab, 0x1f]), "00ab1f");
        assert_eq!(percent_encode("ada+x@example.com-_"), "ada%2Bx%40example%2Ecom-_");
    }

    #[test]
    fn numbers_have_their_thousands_apart() {
        assert_eq!(
            [0, 999, 1_000, 12_345, 1_234_567].map(format_count).join(" "),
            "0 999 1,000 12,345 1,234,567"
        );
        assert_eq!(format_count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn a_noun_has_the_form_that_its_number_requires() {
        assert_eq!(
            [0, 1, 2, 12_345].map(|n| format_plural(n, "row")).join(", "),
            "0 rows, 1 row, 2 rows, 12,345 rows"
        );
        assert_eq!([1, 2].map(|n| format_plural(n, "business")), ["1 business", "2 businesses"]);
        assert_eq!([0, 1, 2].map(|n| select_plural(n, "is", "are")), ["are", "is", "are"]);
    }
}
