//! Names that are not one known name: shortened ones, and those that say a thing twice or two things.

use super::Candidate;
use crate::mapping::header::{
    Headers, Meaning, expanded, likely, normalise, shortens, without_first, without_further,
};
use crate::model::target::{Field, Target};

/// What the parts of a name say, where signs or words join them: `Vorname / Prénom`, `Straße + Nr.`.
///
/// `headers` knows the parts of all names, which may decide about each other's meaning.
pub(super) fn joined(headers: &Headers, name: &str) -> Option<Candidate> {
    let parts = parts(name);
    if parts.len() < 2 {
        return None;
    }
    let meaning = |part: &String| {
        let perhaps = || Some(Meaning::Target { target: likely(part)?.clone(), rank: 100 });
        headers.meaning(part).or_else(perhaps)
    };
    let meanings: Vec<_> = parts.iter().map(meaning).collect();
    let mut known = meanings.iter().flatten().filter_map(|meaning| match meaning {
        Meaning::Target { target, rank } => Some((target, *rank)),
        Meaning::Never(_) => None,
    });
    let (target, rank) = known.next()?;
    // A name of two things, such as `PLZ/Ort`, is for neither.
    if known.any(|(other, _)| other != target) {
        return None;
    }
    let all = meanings.iter().all(Option::is_some);
    // What stands beside a name may change it: `Company & Title`. Streets have numbers, stairs and doors.
    let alone = matches!(target, Target::Field(Field::Address1 | Field::Website));
    let score = match (all, alone) {
        (true, _) => 0.8,
        (false, true) => 0.66,
        (false, false) => return None,
    };
    let evidence = format!("header is made of the known names `{}`", parts.join("` and `"));
    Some(Candidate { target: target.clone(), score, evidence, rank: rank + 150 })
}

/// The parts of a name that signs or a word for "and" join.
pub(super) fn parts(name: &str) -> Vec<String> {
    const AND: &[&str] = &["and", "und", "et", "y", "i", "en"];
    let signs = name.split(['/', '|', '+', '&', '\n']).map(normalise).filter(|it| !it.is_empty());
    let signs: Vec<String> = signs.collect();
    let [one] = signs.as_slice() else { return signs };
    let words: Vec<&str> = one.split(' ').collect();
    let at = words.iter().position(|word| AND.contains(word));
    match at {
        Some(at) if at > 0 && at + 1 < words.len() => {
            vec![words[..at].join(" "), words[at + 1..].join(" ")]
        }
        _ => signs,
    }
}

/// Known names with shortened words, or numbered as the first of several.
pub(super) fn shortened(headers: &Headers, name: &str) -> Option<Candidate> {
    let long = expanded(name);
    let first = without_first(long.as_deref().unwrap_or(name));
    for (short, score) in [(long.as_deref(), 0.72), (first.as_deref(), 0.7)] {
        let Some(short) = short else { continue };
        let target = match headers.meaning(short) {
            Some(Meaning::Target { target, .. }) => Some(target),
            Some(Meaning::Never(_)) => None,
            None => likely(short).cloned(),
        };
        if let Some(target) = target {
            let evidence = format!("header is short for `{short}`");
            return Some(Candidate { target, score, evidence, rank: 250 });
        }
    }
    further_one(headers, name).or_else(|| beginning_of_known(name))
}

/// A known name with a number from 2 on: a further address or number.
fn further_one(headers: &Headers, name: &str) -> Option<Candidate> {
    let bare = without_further(name)?;
    let Some(Meaning::Target { target, .. }) = headers.meaning(&bare) else { return None };
    let target = match target {
        Target::Field(Field::Email) => Target::AdditionalEmails,
        Target::Field(Field::Phone) => Target::AdditionalPhones,
        _ => return None,
    };
    let evidence = format!("header is a further `{bare}`");
    Some(Candidate { target, score: 0.85, evidence, rank: 250 })
}

/// Names whose words are beginnings of a known name's: `Data nasc.`, `Tél. port.`.
fn beginning_of_known(name: &str) -> Option<Candidate> {
    let words = normalise(name);
    let long = words.chars().count() >= 4;
    let mut found: Option<(&Target, &str)> = None;
    for (whole, meaning) in Headers::spelled().filter(|(whole, _)| shortens(&words, whole)) {
        let Meaning::Target { target, .. } = meaning else { return None };
        match found {
            // It may be short for two things, and so says nothing.
            Some((other, _)) if other != target => return None,
            Some(_) => {}
            None => found = Some((target, whole)),
        }
    }
    let (target, whole) = found.filter(|_| long)?;
    let evidence = format!("header may be short for the known name `{whole}`");
    Some(Candidate { target: target.clone(), score: 0.66, evidence, rank: 260 })
}

/// Whether a name says nothing but that it is a column's.
pub(super) fn says_nothing(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "column", "col", "field", "unnamed", "value", "var", "spalte", "feld", "wert",
        "colonne", "champ", "columna", "campo", "colonna", "coluna", "kolom", "veld", "kolumna",
        "pole",
    ];
    let words = normalise(name);
    let number_or_letter =
        |word: &&str| !word.chars().all(|c| c.is_ascii_digit()) && word.chars().count() > 1;
    let words: Vec<&str> = words.split(' ').filter(number_or_letter).collect();
    let bare = words.join(" ");
    WORDS.contains(&bare.trim_end_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_two_languages_is_one_name_and_a_name_of_two_things_is_none() {
        let target = |name: &str, beside: &[&str]| {
            let all = beside.iter().copied().chain([name]);
            let all: Vec<String> = all.flat_map(parts).collect();
            let headers = Headers::new(all.iter().map(String::as_str));
            joined(&headers, name).map(|it| it.target.to_string())
        };
        assert_eq!(target("Vorname / Prénom", &[]).as_deref(), Some("firstName"));
        assert_eq!(target("Name / Nom", &["Vorname / Prénom"]).as_deref(), Some("lastName"));
        assert_eq!(target("Straße + Hausnr.", &[]).as_deref(), Some("address1"));
        assert_eq!(target("Ulica i nr", &[]).as_deref(), Some("address1"));
        assert_eq!(target("PLZ/Ort", &[]), None);
        assert_eq!(target("Company & Title", &[]), None);
        assert_eq!(target("E-Mail", &[]), None);
    }

    #[test]
    fn short_names_stand_for_known_ones() {
        let target =
            |name: &str| shortened(&Headers::default(), name).map(|it| it.target.to_string());
        for (name, expected) in [
            ("CUST_NM", Some("name")),
            ("ADDR_LN_1", Some("address1")),
            ("Data nasc.", Some("dateOfBirth")),
            ("Observac.", Some("note")),
            ("CRT_DT", None),
            ("Total", None),
        ] {
            assert_eq!(target(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn some_names_say_nothing() {
        for name in ["Column1", "Unnamed: 0", "Feld A", "", "field_12", "Spalte 3", "7"] {
            assert!(says_nothing(name), "{name}");
        }
        assert!(!says_nothing("Total") && !says_nothing("Field of study"));
    }
}
