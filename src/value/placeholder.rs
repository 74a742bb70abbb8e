//! Placeholders: what programs and people write into a cell that has no value.

/// How sure it is that a text stands for no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// A program's spelling, which people do not type: `\N`, `[object Object]`.
    Certain,
    /// A program's word, which may be a person's name: `NULL`, `None`.
    Word,
    /// What people type: `N/A`, `-`. It may be meant as a value.
    Filler,
}

/// Spellings of databases, scripts, spreadsheets and pivot tables.
const CERTAIN: &[&str] = &[
    "\\N",
    "[object Object]",
    "[object Undefined]",
    "[object Null]",
    "undefined",
    "(null)",
    "<null>",
    "<NULL>",
    "[null]",
    "[NULL]",
    "<NA>",
    "<nil>",
    "<none>",
    "NaT",
    "(blank)",
    "(empty)",
    "(none)",
    "(No value)",
    "(no value)",
    "--None--",
    "-- None --",
    "Loading…",
    "Loading...",
];

const WORDS: &[&str] = &["NULL", "null", "nan", "NaN", "NAN", "None", "nil"];

const FILLERS: &[&str] = &[
    "N/A",
    "n/a",
    "N.A.",
    "n.a.",
    "none",
    "NONE",
    "-",
    "--",
    "---",
    "–",
    "—",
    "n/v",
    "k.A.",
    "k. A.",
    "?",
    "??",
    "???",
    "unknown",
    "Unknown",
    "UNKNOWN",
    "TBD",
    "TBC",
    "tbd",
    "not known",
    "not provided",
    "Not provided",
    "unbekannt",
    "Unbekannt",
    "onbekend",
    "Onbekend",
    "inconnu",
    "Inconnu",
    "desconocido",
    "Desconocido",
];

/// Whether a whole cell, without surrounding blanks, stands for no value. Case matters: `Null` is a name.
#[must_use]
pub fn find_placeholder(text: &str) -> Option<Placeholder> {
    // The longest has 18 bytes.
    if text.len() > 20 {
        return None;
    }
    let lists = [
        (CERTAIN, Placeholder::Certain),
        (WORDS, Placeholder::Word),
        (FILLERS, Placeholder::Filler),
    ];
    lists.into_iter().find(|(list, _)| list.contains(&text)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_people_write_placeholders_and_names_are_none() {
        for (text, expected) in [
            ("\\N", Some(Placeholder::Certain)),
            ("Loading…", Some(Placeholder::Certain)),
            ("NULL", Some(Placeholder::Word)),
            ("N/A", Some(Placeholder::Filler)),
            ("unknown", Some(Placeholder::Filler)),
            ("Null", None),
            ("Nil", None),
            ("", None),
            ("Loading… the truck", None),
        ] {
            assert_eq!(find_placeholder(text), expected, "{text}");
        }
    }
}
