//! Parses names of targets as users write them: in any case, in `snake_case`, or with small mistakes.

use super::header::{HeaderMeaning, HeaderNames};
use crate::model::target::{Channel, Field, MappingTarget, NotePart, TaskPart};

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

fn unknown_target(text: &str) -> UnknownTarget {
    // `zip` is not similar to any target's name, but its meaning is clear.
    let closest = if let Some(HeaderMeaning::Target { target, .. }) =
        HeaderNames::default().meaning_of(text)
    {
        Some(target.to_string())
    } else {
        let names: Vec<String> = builtin_targets().map(|target| target.to_string()).collect();
        closest_name(text, names.iter().map(String::as_str)).map(str::to_owned)
    };
    UnknownTarget { text: text.to_owned(), closest }
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
fn builtin_targets() -> impl Iterator<Item = MappingTarget> {
    [
        MappingTarget::ContactId,
        MappingTarget::SourceId,
        MappingTarget::AdditionalEmails,
        MappingTarget::AdditionalPhones,
        MappingTarget::Tags,
        MappingTarget::Dnd,
        MappingTarget::OptIn,
        MappingTarget::Owner,
        MappingTarget::Business,
        MappingTarget::Ignore,
    ]
    .into_iter()
    .chain(Field::ALL.iter().copied().map(MappingTarget::Field))
    .chain(Channel::ALL.iter().copied().map(MappingTarget::DndChannel))
    .chain(NotePart::ALL.iter().copied().map(MappingTarget::Note))
    .chain(TaskPart::ALL.iter().copied().map(MappingTarget::Task))
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
