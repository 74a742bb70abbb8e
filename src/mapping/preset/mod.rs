//! Presets: mappings for files that are recognized by their headers.
//!
//! A preset is a mapping file that also describes its files and how to recognize them. To add one, write a file
//! under `src/mapping/presets` and add its name to the list below. A preset without `[detect]` is only used on
//! request: its column names are too common to recognize a file.

mod detect;
pub mod template;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::header::{fold_name, is_dictionary_name};
use super::{Mapping, closest_name, mapping_problem};
use crate::diagnostic::Diagnostic;
use detect::HeaderSignature;
pub use detect::{PresetDetection, detect_preset};
pub use template::ExportTemplate;

/// The texts of the built-in presets, in the order in which they are tried.
macro_rules! built_in {
    ($($name:literal,)*) => {
        &[$(($name, include_str!(concat!("../presets/", $name, ".toml"))),)*]
    };
}

static BUILT_IN: &[(&str, &str)] = built_in![
    "ghl-bulk-contacts",
    "ghl-bulk-tasks",
    "ghl-bulk-notes",
    "highlevel-import",
    "highlevel-export",
    "dub-partners",
    "dub-customers",
    "dialpad-shared-contacts",
    "dext-suppliers",
    "dext-customers",
    "google-2024",
    "google-legacy",
    "outlook-web",
    "outlook-desktop",
    "hubspot",
    "salesforce-contacts",
    "salesforce-dataloader",
    "mailchimp",
    "brevo",
    "linkedin-connections",
    "facebook-leads",
    "shopify-customers",
    "stripe-customers",
    "vcard",
    "dub-seed-contacts",
    "dub-seed-tasks",
    "dub-seed-notes",
    "dub-seed-tags",
    "dub-seed-appointments",
    "dub-customers-create",
    "dub-partner-invites",
    "dialpad-calls",
    "docsend-document-visits",
    "docsend-seed-contacts",
    "docsend-seed-tasks",
    "docsend-seed-notes",
    "docsend-seed-appointments",
    "docsend-visits",
    "dialpad-seed-contacts",
    "dialpad-seed-tasks",
    "dialpad-seed-notes",
    "dialpad-seed-appointments",
    "dashclicks-seed-contacts",
    "dashclicks-seed-tasks",
    "dashclicks-seed-notes",
    "dashclicks-seed-appointments",
    "dext-seed-contacts",
    "dext-seed-activity",
    "dext-seed-tags",
    "dext-seed-businesses",
    "dext-seed-appointments",
];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let preset = |(name, text): &(&'static str, &'static str)| Preset::parse(*text, name);
    BUILT_IN.iter().map(preset).collect::<Result<_, _>>().expect("a test reads every preset")
});

/// The folded names of all presets' columns.
static NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    PRESETS.iter().flat_map(|preset| preset.column_names().map(fold_name)).collect()
});

/// A mapping for a known kind of file.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// The name, as given to `--preset`.
    pub name: String,
    /// A description of the files it is for.
    pub title: String,
    /// What each row describes.
    pub entity: PresetEntity,
    /// Whether its files are imported, written, or both.
    pub direction: PresetDirection,
    /// The mapping.
    pub mapping: Mapping,
    /// The text of the preset.
    pub text: Cow<'static, str>,
    /// Whether it was written by the user, instead of being built in.
    pub own: bool,
    /// The template for writing its files, if they are written.
    pub template: Option<ExportTemplate>,
    detect: Option<HeaderSignature>,
}

/// What a preset's rows describe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresetEntity {
    /// Contacts, each perhaps with a note or a task.
    #[default]
    Contacts,
    /// Tasks of contacts.
    Tasks,
    /// Notes of contacts.
    Notes,
    /// Tasks and notes of contacts.
    Mixed,
    /// Appointments of contacts, which are only exported.
    Appointments,
    /// Businesses, which are only exported.
    Businesses,
}

/// The direction in which files of a preset are transferred.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresetDirection {
    /// From another program, which does not import them.
    #[default]
    Import,
    /// Both ways: the other program also imports such files.
    Both,
    /// To another program only: such files are not imported into HighLevel.
    Export,
}

/// A preset's keys in addition to those of its mapping.
#[derive(Deserialize)]
struct PresetMetadata {
    title: Option<String>,
    #[serde(default)]
    entity: PresetEntity,
    direction: Option<Spanned<PresetDirection>>,
    detect: Option<HeaderSignature>,
}

/// The built-in presets, in the order in which they are tried.
#[must_use]
pub fn builtin_presets() -> &'static [Preset] {
    &PRESETS
}

/// Finds the preset with this name.
///
/// # Errors
/// The closest name, if one is similar.
pub fn find_preset<'p>(presets: &'p [Preset], name: &str) -> Result<&'p Preset, Option<&'p str>> {
    let found = presets.iter().find(|preset| preset.name.eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| closest_name(name, presets.iter().map(|preset| preset.name.as_str())))
}

/// Whether a text is a column name in the dictionary or in any preset.
#[must_use]
pub fn is_known_header(name: &str) -> bool {
    is_dictionary_name(name) || name.len() <= 200 && NAMES.contains(&fold_name(name))
}

impl Preset {
    /// Parses a preset. Its text is a mapping, optionally with `title`, `entity`, `direction`, `[detect]` and
    /// `[template]`.
    ///
    /// # Errors
    /// All problems of the mapping, or what is wrong with the rest.
    pub fn parse(text: impl Into<Cow<'static, str>>, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let text = text.into();
        let mapping = Mapping::parse(&text, name)?;
        let line_at =
            |start: usize| memchr::memchr_iter(b'\n', &text.as_bytes()[..start]).count() + 1;
        let about: PresetMetadata = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            vec![mapping_problem(line_at(start), error.message())]
        })?;
        let PresetMetadata { title, entity, direction, detect } = about;
        let line = direction.as_ref().map_or(0, |direction| line_at(direction.span().start));
        let direction = direction.map(Spanned::into_inner).unwrap_or_default();
        let template = template::parse(&text, name, entity, &mapping)?;
        if let Some(message) =
            find_direction_problem(entity, direction, template.is_some(), detect.is_some())
        {
            return Err(vec![mapping_problem(line, message)]);
        }
        let name = name.to_owned();
        let title = title.unwrap_or_else(|| name.clone());
        Ok(Self { name, title, entity, direction, mapping, text, own: false, template, detect })
    }

    /// Why its files are not imported, if they are only exported: half a sentence.
    #[must_use]
    pub fn import_refusal(&self) -> Option<&'static str> {
        let reason = match self.entity {
            PresetEntity::Appointments => {
                "appointments are not imported, because booking one notifies the customer"
            }
            PresetEntity::Businesses => {
                "businesses are not imported; a contact gets its business from a column for `business`"
            }
            _ => "its direction is `export`",
        };
        (self.direction == PresetDirection::Export).then_some(reason)
    }

    /// Whether its files can be recognized.
    #[must_use]
    pub fn is_detectable(&self) -> bool {
        self.detect.is_some()
    }

    /// Whether a text is one of its column names.
    #[must_use]
    pub fn has_column_name(&self, name: &str) -> bool {
        name.len() <= 200 && self.column_names().any(|own| fold_name(own) == fold_name(name))
    }

    /// The column names that it knows, except patterns.
    fn column_names(&self) -> impl Iterator<Item = &str> {
        let rules = self.mapping.rules.iter().flat_map(|rule| &rule.from);
        rules.chain(&self.mapping.ignore).map(String::as_str).filter(|name| !name.contains('*'))
    }
}

/// What is wrong with a preset's direction, if anything is.
fn find_direction_problem(
    entity: PresetEntity,
    direction: PresetDirection,
    has_template: bool,
    is_detected: bool,
) -> Option<&'static str> {
    let is_export = direction == PresetDirection::Export;
    match entity {
        PresetEntity::Appointments if !is_export => {
            Some("appointments are not imported: this entity needs `direction = \"export\"`")
        }
        PresetEntity::Businesses if !is_export => {
            Some("businesses are not imported: this entity needs `direction = \"export\"`")
        }
        _ if is_export && !has_template => Some("`direction = \"export\"` needs a `[template]`"),
        _ if is_export && is_detected => {
            Some("`[detect]` is for files that are imported, and the direction is `export`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
