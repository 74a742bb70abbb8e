//! Annotations: remarks in a header about how to fill in the column, as import templates have them.
//!
//! `First Name (required)`, `Email * (unique)`, `Phone [E.164]` and `Tags - separate with ;` name a first name, an
//! e-mail address, a phone number and tags. Other words in brackets say whom or what a column is about, and stay.

use super::normalize_header::normalise_name;

/// Words that only occur in such remarks, or say nothing else in them.
#[rustfmt::skip]
static WORDS: &[&str] = &[
    "required", "mandatory", "optional", "recommended", "unique", "important", "must", "be", "not", "blank", "empty",
    "please", "format", "formatted", "text", "string", "number", "numbers", "numeric", "integer", "decimal", "boolean",
    "yes", "no", "true", "false", "max", "min", "maximum", "chars", "char", "characters", "digits", "letters", "only",
    "iso", "e", "164", "international", "comma", "commas", "semicolon", "semicolons", "separate", "separated", "with",
    "by", "list", "one", "per", "line", "row", "if", "any", "available", "applicable", "known", "eg", "g", "example",
    "country", "code", "include", "including", "incl", "without", "or", "and", "the", "field", "column", "do", "edit",
    "change", "read", "mm", "dd", "yyyy", "yy", "m", "d", "y", "hh", "ss", "tt", "jj", "jjjj", "aaaa", "gg", "utc",
    "pflichtfeld", "pflicht", "erforderlich", "freiwillig", "optionnel", "obligatoire", "facultatif", "requis",
    "obligatorio", "obligatoria", "opcional", "requerido", "obbligatorio", "facoltativo", "obrigatório", "obrigatorio",
    "verplicht", "optioneel", "format", "formato",
];

/// The beginnings of remarks behind a dash or colon.
const REMARKS: &[&str] = &[
    "separate",
    "comma",
    "semicolon",
    "required",
    "optional",
    "mandatory",
    "format",
    "e g",
    "max",
    "one per",
    "use ",
];

/// The name without such remarks; `None` if it has none.
#[must_use]
pub fn strip_annotations(name: &str) -> Option<String> {
    let mut bare = name.trim().to_owned();
    while let Some(shorter) = strip_brackets(&bare).or_else(|| strip_remark(&bare)) {
        bare = shorter;
    }
    (bare != name.trim() && bare.contains(char::is_alphanumeric)).then_some(bare)
}

/// Strips the last brackets and what is behind them, if they hold a remark.
fn strip_brackets(name: &str) -> Option<String> {
    let (open, close) = [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')]
        .into_iter()
        .filter_map(|(open, close)| {
            let from = name.rfind(open)?;
            let to = from + name[from..].find(close)?;
            Some((from, to))
        })
        .max()?;
    let is_last = !name[close..].contains(char::is_alphanumeric);
    let words = normalise_name(&name[open..close]);
    let is_remark = words.split(' ').all(|word| {
        WORDS.contains(&word)
            || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    });
    (open > 0 && is_last && !words.is_empty() && is_remark)
        .then(|| name[..open].trim_end_matches([' ', '*', '-', ':']).to_owned())
}

/// Strips a remark behind a dash or colon.
fn strip_remark(name: &str) -> Option<String> {
    let (front, remark) = [" - ", " – ", " — ", ": ", ", "]
        .into_iter()
        .filter_map(|separator| name.rsplit_once(separator))
        .min_by_key(|(front, _)| front.len())?;
    let remark = normalise_name(remark);
    let is_remark = REMARKS.iter().any(|start| remark.starts_with(start));
    (is_remark && front.contains(char::is_alphanumeric)).then(|| front.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_taken_off_and_other_brackets_stay() {
        for (name, bare) in [
            ("First Name (required)", Some("First Name")),
            ("Email * (unique)", Some("Email")),
            ("Phone [E.164]", Some("Phone")),
            ("Birth date (MM/DD/YYYY)", Some("Birth date")),
            ("Geburtstag (TT.MM.JJJJ) *", Some("Geburtstag")),
            ("Tags - separate with ;", Some("Tags")),
            ("Tags (comma separated) (optional)", Some("Tags")),
            ("Nom (obligatoire)", Some("Nom")),
            ("City (max. 50 characters)", Some("City")),
            ("Phone (mobile)", None),
            ("Name (spouse)", None),
            ("Telefon (dienstlich)", None),
            ("(required)", None),
            ("Address - Street", None),
            ("Last Name*", None),
        ] {
            assert_eq!(strip_annotations(name).as_deref(), bare, "{name}");
        }
    }
}
