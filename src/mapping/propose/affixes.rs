//! Names that contain a known name: at their end, at their beginning, or as the end of a compound.

use super::value_profile::{ValueProfile, expected_shape};
use super::{SOMEBODYS, TargetCandidate};
use crate::mapping::header::{HeaderMeaning, HeaderNames, normalise_name};
use crate::model::target::{Field, MappingTarget};

/// The candidate for a name whose last words are a known name: `Customer Email`, `Billing City`.
pub(super) fn candidate_by_ending(name: &str) -> Option<TargetCandidate> {
    let words = normalise_name(name);
    let words: Vec<&str> = words.split(' ').take(8).collect();
    (1..words.len()).find_map(|from| {
        let last = words[from..].join(" ");
        let Some(HeaderMeaning::Target { target, rank }) = HeaderNames::default().meaning_of(&last)
        else {
            return None;
        };
        // `Campaign Name` and `Order Source` are not about the contact.
        let street = target == MappingTarget::Field(Field::Address1)
            && !words[..from]
                .iter()
                .any(|word| ["ip", "mac", "web", "wallet", "url"].contains(word));
        let telling = matches!(
            target,
            MappingTarget::Field(
                Field::Email
                    | Field::Phone
                    | Field::PostalCode
                    | Field::City
                    | Field::Country
                    | Field::DateOfBirth
            )
        );
        // `Address 1 - State`, but not `Order State`.
        let telling = telling
            || target == MappingTarget::Field(Field::State) && words[..from].contains(&"address");
        let evidence = format!("header ends with the known name `{last}`");
        let person =
            is_person_name_part(&target, &last) || matches!(target, MappingTarget::Note(_));
        let score = if telling { 0.7 } else { 0.62 };
        (telling || street || person).then_some(TargetCandidate {
            target,
            score,
            evidence,
            rank: rank + SOMEBODYS,
        })
    })
}

/// The candidate for a name whose first words are a known name: `Company Name for Emails`.
pub(super) fn candidate_by_beginning(name: &str, look: &ValueProfile) -> Option<TargetCandidate> {
    let words = normalise_name(name);
    let words: Vec<&str> = words.split(' ').take(8).collect();
    let several = (2..words.len()).rev().find_map(|to| {
        let first = words[..to].join(" ");
        // `Phone 2 Type` is not a phone number, and `Street Address 2` not a street.
        let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
        if words[to..].iter().any(|word| ABOUT.contains(word)) || words[to..].iter().all(is_number)
        {
            return None;
        }
        match HeaderNames::default().meaning_of(&first) {
            Some(HeaderMeaning::Target { target, rank }) => {
                let evidence = format!("header begins with the known name `{first}`");
                Some(TargetCandidate { target, score: 0.62, evidence, rank: rank + 300 })
            }
            _ => None,
        }
    });
    several.or_else(|| candidate_by_first_word(&words, look))
}

/// The candidate for a name of several words whose first word is known, as in French, Italian, Spanish and
/// Portuguese: `Paese di provenienza`, `Note interne`. In English, the first word means less, so the values must
/// agree.
fn candidate_by_first_word(words: &[&str], look: &ValueProfile) -> Option<TargetCandidate> {
    let [first, rest @ ..] = words else { return None };
    let Some(HeaderMeaning::Target { target, rank }) = HeaderNames::default().meaning_of(first)
    else {
        return None;
    };
    let borne_out = if let Some(kind) = expected_shape(&target) {
        look.share_of(kind) >= 0.5
    } else {
        let text = matches!(
            target,
            MappingTarget::Note(_)
                | MappingTarget::Field(
                    Field::Address1 | Field::City | Field::CompanyName | Field::Source
                )
        );
        (text || is_person_name_part(&target, first))
            && !rest.iter().any(|word| ABOUT.contains(word))
    };
    let evidence = format!("header begins with the known name `{first}`");
    // `Remark 1b` is one of several columns that cannot be distinguished.
    let words = rest.first().is_some_and(|word| word.chars().all(char::is_alphabetic));
    (words && borne_out).then_some(TargetCandidate {
        target,
        score: 0.61,
        evidence,
        rank: rank + SOMEBODYS,
    })
}

/// The candidate for a compound, as in German and Dutch, that ends with a known name: `Herkunftsland`,
/// `Wohnadresse`.
pub(super) fn candidate_by_compound(name: &str, look: &ValueProfile) -> Option<TargetCandidate> {
    /// The minimum length of such an ending.
    const FEWEST: usize = 4;
    let words = normalise_name(name);
    if words.contains(' ') || words.chars().count() < 2 * FEWEST {
        return None;
    }
    let ends = |whole: &str| {
        whole.chars().count() >= FEWEST && words.len() > whole.len() && words.ends_with(whole)
    };
    let (whole, meaning) = HeaderNames::normalised_dictionary()
        .filter(|(whole, _)| ends(whole))
        .max_by_key(|(whole, _)| whole.len())?;
    let HeaderMeaning::Target { target, rank } = meaning else { return None };
    let borne_out = match expected_shape(target) {
        Some(kind) => look.share_of(kind) >= 0.5,
        None => matches!(target, MappingTarget::Note(_) | MappingTarget::Field(Field::Address1)),
    };
    let evidence = format!("header ends with the known name `{whole}`");
    let rank = rank + SOMEBODYS;
    borne_out.then(|| TargetCandidate { target: target.clone(), score: 0.64, evidence, rank })
}

/// Whether a word can only name a part of a person's name: `first` and `last` have many other uses.
fn is_person_name_part(target: &MappingTarget, word: &str) -> bool {
    let part = matches!(target, MappingTarget::Field(Field::FirstName | Field::LastName));
    part && !matches!(word, "first" | "last" | "nom")
}

/// Words that turn a name into one for an attribute of the thing.
#[rustfmt::skip]
const ABOUT: &[&str] = &[
    "id", "type", "status", "size", "count", "number", "code", "verified", "valid", "date", "score", "tax", "sent",
    "opened", "clicked", "url", "link", "source", "medium", "campaign", "created", "updated", "by", "at", "on", "domain",
    "industry", "dnc", "dnd", "consent", "revenue", "linkedin", "phone", "email", "owner", "title", "rating", "label", "format", "count",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn look(values: &[&str]) -> ValueProfile {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        ValueProfile::new(values.iter())
    }

    #[test]
    fn a_known_word_at_the_end_or_the_beginning_speaks_for_its_target() {
        let target = |found: Option<TargetCandidate>| found.map(|it| it.target.to_string());
        let countries = look(&["Italia", "Germany", "France"]);
        let words = look(&["one", "two", "three"]);
        assert_eq!(target(candidate_by_ending("Billing City")).as_deref(), Some("city"));
        assert_eq!(target(candidate_by_ending("Campaign Name")), None);
        assert_eq!(
            target(candidate_by_beginning("Paese di provenienza", &countries)).as_deref(),
            Some("country")
        );
        assert_eq!(target(candidate_by_beginning("Paese di provenienza", &words)), None);
        assert_eq!(
            target(candidate_by_beginning("Commentaire libre", &words)).as_deref(),
            Some("note")
        );
        assert_eq!(target(candidate_by_beginning("Company Size", &words)), None);
        assert_eq!(
            target(candidate_by_compound("Herkunftsland", &countries)).as_deref(),
            Some("country")
        );
        assert_eq!(target(candidate_by_compound("Herkunftsland", &words)), None);
        assert_eq!(
            target(candidate_by_compound("Wohnadresse", &words)).as_deref(),
            Some("address1")
        );
        assert_eq!(target(candidate_by_compound("Produktname", &words)), None);
    }
}
