//! Names that are not a single known name: abbreviated ones, and those with the same or different meanings in their
//! parts.

use super::TargetCandidate;
use crate::mapping::header::{
    HeaderMeaning, HeaderNames, expand_abbreviations, fold_name, is_abbreviation_of, likely_target,
    normalise_name, strip_number_above_one, strip_number_one, strip_qualifiers,
};
use crate::model::target::{Field, MappingTarget};

/// The candidate for a name whose parts are joined by signs or words: `Vorname / Prénom`, `Straße + Nr.`.
///
/// `headers` contains the parts of all names, which may affect each other's meaning.
pub(super) fn candidate_by_parts(headers: &HeaderNames, name: &str) -> Option<TargetCandidate> {
    let parts = split_name_parts(name);
    if parts.len() < 2 {
        return None;
    }
    let meaning = |part: &String| {
        let perhaps =
            || Some(HeaderMeaning::Target { target: likely_target(part)?.clone(), rank: 100 });
        headers.meaning_of(part).or_else(perhaps)
    };
    let meanings: Vec<_> = parts.iter().map(meaning).collect();
    let mut known = meanings.iter().flatten().filter_map(|meaning| match meaning {
        HeaderMeaning::Target { target, rank } => Some((target, *rank)),
        HeaderMeaning::Never(_) => None,
    });
    let (target, rank) = known.next()?;
    // A name with two meanings, such as `PLZ/Ort`, fits neither target.
    if known.any(|(other, _)| other != target) {
        return None;
    }
    let all = meanings.iter().all(Option::is_some);
    // The other part of a name may change its meaning: `Company & Title`. Streets have numbers, stairs and doors.
    let alone = matches!(target, MappingTarget::Field(Field::Address1 | Field::Website));
    let score = match (all, alone) {
        (true, _) => 0.8,
        (false, true) => 0.66,
        (false, false) => return None,
    };
    let evidence = format!("header is made of the known names `{}`", parts.join("` and `"));
    Some(TargetCandidate { target: target.clone(), score, evidence, rank: rank + 150 })
}

/// The parts of a name that are joined by signs or a word for "and".
pub(super) fn split_name_parts(name: &str) -> Vec<String> {
    const AND: &[&str] = &["and", "und", "et", "y", "i", "en"];
    let signs =
        name.split(['/', '|', '+', '&', '\n']).map(normalise_name).filter(|it| !it.is_empty());
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

/// The candidate for a known name with abbreviated words, or numbered as the first of several.
pub(super) fn candidate_by_abbreviation(
    headers: &HeaderNames,
    name: &str,
) -> Option<TargetCandidate> {
    if is_false_friend(name) {
        return None;
    }
    let long = expand_abbreviations(name);
    let first = strip_number_one(long.as_deref().unwrap_or(name));
    for (short, score) in [(long.as_deref(), 0.72), (first.as_deref(), 0.7)] {
        let Some(short) = short else { continue };
        let target = match headers.meaning_of(short) {
            Some(HeaderMeaning::Target { target, .. }) if is_numbered(&target) && score < 0.72 => {
                let evidence = format!("header is the first `{short}`");
                return Some(TargetCandidate { target, score: 0.9, evidence, rank: 10 });
            }
            Some(HeaderMeaning::Target { target, .. }) => Some(target),
            Some(HeaderMeaning::Never(_)) => None,
            None => likely_target(short).cloned(),
        };
        if let Some(target) = target {
            let evidence = format!("header is short for `{short}`");
            return Some(TargetCandidate { target, score, evidence, rank: 250 });
        }
    }
    additional_value_candidate(headers, name).or_else(|| candidate_by_word_prefixes(name))
}

/// Whether a contact often has several, so that columns for it are numbered from 1.
fn is_numbered(target: &MappingTarget) -> bool {
    matches!(
        target,
        MappingTarget::Field(Field::Email | Field::Phone | Field::Address1 | Field::Website)
    )
}

/// Whether a name is the second line of an address.
pub(super) fn is_second_line(name: &str) -> bool {
    #[rustfmt::skip]
    const NAMES: &[&str] = &[
        "street address 2", "address 2", "address line 2", "address2", "addressline2", "street 2", "street line 2",
        "street address line 2", "addr 2", "addr line 2", "address second line", "apt", "apartment", "unit", "suite",
        "apt suite", "apartment suite", "apartment suite etc", "unit number", "apt number", "suite number", "adresszusatz",
        "adresse 2", "complément d adresse", "complément adresse", "dirección 2", "indirizzo 2", "complemento", "adres 2",
    ];
    let name = normalise_name(name);
    // `Home Address 2`, too.
    let bare = strip_qualifiers(&name).unwrap_or_default();
    NAMES.iter().map(|known| normalise_name(known)).any(|known| known == name || known == bare)
}

/// The candidate for the second line of an address, which is joined to the first one.
pub(super) fn second_line_candidate(name: &str) -> Option<TargetCandidate> {
    let target = MappingTarget::Field(Field::Address1);
    let evidence = "header is the second line of an address".to_owned();
    is_second_line(name).then_some(TargetCandidate { target, score: 0.95, evidence, rank: 400 })
}

/// The candidate for a known name with a number from 2: an additional address or phone number.
fn additional_value_candidate(headers: &HeaderNames, name: &str) -> Option<TargetCandidate> {
    let bare = strip_number_above_one(name)?;
    let Some(HeaderMeaning::Target { target, .. }) = headers.meaning_of(&bare) else { return None };
    let target = match target {
        MappingTarget::Field(Field::Email) => MappingTarget::AdditionalEmails,
        MappingTarget::Field(Field::Phone) => MappingTarget::AdditionalPhones,
        _ => return None,
    };
    let evidence = format!("header is a further `{bare}`");
    Some(TargetCandidate { target, score: 0.85, evidence, rank: 250 })
}

/// The candidate for a name whose words are beginnings of a known name's: `Data nasc.`, `Tél. port.`.
fn candidate_by_word_prefixes(name: &str) -> Option<TargetCandidate> {
    let words = normalise_name(name);
    let long = words.chars().count() >= 4;
    let mut found: Option<(&MappingTarget, &str)> = None;
    for (whole, meaning) in
        HeaderNames::normalised_dictionary().filter(|(whole, _)| is_abbreviation_of(&words, whole))
    {
        let HeaderMeaning::Target { target, .. } = meaning else { return None };
        match found {
            // The abbreviation is ambiguous, and so proves nothing.
            Some((other, _)) if other != target => return None,
            Some(_) => {}
            None => found = Some((target, whole)),
        }
    }
    let (target, whole) = found.filter(|_| long)?;
    let evidence = format!("header may be short for the known name `{whole}`");
    Some(TargetCandidate { target: target.clone(), score: 0.66, evidence, rank: 260 })
}

/// Whether a name is similar to one that a contact field has, and means something else. Mail is on paper unless it is
/// called e-mail.
pub(super) fn is_false_friend(name: &str) -> bool {
    const NAMES: &[&str] =
        &["department", "formname", "sender", "reference", "remarketing", "donotmail", "dnm"];
    NAMES.contains(&fold_name(name).as_str())
}

/// Whether a name only says that it is a column.
pub(super) fn is_generic_name(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "column", "col", "field", "unnamed", "value", "var", "spalte", "feld", "wert",
        "colonne", "champ", "columna", "campo", "colonna", "coluna", "kolom", "veld", "kolumna",
        "pole",
    ];
    let words = normalise_name(name);
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
        let target = |name: &str, others: &[&str]| {
            let all = others.iter().copied().chain([name]);
            let all: Vec<String> = all.flat_map(split_name_parts).collect();
            let headers = HeaderNames::new(all.iter().map(String::as_str));
            candidate_by_parts(&headers, name).map(|it| it.target.to_string())
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
        let target = |name: &str| {
            candidate_by_abbreviation(&HeaderNames::default(), name).map(|it| it.target.to_string())
        };
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
            assert!(is_generic_name(name), "{name}");
        }
        assert!(!is_generic_name("Total") && !is_generic_name("Field of study"));
    }
}
