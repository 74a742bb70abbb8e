//! Short forms: what the abbreviated words of a name stand for.
//!
//! Databases and forms abbreviate: `CUST_NM`, `Tél. port.`, `Data nasc.`, `NAME1`. What a short form stands for is
//! likely and never sure.

use super::normalize_header::normalise_name;

/// Words that stand for longer ones, whatever the language.
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

/// The fewest letters of a word that is taken for the beginning of a longer one.
const FEWEST: usize = 3;

/// A name with its short words written out; none when there are none.
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

/// A name without the number that says that it is the first of several: `NAME1`, `ORT01`, `E-mail 1`.
#[must_use]
pub(crate) fn strip_number_one(name: &str) -> Option<String> {
    let words = normalise_name(name);
    let bare = words.strip_suffix('1')?;
    let bare = bare.strip_suffix('0').unwrap_or(bare).trim_end();
    bare.ends_with(char::is_alphabetic).then(|| bare.to_owned())
}

/// A name without the number that says that it is a further one of several: `Telefon 2`.
#[must_use]
pub(crate) fn strip_number_above_one(name: &str) -> Option<String> {
    let words = normalise_name(name);
    let bare = words.strip_suffix(|c| matches!(c, '2'..='9'))?.trim_end();
    bare.ends_with(char::is_alphabetic).then(|| bare.to_owned())
}

/// Whether a name may be a shortened form of another: word by word its beginning.
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
    fn the_first_of_several_is_told_from_the_others() {
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
