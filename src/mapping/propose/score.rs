//! Scores: how much a column's name and values speak for each target.

use std::collections::HashMap;

use super::affixes::{beginning, compound, ending};
use super::compounds::{joined, parts, says_nothing, shortened};
use super::value_profile::{Kind, Look};
use super::{BY_VALUES, Candidate, PROPOSED, SOMEBODYS};
use crate::mapping::header::{
    Headers, Meaning, consent, expanded, fold, likely, normalise, without_subject,
};
use crate::model::directory::Directory;
use crate::model::target::{Field, NotePart, Target, TaskPart};

/// What is known about names.
pub(super) struct Names<'n> {
    headers: &'n Headers,
    /// The same names without the words that say whom they are about.
    bare: Headers,
    /// The parts of the names that are made of several.
    parts: Headers,
    /// The record that the file's rows are beside their contacts, when a name says so: `task` or `note`.
    record: Option<&'static str>,
    /// The keys of the location's custom fields by folded key or name, and which of the two it is.
    fields: HashMap<String, Vec<(&'n str, &'static str)>>,
}

impl<'n> Names<'n> {
    pub(super) fn new(
        names: &[&str],
        headers: &'n Headers,
        directory: Option<&'n Directory>,
    ) -> Self {
        let bare: Vec<String> = names
            .iter()
            .map(|name| without_subject(name).unwrap_or_else(|| (*name).to_owned()))
            .collect();
        let bare = Headers::new(bare.iter().map(String::as_str));
        let all: Vec<String> = names.iter().flat_map(|name| parts(name)).collect();
        let parts = Headers::new(all.iter().map(String::as_str));
        let mut fields: HashMap<String, Vec<(&str, &str)>> = HashMap::new();
        for field in directory.into_iter().flat_map(|directory| &directory.fields) {
            let (key, name) = (fold(&field.key), fold(&field.name));
            if name != key {
                fields.entry(name).or_default().push((&field.key, "name"));
            }
            fields.entry(key).or_default().push((&field.key, "key"));
        }
        fields.remove("");
        Self { headers, bare, parts, record: record(names, headers), fields }
    }

    /// Custom fields of the column's name, or of the one that exports give it.
    fn custom(&self, name: &str) -> Vec<Candidate> {
        let exported = name.trim().strip_prefix("custom_");
        let by_export = exported.into_iter().flat_map(|key| {
            let named = self.fields.get(&fold(key)).into_iter().flatten();
            named.filter(move |(own, _)| *own == key).map(|(key, _)| (*key, "key", 1.0))
        });
        let by_name = self.fields.get(&fold(name)).map(Vec::as_slice).unwrap_or_default();
        // Of several fields that the name could be, only one whose very key it is is surely meant.
        let alone = by_name.len() == 1;
        let sure = |key: &str| if alone || key == name.trim() { 0.95 } else { 0.8 };
        by_export
            .chain(by_name.iter().map(|(key, by)| (*key, *by, sure(key))))
            .map(|(key, by, score)| {
                let evidence = format!("matches custom field `{key}` by {by}");
                Candidate { target: Target::Custom(key.to_owned()), score, evidence, rank: 0 }
            })
            .collect()
    }
}

/// The targets that a column may be for, the best first, and why none of them is to be guessed, if so.
pub(super) fn candidates(
    names: &Names,
    name: &str,
    look: &Look,
) -> (Vec<Candidate>, Option<&'static str>) {
    let meaning = names.headers.meaning(name);
    let mut found = names.custom(name);
    let of_record = names.record.filter(|_| !matches!(meaning, Some(Meaning::Never(_))));
    let of_record = of_record.and_then(|record| part_of(record, name));
    if let Some(candidate) = of_record {
        found.push(candidate);
        return (best_first(found), None);
    }
    let never = match meaning {
        Some(Meaning::Target { target, rank }) => {
            found.extend(known_name(name, target, rank, look));
            None
        }
        // A location that has a field of this very name has made up its mind about it.
        Some(Meaning::Never(why)) => found.is_empty().then_some(why),
        None => {
            found.extend(nearly(name));
            found.extend(ending(name));
            found.extend(about_somebody(names, name));
            found.extend(likely_name(name));
            found.extend(joined(&names.parts, name));
            found.extend(shortened(names.headers, name));
            let long = expanded(name);
            found.extend(beginning(long.as_deref().unwrap_or(name), look));
            found.extend(compound(name, look));
            found.extend(consenting(name, look));
            None
        }
    };
    for candidate in &mut found {
        weigh(candidate, look);
    }
    if never.is_none() {
        found.extend(by_values(look, says_nothing(name)));
    }
    (best_first(found), never)
}

/// What a file is of that has the ids of tasks or notes.
fn record(names: &[&str], headers: &Headers) -> Option<&'static str> {
    names.iter().find_map(|name| match headers.meaning(name) {
        Some(Meaning::Target { target: Target::Task(TaskPart::Id), .. }) => Some("task"),
        Some(Meaning::Target { target: Target::Note(NotePart::Id), .. }) => Some("note"),
        _ => None,
    })
}

/// `dueDate` beside the ids of tasks is a task's, and `content` beside those of notes a note's.
fn part_of(record: &str, name: &str) -> Option<Candidate> {
    let whole = format!("{record} {}", expanded(name).as_deref().unwrap_or(name));
    let Some(Meaning::Target { target: target @ (Target::Task(_) | Target::Note(_)), rank }) =
        Headers::default().meaning(&whole)
    else {
        return None;
    };
    let evidence = format!("the name of a part of a {record}, beside the ids of {record}s");
    Some(Candidate { target, score: 0.95, evidence, rank })
}

/// A known name. `Nome` over single words is no whole name, and nothing says which part of one it is.
fn known_name(name: &str, target: Target, rank: usize, look: &Look) -> Vec<Candidate> {
    let evidence = "header is a known name (dictionary)".to_owned();
    let whole = target == Target::Field(Field::Name);
    if !(whole && Headers::is_double(name) && look.share(Kind::Word) >= 0.8) {
        return vec![Candidate { target, score: 1.0, evidence, rank }];
    }
    let part = |(field, score): (Field, f64)| {
        let evidence = format!("{evidence}; {}", seen(Kind::Word, look.share(Kind::Word)));
        Candidate { target: Target::Field(field), score, evidence, rank }
    };
    [(Field::FirstName, 0.7), (Field::LastName, 0.66), (Field::Name, 0.65)].map(part).into()
}

/// Names of things that no contact has a field for, and that are near names of others.
const FALSE_FRIENDS: &[&str] = &["department", "formname", "sender", "reference", "remarketing"];

/// Known names that differ in a letter or two.
fn nearly(name: &str) -> Option<Candidate> {
    let folded = fold(name);
    let length = folded.chars().count();
    if !(5..=40).contains(&length) || FALSE_FRIENDS.contains(&folded.as_str()) {
        return None;
    }
    let close =
        |known: &str| known.len() > 4 && known.chars().count().abs_diff(length) * 5 <= length;
    let (score, known, meaning) = Headers::all()
        .filter(|(known, _)| close(known))
        .map(|(known, meaning)| {
            (strsim::normalized_damerau_levenshtein(&folded, known), known, meaning)
        })
        // Of equally near names the alphabet decides, so that every run says the same.
        .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(one.1)))?;
    let Meaning::Target { target, rank } = meaning else { return None };
    let evidence = format!("header is nearly the known name `{known}`");
    let candidate = Candidate { target: target.clone(), score: score * 0.9, evidence, rank: *rank };
    (score >= 0.8).then_some(candidate)
}

/// Known names with words that say whom they are about. Asked about: it may be somebody else.
fn about_somebody(names: &Names, name: &str) -> Option<Candidate> {
    let bare = without_subject(name)?;
    let (target, rank, score) = match (names.bare.meaning(&bare), likely(&bare)) {
        (Some(Meaning::Target { target, rank }), _) => (target, rank + 100, 0.78),
        (Some(Meaning::Never(_)), _) | (None, None) => return None,
        (None, Some(target)) => (target.clone(), 200, 0.65),
    };
    let evidence = format!("header is the known name `{bare}` of somebody");
    Some(Candidate { target, score, evidence, rank })
}

/// Names that often stand for something and as often do not.
fn likely_name(name: &str) -> Option<Candidate> {
    let target = likely(name)?.clone();
    let evidence = "header is often a name for it".to_owned();
    Some(Candidate { target, score: 0.68, evidence, rank: 200 })
}

/// Columns of yes and no whose name asks for consent.
fn consenting(name: &str, look: &Look) -> Option<Candidate> {
    let target = consent(&normalise(name)).filter(|_| look.share(Kind::Boolean) >= 0.8)?;
    let evidence = "header asks for consent".to_owned();
    Some(Candidate { target, score: 0.65, evidence, rank: 300 })
}

/// What values alone speak for. Behind a name that says nothing they have the only word.
fn by_values(look: &Look, nameless: bool) -> impl Iterator<Item = Candidate> {
    const KINDS: &[(Kind, Target, f64)] = &[
        (Kind::Email, Target::Field(Field::Email), BY_VALUES),
        (Kind::Phone, Target::Field(Field::Phone), 0.7),
        (Kind::Country, Target::Field(Field::Country), 0.65),
        (Kind::Url, Target::Field(Field::Website), 0.55),
        (Kind::Person, Target::Field(Field::Name), 0.0),
        (Kind::Date, Target::Field(Field::DateOfBirth), 0.4),
        (Kind::PostalCode, Target::Field(Field::PostalCode), 0.4),
    ];
    KINDS.iter().filter_map(move |(kind, target, most)| {
        let most = match kind {
            Kind::Url | Kind::Person if nameless => 0.65,
            _ => *most,
        };
        let share = look.share(*kind);
        let evidence = seen(*kind, share);
        let candidate = Candidate {
            target: target.clone(),
            score: most * share,
            evidence,
            rank: 2 * SOMEBODYS,
        };
        // One value that looks like something may do so by chance.
        (share >= 0.5 && look.filled >= 3).then_some(candidate)
    })
}

/// Lets the values speak for or against what the name says.
fn weigh(candidate: &mut Candidate, look: &Look) {
    let own = expected(&candidate.target);
    let share = own.map_or(0.0, |kind| look.share(kind));
    if let Some(kind) = own.filter(|_| share >= 0.5) {
        candidate.score += (1.0 - candidate.score) * 0.5 * share;
        candidate.evidence = format!("{}; {}", candidate.evidence, seen(kind, share));
        return;
    }
    let against = contradicting(&candidate.target).iter().find(|kind| look.share(**kind) >= 0.6);
    if let Some(kind) = against.filter(|_| share < 0.2) {
        candidate.score *= 0.7;
        candidate.evidence =
            format!("{}; but {}", candidate.evidence, seen(*kind, look.share(*kind)));
    }
}

fn seen(kind: Kind, share: f64) -> String {
    format!("{:.0} % of the values are {}", share * 100.0, kind.plural())
}

/// What values of a target look like, where they have a look of their own.
pub(super) fn expected(target: &Target) -> Option<Kind> {
    Some(match target {
        Target::Field(Field::Email) | Target::AdditionalEmails => Kind::Email,
        Target::Field(Field::Phone) | Target::AdditionalPhones => Kind::Phone,
        Target::Field(Field::DateOfBirth) | Target::Task(TaskPart::DueDate) => Kind::Date,
        Target::Field(Field::Website) => Kind::Url,
        Target::Field(Field::Country) => Kind::Country,
        Target::Field(Field::PostalCode) => Kind::PostalCode,
        Target::Dnd | Target::DndChannel(_) | Target::OptIn => Kind::Boolean,
        _ => return None,
    })
}

/// What values of a target never look like.
fn contradicting(target: &Target) -> &'static [Kind] {
    use Kind::{Boolean, Date, Email, Phone, Url};
    match target {
        Target::Field(Field::Email) | Target::AdditionalEmails => &[Phone, Date, Url, Boolean],
        Target::Field(Field::Phone | Field::PostalCode) | Target::AdditionalPhones => {
            &[Email, Date, Url, Boolean]
        }
        Target::Field(Field::DateOfBirth) | Target::Task(TaskPart::DueDate) => {
            &[Email, Url, Boolean]
        }
        Target::Field(Field::Website) => &[Email, Phone, Date, Boolean],
        Target::Field(Field::Source)
        | Target::Tags
        | Target::Note(_)
        | Target::Owner
        | Target::Custom(_) => &[],
        Target::Field(_) => &[Email, Phone, Date, Url],
        Target::Dnd | Target::DndChannel(_) | Target::OptIn => &[Email, Date, Url],
        Target::ContactId => &[Email, Phone, Date, Url, Boolean],
        _ => &[],
    }
}

/// The candidates by score, each target once, without those that are hardly one.
fn best_first(mut found: Vec<Candidate>) -> Vec<Candidate> {
    found.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.rank.cmp(&other.rank)));
    let mut kept: Vec<Candidate> = Vec::with_capacity(found.len());
    for candidate in found {
        let known = kept.iter().any(|known| known.target == candidate.target);
        if !known && candidate.score >= PROPOSED / 2.0 {
            kept.push(candidate);
        }
    }
    kept.truncate(4);
    kept
}
