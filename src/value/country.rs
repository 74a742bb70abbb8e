//! Countries: converts any common name to the ISO 3166-1 code.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::is_spreadsheet_error;
use super::normalize::name_key;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// One country per line: its two-letter code, its three-letter code, and its names, separated by `|`.
const NAMES: &str = include_str!("country/names.tsv");

/// The maximum length of a name, in characters.
const LONGEST: usize = 100;

static CODES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut codes = HashMap::new();
    for line in NAMES.lines() {
        let mut columns = line.split('\t');
        let code = columns.next().unwrap_or_default();
        for name in columns.flat_map(|column| column.split('|')) {
            codes.insert(name_key(name), code);
        }
        codes.insert(name_key(code), code);
    }
    codes
});

/// Returns the ISO 3166-1 alpha-2 code of a country from that code, the three-letter code, the English name, a
/// common short form, or the name in its own or another major language. Case, accents and punctuation are ignored.
///
/// # Errors
/// `W_COUNTRY_UNKNOWN`, also for a name that several countries share, and `R_SPREADSHEET_ERROR`.
pub fn parse_country(text: &str) -> Result<&'static str, Diagnostic> {
    let name = text.trim();
    let found = (name.len() <= LONGEST).then(|| find_country_code(name)).flatten();
    found.ok_or_else(|| {
        if is_spreadsheet_error(name) {
            let message =
                format!("{} is a spreadsheet's error value, not a country", QuotedText(name));
            return Diagnostic::new(DiagnosticCode::R_SPREADSHEET_ERROR, message);
        }
        let message = format!(
            "{} is not a known country; use its English name or its ISO code",
            QuotedText(name)
        );
        Diagnostic::new(DiagnosticCode::W_COUNTRY_UNKNOWN, message)
    })
}

fn find_country_code(name: &str) -> Option<&'static str> {
    if let Some(code) = CODES.get(&name_key(name)) {
        return Some(code);
    }
    // `United States (US)`: the name and the code have to agree.
    let (name, code) = name.strip_suffix(')')?.split_once('(')?;
    let (name, code) = (CODES.get(&name_key(name))?, CODES.get(&name_key(code))?);
    (name == code).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_many_names() {
        for (text, code) in [
            ("US", "US"),
            ("USA", "US"),
            ("U.S.", "US"),
            ("u.s.a.", "US"),
            ("United States", "US"),
            ("united states of america", "US"),
            ("The United States", "US"),
            ("United States (US)", "US"),
            ("UK", "GB"),
            ("Great Britain", "GB"),
            ("England", "GB"),
            ("GBR", "GB"),
            ("Deutschland", "DE"),
            ("DE", "DE"),
            ("de", "DE"),
            ("Korea, South", "KR"),
            ("South Korea", "KR"),
            ("Republic of Korea", "KR"),
            ("Côte d’Ivoire", "CI"),
            ("Cote d'Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Georgia", "GE"),
            ("ESPAÑA", "ES"),
            ("espana", "ES"),
            ("Nederland", "NL"),
            ("Holland", "NL"),
            ("Österreich", "AT"),
            ("日本", "JP"),
            ("Россия", "RU"),
            ("भारत", "IN"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Kosovo", "XK"),
            ("Bosnia & Herzegovina", "BA"),
            ("Guinea-Bissau", "GW"),
            ("Congo", "CG"),
            ("DR Congo", "CD"),
            (" France ", "FR"),
            ("Czech Republic", "CZ"),
            ("Czechia", "CZ"),
            ("Hong Kong", "HK"),
            ("Taiwan", "TW"),
        ] {
            assert_eq!(parse_country(text), Ok(code), "{text}");
        }
    }

    #[test]
    fn what_is_no_country_is_refused() {
        for text in [
            "Nowhereland",
            "",
            "Korea",
            "Virgin Islands",
            "XX",
            "Europe",
            "N/A",
            "United States (CA)",
            "CA, USA",
        ] {
            assert_eq!(parse_country(text).unwrap_err().code, "W_COUNTRY_UNKNOWN", "{text}");
        }
    }

    #[test]
    fn no_two_countries_share_a_name() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for line in NAMES.lines() {
            let code = &line[..2];
            for name in line.split(['\t', '|']) {
                let other = *seen.entry(name_key(name)).or_insert(code);
                assert_eq!(other, code, "{name}");
            }
        }
        assert_eq!(NAMES.lines().count(), 250);
    }
}
