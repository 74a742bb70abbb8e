//! Parses names of targets as users write them: in any case, in `snake_case`, or with small mistakes.

use super::header::{HeaderMeaning, HeaderNames, fold_name};
use super::mapping_problem;
use crate::diagnostic::Diagnostic;
use crate::model::directory::CustomField;
use crate::model::target::{Channel, Field, MappingTarget, NotePart, TaskPart};

/// The hint about an unknown target that is similar to no other.
const NO_SUGGESTION: &str = "custom fields are written `customFields.NAME`";

/// The error for a text that does not name a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target")]
pub struct UnknownTarget {
    /// The text.
    pub text: String,
    /// The closest target, if one is similar.
    pub closest: Option<String>,
}

/// Parses the name of a target: the API's name (`firstName`, `task.dueDate`) in any case or in `snake_case`, or
/// `custom_KEY` as in exports.
pub fn parse_target(text: &str) -> Result<MappingTarget, UnknownTarget> {
    let text = text.trim();
    if let Ok(target) = text.parse() {
        return Ok(target);
    }
    if let Some(name) = custom_field_name(text) {
        return Ok(MappingTarget::Custom(name.to_owned()));
    }
    let plain = fold_target_name(text);
    let named = target_spellings().find(|(spelling, _)| fold_target_name(spelling) == plain);
    named.map(|(_, target)| target).ok_or_else(|| unknown_target(text))
}

/// The name closest to a text, if it is similar enough.
#[must_use]
pub fn closest_name<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    crate::text::closest_match(text, names, crate::text::comparison_key)
}

impl UnknownTarget {
    /// The problem at a line of a mapping; 0 if there is no file.
    pub(super) fn into_problem(self, line: usize) -> Diagnostic {
        let problem = mapping_problem(line, self.to_string()).in_field(self.text);
        match self.closest {
            Some(near) => problem.did_you_mean(Some(near)),
            None => problem.with_hint(NO_SUGGESTION),
        }
    }

    /// The same, with the closest target among the built-in ones and these custom fields.
    #[must_use]
    pub fn with_custom_fields(self, fields: &[CustomField]) -> Self {
        let closest = closest_target(&self.text, fields);
        Self { closest: closest.or(self.closest), ..self }
    }
}

/// Whether a problem is an unknown target that is similar to no built-in one. It may mean a custom field.
#[must_use]
pub fn may_mean_custom_field(problem: &Diagnostic) -> bool {
    problem.hint.as_deref() == Some(NO_SUGGESTION)
}

/// Lets the problems that are unknown targets name custom fields, too, if one is the closest.
pub fn suggest_custom_fields(problems: &mut [Diagnostic], fields: &[CustomField]) {
    for problem in problems {
        let unknown = UnknownTarget { text: problem.field.clone(), closest: None };
        if problem.message == unknown.to_string()
            && let Some(near) = unknown.with_custom_fields(fields).closest
        {
            problem.hint = Some(format!("did you mean `{near}`?").into());
        }
    }
}

/// The target that names exactly this one of a location's custom fields: its key, or its id where the key is empty or
/// another field's, too.
#[must_use]
pub fn custom_field_target(field: &CustomField, all: &[CustomField]) -> MappingTarget {
    let same_key = all.iter().filter(|other| other.key == field.key).count();
    let is_clear = !field.key.is_empty() && same_key == 1;
    MappingTarget::Custom(if is_clear { field.key.clone() } else { field.id.clone() })
}

/// The target that a text probably means: the custom field of this label or key, or else the most similar name.
fn closest_target(text: &str, fields: &[CustomField]) -> Option<String> {
    let target_of = |field: &CustomField| custom_field_target(field, fields).to_string();
    let folded = fold_name(text);
    let same = fields.iter().find(|field| {
        !folded.is_empty() && (fold_name(&field.name) == folded || fold_name(&field.key) == folded)
    });
    if let Some(field) = same {
        return Some(target_of(field));
    }
    // `zip` is not similar to any target's name, but its meaning is clear.
    if let Some(HeaderMeaning::Target { target, .. }) = HeaderNames::default().meaning_of(text) {
        return Some(target.to_string());
    }
    let own = fields
        .iter()
        .flat_map(|field| [&field.name, &field.key].map(|name| (name.clone(), target_of(field))));
    let names: Vec<(String, String)> = builtin_targets()
        .map(|target| (target.to_string(), target.to_string()))
        .chain(own.filter(|(name, _)| !name.is_empty()))
        .collect();
    let near = closest_name(text, names.iter().map(|(name, _)| name.as_str()))?;
    names.iter().find(|(name, _)| name == near).map(|(_, target)| target.clone())
}

fn unknown_target(text: &str) -> UnknownTarget {
    UnknownTarget { text: text.to_owned(), closest: closest_target(text, &[]) }
}

/// The custom field's name after one of the prefixes that mark one.
fn custom_field_name(text: &str) -> Option<&str> {
    ["customFields.", "custom_fields.", "customField.", "custom_field.", "custom.", "custom_"]
        .iter()
        .find_map(|prefix| {
            let front = text.get(..prefix.len())?;
            front.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
        })
        .filter(|name| !name.trim().is_empty())
}

/// All targets except the custom fields.
pub(super) fn builtin_targets() -> impl Iterator<Item = MappingTarget> {
    let of_contact = [
        MappingTarget::AdditionalEmails,
        MappingTarget::AdditionalPhones,
        MappingTarget::PhoneCountry,
        MappingTarget::Tags,
        MappingTarget::Owner,
        MappingTarget::Business,
        MappingTarget::OptIn,
        MappingTarget::Dnd,
    ];
    std::iter::once(MappingTarget::ContactId)
        .chain(Field::ALL.iter().copied().map(MappingTarget::Field))
        .chain(of_contact)
        .chain(Channel::ALL.iter().copied().map(MappingTarget::DndChannel))
        .chain(NotePart::ALL.iter().copied().map(MappingTarget::Note))
        .chain(TaskPart::ALL.iter().copied().map(MappingTarget::Task))
        .chain([MappingTarget::SourceId, MappingTarget::Ignore])
}

/// All names of the targets, including alternative ones.
fn target_spellings() -> impl Iterator<Item = (String, MappingTarget)> {
    let channel = |prefix| {
        let named = move |channel: &Channel| {
            (format!("{prefix}.{}", channel.name()), MappingTarget::DndChannel(*channel))
        };
        Channel::ALL.iter().map(named)
    };
    builtin_targets()
        .map(|target| (target.to_string(), target))
        .chain(channel("dnd"))
        .chain([
            ("id".to_owned(), MappingTarget::ContactId),
            ("note.body".to_owned(), MappingTarget::Note(NotePart::Body)),
            ("notes".to_owned(), MappingTarget::Note(NotePart::Body)),
            ("owner".to_owned(), MappingTarget::Owner),
            ("businessId".to_owned(), MappingTarget::Business),
            ("tag".to_owned(), MappingTarget::Tags),
            ("company".to_owned(), MappingTarget::Field(Field::CompanyName)),
            ("address".to_owned(), MappingTarget::Field(Field::Address1)),
            ("zip".to_owned(), MappingTarget::Field(Field::PostalCode)),
        ])
        // `note.user` and `task.due` are the short forms in flags and exports.
        .chain([
            ("note.user".to_owned(), MappingTarget::Note(NotePart::User)),
            ("task.due".to_owned(), MappingTarget::Task(TaskPart::DueDate)),
        ])
}

/// A name in lower case without `_`, `-` and spaces; the dot stays, since it separates.
fn fold_target_name(text: &str) -> String {
    let significant = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    significant.flat_map(char::to_lowercase).collect()
}
