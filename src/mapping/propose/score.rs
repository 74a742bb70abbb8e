//! Scores: how strongly a column's name and values suggest each target.

use std::collections::HashMap;

use super::affixes::{candidate_by_beginning, candidate_by_compound, candidate_by_ending};
use super::compounds::{
    candidate_by_abbreviation, candidate_by_parts, is_false_friend, is_generic_name,
    second_line_candidate, split_name_parts,
};
use super::consent_score;
use super::field_options::FieldOptions;
use super::sheet_subject::SheetSubject;
use super::value_profile::{ValueProfile, ValueShape, contradicting_shapes, expected_shape};
use super::{ACCEPTED, BY_VALUES, PROPOSED, SOMEBODYS, TargetCandidate};
use crate::mapping::header::{
    HeaderMeaning, HeaderNames, expand_abbreviations, fold_name, likely_target, strip_number_one,
    strip_qualifiers,
};
use crate::model::directory::LocationDirectory;
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};

/// The context for judging names.
pub(super) struct HeaderContext<'n> {
    headers: &'n HeaderNames,
    /// The names without their qualifiers.
    bare: HeaderNames,
    /// The parts of compound names.
    parts: HeaderNames,
    /// The record that the rows describe in addition to contacts, if a name says so: `task` or `note`.
    record: Option<&'static str>,
    /// Whether `id` is the id of a task, as in an export's table of tasks.
    has_plain_task_id: bool,
    /// The location's custom fields by folded key or name, each with its key and which of the two matched.
    fields: HashMap<String, Vec<(&'n str, &'static str)>>,
    options: FieldOptions<'n>,
    subject: SheetSubject,
}

impl<'n> HeaderContext<'n> {
    pub(super) fn new(
        names: &[&str],
        headers: &'n HeaderNames,
        directory: Option<&'n LocationDirectory>,
    ) -> Self {
        let bare: Vec<String> = names
            .iter()
            .map(|name| strip_qualifiers(name).unwrap_or_else(|| (*name).to_owned()))
            .collect();
        let bare = HeaderNames::new(bare.iter().map(String::as_str));
        let all: Vec<String> = names.iter().flat_map(|name| split_name_parts(name)).collect();
        let parts = HeaderNames::new(all.iter().map(String::as_str));
        let mut fields: HashMap<String, Vec<(&str, &str)>> = HashMap::new();
        for field in directory.into_iter().flat_map(|directory| &directory.fields) {
            let (key, name) = (fold_name(&field.key), fold_name(&field.name));
            if name != key {
                fields.entry(name).or_default().push((&field.key, "name"));
            }
            fields.entry(key).or_default().push((&field.key, "key"));
        }
        fields.remove("");
        let options = FieldOptions::new(directory);
        let named_record = detect_child_kind(names, headers);
        let has_plain_task_id = named_record.is_none() && has_plain_task_id(names, headers);
        let record = named_record.or(has_plain_task_id.then_some("task"));
        let subject = SheetSubject::new(names);
        Self { headers, bare, parts, record, has_plain_task_id, fields, options, subject }
    }

    /// The custom fields that have the column's name, or whose export name it is, or whose options its values are.
    fn custom_field_candidates(&self, name: &str, look: &ValueProfile) -> Vec<TargetCandidate> {
        let exported = name.trim().strip_prefix("custom_");
        let by_export = exported.into_iter().flat_map(|key| {
            let named = self.fields.get(&fold_name(key)).into_iter().flatten();
            named.filter(move |(own, _)| *own == key).map(|(key, _)| (*key, "key", 1.0))
        });
        let by_name = self.fields.get(&fold_name(name)).map(Vec::as_slice).unwrap_or_default();
        // If several fields could match the name, only an exact match of the key is certain.
        let alone = by_name.len() == 1;
        let sure = |key: &str| if alone || key == name.trim() { 0.95 } else { 0.8 };
        let named = by_export.chain(by_name.iter().map(|(key, by)| (*key, *by, sure(key)))).map(
            |(key, by, score)| {
                custom_candidate(key, score, format!("matches custom field `{key}` by {by}"))
            },
        );
        let mut found: Vec<TargetCandidate> = named.collect();
        for key in self.options.fields_with(look) {
            let evidence = format!("all values are options of custom field `{key}`");
            let target = MappingTarget::Custom(key.to_owned());
            match found.iter_mut().find(|candidate| candidate.target == target) {
                Some(candidate) => {
                    candidate.score = candidate.score.max(0.98);
                    candidate.evidence = format!("{}; {evidence}", candidate.evidence);
                }
                None => found.push(custom_candidate(key, 0.65, evidence)),
            }
        }
        found
    }
}

fn custom_candidate(key: &str, score: f64, evidence: String) -> TargetCandidate {
    TargetCandidate { target: MappingTarget::Custom(key.to_owned()), score, evidence, rank: 0 }
}

/// The possible targets of a column, best first, and why none of them may be guessed, if so.
pub(super) fn rank_candidates(
    names: &HeaderContext,
    name: &str,
    look: &ValueProfile,
) -> (Vec<TargetCandidate>, Option<&'static str>) {
    let meaning = names.headers.meaning_of(name);
    let mut found = names.custom_field_candidates(name, look);
    let own_field = found.first().filter(|own| own.score >= ACCEPTED).cloned();
    let is_id = names.has_plain_task_id && fold_name(name) == "id";
    let is_kept_out = matches!(meaning, Some(HeaderMeaning::Never(_))) && !is_id;
    let of_record = names.record.filter(|_| !is_kept_out);
    let of_record = of_record.and_then(|record| child_field_candidate(record, name));
    if let Some(candidate) = of_record {
        found.push(candidate);
        return (best_candidates(found), None);
    }
    let consent = consent_score::consent_status_candidate(name, look);
    let has_opt_outs = consent.is_some() && look.has_opt_outs();
    found.extend(consent);
    let never = match meaning {
        Some(HeaderMeaning::Target { target, rank }) => {
            found.extend(known_name_candidates(name, target, rank, look));
            None
        }
        // A location with a field of this name has decided what it means; so have values that are opt-outs.
        Some(HeaderMeaning::Never(why)) => (found.is_empty() && !has_opt_outs).then_some(why),
        None => {
            found.extend(second_line_candidate(name));
            found.extend(candidate_by_similarity(name));
            found.extend(candidate_by_ending(name));
            found.extend(candidate_without_qualifiers(names, name));
            found.extend(candidate_by_likely_name(name, look));
            found.extend(candidate_by_parts(&names.parts, name));
            found.extend(candidate_by_abbreviation(names.headers, name));
            let long = expand_abbreviations(name);
            found.extend(candidate_by_beginning(long.as_deref().unwrap_or(name), look));
            found.extend(candidate_by_compound(name, look));
            found.extend(consent_score::consent_candidate(name, look));
            None
        }
    };
    for candidate in &mut found {
        adjust_score_by_values(candidate, look);
    }
    if has_opt_outs {
        consent_score::doubt_other_fields(&mut found);
    }
    if let Some(own) = own_field {
        prefer_own_field(&own, &mut found);
    }
    if never.is_none() {
        found.extend(candidates_by_values(look, is_generic_name(name)));
    }
    (best_candidates(found), never)
}

/// Lets a custom field with the column's name win against the dictionary: the location has decided what it means. What
/// identifies a person stays what it is.
fn prefer_own_field(own: &TargetCandidate, found: &mut [TargetCandidate]) {
    for candidate in found.iter_mut().filter(|candidate| candidate.target != own.target) {
        let identifies = matches!(
            candidate.target,
            MappingTarget::ContactId
                | MappingTarget::Field(
                    Field::Email | Field::Phone | Field::FirstName | Field::LastName | Field::Name
                )
        );
        if !identifies && candidate.score >= ACCEPTED {
            candidate.score = ACCEPTED - 0.05;
            candidate.evidence += "; but the location has a custom field of this name";
        }
    }
}

/// Detects whether a file has the ids of tasks or notes.
fn detect_child_kind(names: &[&str], headers: &HeaderNames) -> Option<&'static str> {
    names.iter().find_map(|name| match headers.meaning_of(name) {
        Some(HeaderMeaning::Target { target: MappingTarget::Task(TaskPart::Id), .. }) => {
            Some("task")
        }
        Some(HeaderMeaning::Target { target: MappingTarget::Note(NotePart::Id), .. }) => {
            Some("note")
        }
        _ => None,
    })
}

/// Whether a file has an `id` and says whether something is completed, as tasks are, and has no people: columns of an
/// export's table of tasks.
fn has_plain_task_id(names: &[&str], headers: &HeaderNames) -> bool {
    let has = |wanted: &str| names.iter().any(|name| fold_name(name) == wanted);
    let is_person = |name: &&str| match headers.meaning_of(name) {
        Some(HeaderMeaning::Target { target: MappingTarget::Field(field), .. }) => matches!(
            field,
            Field::Email | Field::Phone | Field::FirstName | Field::LastName | Field::Name
        ),
        _ => false,
    };
    has("id") && has("completed") && !names.iter().any(is_person)
}

/// Next to task ids, `dueDate` belongs to the task; next to note ids, `content` belongs to the note.
fn child_field_candidate(record: &str, name: &str) -> Option<TargetCandidate> {
    let whole = format!("{record} {}", expand_abbreviations(name).as_deref().unwrap_or(name));
    let Some(HeaderMeaning::Target {
        target: target @ (MappingTarget::Task(_) | MappingTarget::Note(_)),
        rank,
    }) = HeaderNames::default().meaning_of(&whole)
    else {
        return None;
    };
    let evidence = format!("the name of a part of a {record}, in a sheet with ids of {record}s");
    Some(TargetCandidate { target, score: 0.95, evidence, rank })
}

/// The candidate for a known name. `Nome` over single words is not a full name, and which part it is remains
/// unclear.
fn known_name_candidates(
    name: &str,
    target: MappingTarget,
    rank: usize,
    look: &ValueProfile,
) -> Vec<TargetCandidate> {
    let evidence = "header is a known name (dictionary)".to_owned();
    let whole = target == MappingTarget::Field(Field::Name);
    if !(whole && HeaderNames::may_be_name_part(name) && look.share_of(ValueShape::Word) >= 0.8) {
        return vec![TargetCandidate { target, score: 1.0, evidence, rank }];
    }
    let part = |(field, score): (Field, f64)| {
        let evidence = format!(
            "{evidence}; {}",
            describe_share(ValueShape::Word, look.share_of(ValueShape::Word))
        );
        TargetCandidate { target: MappingTarget::Field(field), score, evidence, rank }
    };
    [(Field::FirstName, 0.7), (Field::LastName, 0.66), (Field::Name, 0.65)].map(part).into()
}

/// The candidate for a name that differs from a known name in a letter or two.
fn candidate_by_similarity(name: &str) -> Option<TargetCandidate> {
    let folded = fold_name(name);
    let length = folded.chars().count();
    if !(5..=40).contains(&length) || is_false_friend(name) {
        return None;
    }
    // `Street Address 2` is not nearly `street address`.
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = digits(&folded);
    let close = |known: &str| {
        let as_long = known.len() > 4 && known.chars().count().abs_diff(length) * 5 <= length;
        as_long && (number.is_empty() || number == "1" || number == digits(known))
    };
    let (score, known, meaning) = HeaderNames::folded_dictionary()
        .filter(|(known, _)| close(known))
        .map(|(known, meaning)| {
            (strsim::normalized_damerau_levenshtein(&folded, known), known, meaning)
        })
        // Equally similar names are ordered alphabetically, so that every run gives the same result.
        .max_by(|one, other| one.0.total_cmp(&other.0).then_with(|| other.1.cmp(one.1)))?;
    let HeaderMeaning::Target { target, rank } = meaning else { return None };
    let evidence = format!("header is nearly the known name `{known}`");
    let candidate =
        TargetCandidate { target: target.clone(), score: score * 0.9, evidence, rank: *rank };
    (score >= 0.8).then_some(candidate)
}

/// The candidate for a known name with qualifiers. It needs confirmation, since it may be about another person, unless
/// the name is a question to the person, or says of whom the whole sheet is.
fn candidate_without_qualifiers(names: &HeaderContext, name: &str) -> Option<TargetCandidate> {
    let bare = strip_qualifiers(name)?;
    let first = strip_number_one(&bare);
    let meaning = names
        .bare
        .meaning_of(&bare)
        .or_else(|| first.as_ref().and_then(|first| names.bare.meaning_of(first)));
    let (target, rank, score) = match (meaning, likely_target(&bare)) {
        (Some(HeaderMeaning::Target { target, rank }), _) => {
            let is_certain = names.subject.is_about(name);
            (target, rank + 100, if is_certain { 0.92 } else { 0.78 })
        }
        (Some(HeaderMeaning::Never(_)), _) | (None, None) => return None,
        (None, Some(target)) => (target.clone(), 200, 0.65),
    };
    let evidence = format!("header is the known name `{bare}` with a qualifier");
    Some(TargetCandidate { target, score, evidence, rank })
}

/// The candidate for a name that often means a target and as often does not.
fn candidate_by_likely_name(name: &str, look: &ValueProfile) -> Option<TargetCandidate> {
    let target = likely_target(name)?.clone();
    // `Work` is a phone number only if it holds some, and what is the same in every row is about no one person.
    let is_place = ["work", "office", "other"].contains(&fold_name(name).as_str());
    let is_constant = target == MappingTarget::Field(Field::City) && look.is_constant();
    if is_place && look.share_of(ValueShape::Phone) < 0.5 || is_constant {
        return None;
    }
    let evidence = "header is often a name for it".to_owned();
    Some(TargetCandidate { target, score: 0.68, evidence, rank: 200 })
}

/// The candidates suggested by values alone. They decide if the name means nothing.
fn candidates_by_values(
    look: &ValueProfile,
    nameless: bool,
) -> impl Iterator<Item = TargetCandidate> {
    const KINDS: &[(ValueShape, MappingTarget, f64)] = &[
        (ValueShape::Email, MappingTarget::Field(Field::Email), BY_VALUES),
        (ValueShape::Phone, MappingTarget::Field(Field::Phone), 0.7),
        (ValueShape::Country, MappingTarget::Field(Field::Country), 0.65),
        (ValueShape::Url, MappingTarget::Field(Field::Website), 0.55),
        (ValueShape::Person, MappingTarget::Field(Field::Name), 0.0),
        (ValueShape::Date, MappingTarget::Field(Field::DateOfBirth), 0.4),
        (ValueShape::PostalCode, MappingTarget::Field(Field::PostalCode), 0.4),
    ];
    KINDS.iter().filter_map(move |(kind, target, most)| {
        let most = match kind {
            ValueShape::Url | ValueShape::Person if nameless => 0.65,
            _ => *most,
        };
        let share = look.share_of(*kind);
        let evidence = describe_share(*kind, share);
        let candidate = TargetCandidate {
            target: target.clone(),
            score: most * share,
            evidence,
            rank: 2 * SOMEBODYS,
        };
        // A single value may match a shape by chance.
        (share >= 0.5 && look.filled >= 3).then_some(candidate)
    })
}

/// Adjusts the score of a name by the values, for or against it.
fn adjust_score_by_values(candidate: &mut TargetCandidate, look: &ValueProfile) {
    let own = expected_shape(&candidate.target);
    let share = own.map_or(0.0, |kind| look.share_of(kind));
    if let Some(kind) = own.filter(|_| share >= 0.5) {
        candidate.score += (1.0 - candidate.score) * 0.5 * share;
        candidate.evidence = format!("{}; {}", candidate.evidence, describe_share(kind, share));
        return;
    }
    let against =
        contradicting_shapes(&candidate.target).iter().find(|kind| look.share_of(**kind) >= 0.6);
    if let Some(kind) = against.filter(|_| share < 0.2) {
        candidate.score *= 0.7;
        candidate.evidence =
            format!("{}; but {}", candidate.evidence, describe_share(*kind, look.share_of(*kind)));
    }
}

fn describe_share(kind: ValueShape, share: f64) -> String {
    format!("{:.0} % of the values are {}", share * 100.0, kind.plural_label())
}

/// The best candidates by score, each target once, without unlikely ones.
fn best_candidates(mut found: Vec<TargetCandidate>) -> Vec<TargetCandidate> {
    found.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.rank.cmp(&other.rank)));
    let mut best: Vec<TargetCandidate> = Vec::with_capacity(found.len());
    for candidate in found {
        let known = best.iter().any(|known| known.target == candidate.target);
        if !known && candidate.score >= PROPOSED / 2.0 {
            best.push(candidate);
        }
    }
    best.truncate(4);
    best
}
