//! Names of targets, as people write them: any case, `snake_case`, and nearly right.

use super::header::{HeaderMeaning, HeaderNames};
use crate::model::target::{Channel, Field, MappingTarget, NotePart, TaskPart};

/// A text that names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a target")]
pub struct UnknownTarget {
    /// The text.
    pub text: String,
    /// The target that was probably meant, if any is near.
    pub closest: Option<String>,
}

/// The target of a name: the API's (`firstName`, `task.dueDate`), in any case and in `snake_case`, and
/// `custom_KEY` as exports name custom fields.
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

/// The name nearest to a text, if one is near enough to have been meant.
#[must_use]
pub fn closest_name<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    crate::text::closest_match(text, names, comparison_key)
}

fn unknown_target(text: &str) -> UnknownTarget {
    // `zip` is near no target's name, but everybody knows what it means.
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

/// The custom field's name behind one of the prefixes that mark one.
fn custom_field_name(text: &str) -> Option<&str> {
    ["customFields.", "custom_fields.", "customField.", "custom_field.", "custom.", "custom_"]
        .iter()
        .find_map(|prefix| {
            let front = text.get(..prefix.len())?;
            front.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
        })
        .filter(|name| !name.trim().is_empty())
}

/// All targets but the custom fields.
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

/// The targets by their names, and by the further ones that are taken for them.
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
        // `note.user` and `task.due` are how the flags and exports shorten them.
        .chain([
            ("note.user".to_owned(), MappingTarget::Note(NotePart::User)),
            ("task.due".to_owned(), MappingTarget::Task(TaskPart::DueDate)),
        ])
}

/// A name without case, `_`, `-` and blanks; the dot stays, since it separates.
fn fold_target_name(text: &str) -> String {
    let kept = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// A name in the form that is compared: short, since comparing takes the product of the lengths.
fn comparison_key(text: &str) -> String {
    text.chars().take(64).flat_map(char::to_lowercase).collect()
}
