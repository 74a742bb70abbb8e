//! Names of targets, as people write them: any case, `snake_case`, and nearly right.

use super::header::{Headers, Meaning};
use crate::model::target::{Channel, Field, NotePart, Target, TaskPart};

/// A text that names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no target")]
pub struct UnknownTarget {
    /// The text.
    pub text: String,
    /// The target that was probably meant, if any is near.
    pub closest: Option<String>,
}

/// The target of a name: the API's (`firstName`, `task.dueDate`), in any case and in `snake_case`, and
/// `custom_KEY` as exports name custom fields.
pub fn target(text: &str) -> Result<Target, UnknownTarget> {
    let text = text.trim();
    if let Ok(target) = text.parse() {
        return Ok(target);
    }
    if let Some(name) = custom(text) {
        return Ok(Target::Custom(name.to_owned()));
    }
    let plain = squash(text);
    let named = spellings().find(|(spelling, _)| squash(spelling) == plain);
    named.map(|(_, target)| target).ok_or_else(|| unknown(text))
}

/// The name nearest to a text, if one is near enough to have been meant.
#[must_use]
pub fn closest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let text = comparable(text);
    let scored =
        names.into_iter().map(|name| (strsim::jaro_winkler(&text, &comparable(name)), name));
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 >= 0.8).then_some(best.1)
}

fn unknown(text: &str) -> UnknownTarget {
    // `zip` is near no target's name, but everybody knows what it means.
    let closest = if let Some(Meaning::Target { target, .. }) = Headers::default().meaning(text) {
        Some(target.to_string())
    } else {
        let names: Vec<String> = targets().map(|target| target.to_string()).collect();
        closest(text, names.iter().map(String::as_str)).map(str::to_owned)
    };
    UnknownTarget { text: text.to_owned(), closest }
}

/// The custom field's name behind one of the prefixes that mark one.
fn custom(text: &str) -> Option<&str> {
    ["customFields.", "custom_fields.", "customField.", "custom_field.", "custom.", "custom_"]
        .iter()
        .find_map(|prefix| {
            let front = text.get(..prefix.len())?;
            front.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
        })
        .filter(|name| !name.trim().is_empty())
}

/// All targets but the custom fields.
fn targets() -> impl Iterator<Item = Target> {
    [
        Target::ContactId,
        Target::SourceId,
        Target::AdditionalEmails,
        Target::AdditionalPhones,
        Target::Tags,
        Target::Dnd,
        Target::OptIn,
        Target::Owner,
        Target::Business,
        Target::Ignore,
    ]
    .into_iter()
    .chain(Field::ALL.iter().copied().map(Target::Field))
    .chain(Channel::ALL.iter().copied().map(Target::DndChannel))
    .chain(NotePart::ALL.iter().copied().map(Target::Note))
    .chain(TaskPart::ALL.iter().copied().map(Target::Task))
}

/// The targets by their names, and by the further ones that are taken for them.
fn spellings() -> impl Iterator<Item = (String, Target)> {
    let channel = |prefix| {
        let named = move |channel: &Channel| {
            (format!("{prefix}.{}", channel.name()), Target::DndChannel(*channel))
        };
        Channel::ALL.iter().map(named)
    };
    targets()
        .map(|target| (target.to_string(), target))
        .chain(channel("dnd"))
        .chain([
            ("id".to_owned(), Target::ContactId),
            ("note.body".to_owned(), Target::Note(NotePart::Body)),
            ("notes".to_owned(), Target::Note(NotePart::Body)),
            ("owner".to_owned(), Target::Owner),
            ("businessId".to_owned(), Target::Business),
            ("tag".to_owned(), Target::Tags),
            ("company".to_owned(), Target::Field(Field::CompanyName)),
            ("address".to_owned(), Target::Field(Field::Address1)),
            ("zip".to_owned(), Target::Field(Field::PostalCode)),
        ])
        // `note.user` and `task.due` are how the flags and exports shorten them.
        .chain([
            ("note.user".to_owned(), Target::Note(NotePart::User)),
            ("task.due".to_owned(), Target::Task(TaskPart::DueDate)),
        ])
}

/// A name without case, `_`, `-` and blanks; the dot stays, since it separates.
fn squash(text: &str) -> String {
    let kept = text.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// A name in the form that is compared: short, since comparing takes the product of the lengths.
fn comparable(text: &str) -> String {
    text.chars().take(64).flat_map(char::to_lowercase).collect()
}
