//! Names of people in one text: `Sample, Avery`.

/// What follows a name after a comma and is no first name.
#[rustfmt::skip]
const SUFFIXES: &[&str] = &[
    "jr", "sr", "ii", "iii", "iv", "v", "md", "phd", "dds", "dmd", "do", "esq", "cpa", "rn", "jd", "mba", "ba", "ma",
    "msc", "bsc", "dvm", "od", "pe", "inc", "llc", "llp", "lp", "ltd", "limited", "co", "corp", "corporation", "company",
    "gmbh", "ag", "kg", "ug", "ohg", "ev", "sa", "sas", "sarl", "srl", "spa", "bv", "nv", "plc", "pllc", "pc", "pa",
    "and", "the",
];

/// The longest part of a name, in words.
const WORDS: usize = 4;

/// Splits a name of the form `Last, First` into first and last name; `None` if it has another form, such as `Sample, Jr.`
/// or `Sample & Sons, Inc.`.
#[must_use]
pub fn split_last_first(name: &str) -> Option<(&str, &str)> {
    let (last, first) = name.split_once(',')?;
    let (last, first) = (last.trim(), first.trim());
    let is_part = |part: &str| {
        let words = part.split_whitespace().count();
        (1..=WORDS).contains(&words)
            && part.chars().any(char::is_alphabetic)
            && part
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, ' ' | '.' | '-' | '\'' | '\u{2019}'))
    };
    let word = |text: &str| text.replace('.', "").to_lowercase();
    let is_suffix = first.split_whitespace().any(|part| SUFFIXES.contains(&word(part).as_str()));
    (is_part(last) && is_part(first) && !is_suffix).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_name_comes_before_the_comma() {
        for (name, parts) in [
            ("Sample, Avery", Some(("Avery", "Sample"))),
            ("van der Berg, Anna-Maria", Some(("Anna-Maria", "van der Berg"))),
            ("O\u{2019}Sample , J. R.", Some(("J. R.", "O\u{2019}Sample"))),
            ("Avery Sample", None),
            ("Avery Sample, Jr.", None),
            ("Avery Sample, Ph.D.", None),
            ("Sample & Sons, Inc.", None),
            ("Acme, LLC", None),
            ("Sample, Avery, Blake", None),
            ("Sample,", None),
            ("Main St 1, Boston", None),
        ] {
            assert_eq!(split_last_first(name), parts, "{name}");
        }
    }
}
