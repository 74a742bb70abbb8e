//! Abbreviations: the long forms of abbreviated words in a name.
//!
//! Databases and forms abbreviate: `CUST_NM`, `Tél. port.`, `Data nasc.`, `NAME1`. The long form is likely, but
//! never certain.

use super::normalize_header::normalise_name;

/// Abbreviations that are the same in all languages.
#[rustfmt::skip]
static SHORT: &[(&str, &str)] = &[
    ("nm", "name"), ("fn", "first name"), ("ln", "line"), ("cust", "customer"), ("eml", "email"), ("mail", "email"),
    ("ph", "phone"), ("tel", "phone"), ("telf", "phone"), ("tlf", "phone"), ("nbr", "number"), ("num", "number"),
    ("no", "number"), ("addr", "address"), ("adr", "address"), ("cty", "city"), ("cd", "code"), ("abbr", "code"), ("src", "source"), ("dnc", "do not call"), ("st", "state"),
    ("cntry", "country"), ("ctry", "country"), ("zip", "zip"), ("dob", "date of birth"), ("bday", "birthday"),
    ("org", "organization"), ("co", "company"), ("comp", "company"), ("cmpny", "company"),
    ("str", "straße"), ("tlfn", "telefon"), ("geb", "geburts"), ("dat", "datum"), ("bem", "bemerkung"),
    ("sté", "société"), ("soc", "société"), ("dir", "dirección"), ("obs", "observações"), ("observ", "observações"),
];

/// The minimum length of an abbreviation that is the beginning of a longer word.
const FEWEST: usize = 3;

/// Expands the abbreviations in a name; `None` if there are none.
#[must_use]
pub(crate) fn expand_abbreviations(name: &str) -> Option<String> {
    let words = normalise_name(name);
    let long = |word: &str| {
        let found = SHORT.iter().find(|(short, _)| *short == word);
        found.map_or_else(|| word.to_owned(), |(_, long)| (*long).to_owned())
    };
    let expanded = words.split(' ').take(8).map(long).collect::<Vec<_>>().join(" ");
    (expanded != words).then_some(expanded)
}

/// Strips a number that marks the first of several: `NAME1`, `ORT01`, `E-mail 1`.
#[must_use]
pub(crate) fn strip_number_one(name: &str) -> Option<String> {
    let words = normalise_name(name);
    let bare = words.strip_suffix('1')?;
    let bare = bare.strip_suffix('0').unwrap_or(bare).trim_end();
    bare.ends_with(char::is_alphabetic).then(|| bare.to_owned())
}

/// Strips a number that marks a further one of several: `Telefon 2`.
#[must_use]
pub(crate) fn strip_number_above_one(name: &str) -> Option<String> {
    let words = normalise_name(name);
    let bare = words.strip_suffix(|c| matches!(c, '2'..='9'))?.trim_end();
    bare.ends_with(char::is_alphabetic).then(|| bare.to_owned())
}

/// Whether every word of a name is the beginning of the corresponding word of another name.
#[must_use]
pub(crate) fn is_abbreviation_of(name: &str, whole: &str) -> bool {
    let (mut short, mut long) = (name.split(' '), whole.split(' '));
    let mut shortened = false;
    loop {
        match (short.next(), long.next()) {
            (None, None) => return shortened,
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other))
                if one.chars().count() >= FEWEST
                    && other.chars().count() > one.chars().count() + 1
                    && other.starts_with(one) =>
            {
                shortened = true;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_are_written_out() {
        assert_eq!(expand_abbreviations("CUST_NM").as_deref(), Some("customer name"));
        assert_eq!(expand_abbreviations("ADDR_LN_1").as_deref(), Some("address line 1"));
        assert_eq!(expand_abbreviations("First Name"), None);
    }

    #[test]
    fn the_first_of_several_is_distinguished_from_the_others() {
        for (name, bare) in
            [("NAME1", Some("name")), ("ORT01", Some("ort")), ("E-mail 1", Some("e mail"))]
        {
            assert_eq!(strip_number_one(name).as_deref(), bare, "{name}");
        }
        assert_eq!((strip_number_one("Address 2"), strip_number_one("1")), (None, None));
    }

    #[test]
    fn a_name_may_be_shortened_word_by_word() {
        assert!(
            is_abbreviation_of("data nasc", "data nascita")
                && is_abbreviation_of("tél port", "tél portable")
        );
        assert!(
            !is_abbreviation_of("name", "names") && !is_abbreviation_of("da nasc", "data nascita")
        );
        assert!(!is_abbreviation_of("data", "data nascita") && !is_abbreviation_of("city", "city"));
    }
}
