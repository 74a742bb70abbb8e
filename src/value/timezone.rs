//! Time zones by their IANA names.
//!
//! Accepts IANA names in any case, and the names that Windows, Rails and HighLevel show. Abbreviations such as
//! `EST` and bare offsets are rejected: an abbreviation has several meanings or no summer time, and an offset
//! belongs to many zones.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::is_spreadsheet_error;
use super::normalize::name_key;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The names in the IANA database that have an area, including old ones, and `UTC`.
const NAMES: &str = include_str!("timezone/names.txt");

/// One zone per line: its IANA name and its other names, separated by `|`.
const ALIASES: &str = include_str!("timezone/aliases.tsv");

/// The maximum length of a name, in characters.
const LONGEST: usize = 100;

static ZONES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut zones: HashMap<_, _> = NAMES.lines().map(|name| (zone_key(name), name)).collect();
    for line in ALIASES.lines() {
        let (zone, names) = line.split_once('\t').unwrap_or((line, ""));
        for name in names.split('|') {
            zones.entry(zone_key(name)).or_insert(zone);
        }
    }
    zones
});

/// The key under which spellings of one name are equal. `Etc/GMT+5` and `Etc/GMT-5` have different keys.
fn zone_key(name: &str) -> String {
    name_key(&name.replace('+', " plus ").replace('&', " "))
}

/// Returns the IANA name of a time zone in its exact spelling.
///
/// # Errors
/// `W_TIMEZONE_UNKNOWN` and `R_SPREADSHEET_ERROR`.
pub fn parse_timezone(text: &str) -> Result<String, Diagnostic> {
    let name = text.trim();
    let found = (name.len() <= LONGEST && !name.is_empty()).then(|| find_zone(name)).flatten();
    found.map(str::to_owned).ok_or_else(|| unknown_timezone_error(name))
}

fn find_zone(name: &str) -> Option<&'static str> {
    let known = |name: &str| ZONES.get(&zone_key(name)).copied();
    known(name).or_else(|| known(strip_offset(name))).or_else(|| {
        // `GMT-05:00 America/New_York (EST)`.
        name.split_whitespace().filter(|word| word.contains('/')).find_map(known)
    })
}

/// Strips an offset before the name: `(GMT-05:00) Eastern Time`, `UTC+01:00 Paris`.
fn strip_offset(name: &str) -> &str {
    let inner = name.strip_prefix('(').unwrap_or(name);
    if !["GMT", "UTC"].iter().any(|word| inner.starts_with(word)) {
        return name;
    }
    let is_offset = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ':' | '−' | '±');
    inner[3..].trim_start_matches(is_offset).trim_start_matches(')').trim()
}

fn unknown_timezone_error(name: &str) -> Diagnostic {
    if is_spreadsheet_error(name) {
        let message =
            format!("{} is a spreadsheet's error value, not a time zone", QuotedText(name));
        return Diagnostic::new(DiagnosticCode::R_SPREADSHEET_ERROR, message);
    }
    let message = format!(
        "{} is not a known time zone; use a name such as `America/New_York`",
        QuotedText(name)
    );
    Diagnostic::new(DiagnosticCode::W_TIMEZONE_UNKNOWN, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_their_names() {
        for (text, zone) in [
            ("America/New_York", "America/New_York"),
            ("america/new_york", "America/New_York"),
            ("America/New York", "America/New_York"),
            ("America/Mexico City", "America/Mexico_City"),
            ("US/Eastern", "US/Eastern"),
            ("Asia/Calcutta", "Asia/Calcutta"),
            ("Etc/GMT+12", "Etc/GMT+12"),
            ("Etc/GMT-2", "Etc/GMT-2"),
            ("UTC", "UTC"),
            ("utc", "UTC"),
            ("Eastern Time (US & Canada)", "America/New_York"),
            ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
            ("GMT-05:00 America/New_York (EST)", "America/New_York"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("Tokyo", "Asia/Tokyo"),
            ("(UTC) Coordinated Universal Time", "UTC"),
            (" Europe/Paris ", "Europe/Paris"),
        ] {
            assert_eq!(parse_timezone(text).as_deref(), Ok(zone), "{text}");
        }
    }

    #[test]
    fn abbreviations_and_offsets_name_no_zone() {
        for text in [
            "EST",
            "CST",
            "IST",
            "GMT",
            "+02:00",
            "(UTC-05:00)",
            "GMT-5",
            "-5",
            "",
            "Nowhere/City",
            "N/A",
            "/",
            "Etc/GMT+99",
            "America",
        ] {
            assert_eq!(parse_timezone(text).unwrap_err().code, "W_TIMEZONE_UNKNOWN", "{text}");
        }
    }

    #[test]
    fn every_zone_is_read_back_and_has_rules() {
        for name in NAMES.lines() {
            assert_eq!(parse_timezone(name).as_deref(), Ok(name));
        }
        for line in ALIASES.lines() {
            let zone = line.split('\t').next().unwrap();
            assert!(NAMES.lines().any(|name| name == zone), "{zone}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,20}|etc/gmt.{0,6}|\\(UTC.{0,9}") {
            let _ = parse_timezone(&text);
        }
    }
}
