//! Presets: mappings for files that are known by their headers.
//!
//! A preset is a mapping file that also says what it is for and how its files are recognised. To add
//! one, write a file under `src/presets` and add its name to the list below. A preset without `[detect]`
//! is used only when it is asked for: its names are too common to recognise anything by.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::header::{fold, known};
use super::mapping::{Mapping, Problem, closest};
use crate::sheet::Column;

/// The texts of the presets that come with the program, in the order in which they are tried.
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
    "dub-seed-contacts",
    "dub-seed-tasks",
    "dub-seed-notes",
    "docsend-seed-contacts",
    "docsend-seed-tasks",
    "docsend-visits",
    "dialpad-seed-contacts",
    "dialpad-seed-tasks",
    "dialpad-seed-notes",
    "dashclicks-seed-contacts",
    "dashclicks-seed-tasks",
    "dashclicks-seed-notes",
    "dext-seed-contacts",
    "dext-seed-activity",
    "dext-seed-tags",
];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let preset = |(name, text): &(&str, &str)| Preset::parse(text, name);
    BUILT_IN.iter().map(preset).collect::<Result<_, _>>().expect("a test reads every preset")
});

/// The names of all presets' columns, folded.
static NAMES: LazyLock<HashSet<String>> =
    LazyLock::new(|| PRESETS.iter().flat_map(|preset| preset.names().map(fold)).collect());

/// A mapping for a known kind of file.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its name, as `--preset` takes it.
    pub name: String,
    /// What files it is for.
    pub title: String,
    /// What its rows are.
    pub entity: Entity,
    /// The mapping.
    pub mapping: Mapping,
    detect: Option<Signature>,
}

/// What a preset's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// Contacts, perhaps with a note or a task each.
    Contacts,
    /// Tasks of contacts.
    Tasks,
    /// Notes of contacts.
    Notes,
    /// Tasks and notes of contacts.
    Mixed,
}

/// The headers that a preset's files are known by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// All of them are there.
    all: Vec<String>,
    /// One of them is there, if there are any.
    #[serde(default)]
    any: Vec<String>,
}

/// What a preset says beside the mapping.
#[derive(Deserialize)]
struct About {
    title: String,
    entity: Entity,
    detect: Option<Signature>,
}

/// The presets that fit a sheet.
#[derive(Debug, Clone, PartialEq)]
pub enum Detection<'p> {
    /// None does.
    None,
    /// One does, or fits better than all others.
    One(&'p Preset),
    /// Several fit alike: somebody must say which.
    Ambiguous(Vec<&'p Preset>),
}

/// The presets that come with the program, in the order in which they are tried.
#[must_use]
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

/// The preset of a name.
///
/// # Errors
/// The nearest name, if one is near.
pub fn named(name: &str) -> Result<&'static Preset, Option<&'static str>> {
    let found = presets().iter().find(|preset| preset.name.eq_ignore_ascii_case(name.trim()));
    found.ok_or_else(|| closest(name, presets().iter().map(|preset| preset.name.as_str())))
}

/// Whether a text is a name that contact files use, by the dictionary or by any preset.
#[must_use]
pub fn knows(name: &str) -> bool {
    known(name) || name.len() <= 200 && NAMES.contains(&fold(name))
}

/// The preset that a sheet is for, among some.
///
/// That with the most columns that it knows wins. Those within a tenth of it are alike; among them that
/// with the most names written exactly as it knows them wins.
#[must_use]
pub fn detect<'p>(presets: &'p [Preset], columns: &[Column]) -> Detection<'p> {
    let header = Header::new(columns);
    let mut fitting: Vec<(&Preset, Covered)> =
        presets.iter().filter_map(|preset| Some((preset, preset.covers(&header)?))).collect();
    let most = fitting.iter().map(|(_, covered)| covered.names).max().unwrap_or(0);
    fitting.retain(|(_, covered)| covered.names * 10 > most * 9 || covered.names == most);
    let exact = fitting.iter().map(|(_, covered)| covered.exactly).max().unwrap_or(0);
    fitting.retain(|(_, covered)| covered.exactly == exact);
    match fitting.as_slice() {
        [] => Detection::None,
        [(one, _)] => Detection::One(one),
        several => Detection::Ambiguous(several.iter().map(|(preset, _)| *preset).collect()),
    }
}

/// The names of a sheet, as they are written and folded.
struct Header<'c> {
    exact: HashSet<&'c str>,
    folded: HashSet<String>,
}

impl<'c> Header<'c> {
    fn new(columns: &'c [Column]) -> Self {
        let names =
            || columns.iter().map(|column| column.name.trim()).filter(|name| !name.is_empty());
        Self { exact: names().collect(), folded: names().map(fold).collect() }
    }

    fn has(&self, name: &str) -> bool {
        self.folded.contains(&fold(name))
    }
}

/// How many of a preset's names a sheet has.
#[derive(Debug, Clone, Copy)]
struct Covered {
    names: usize,
    exactly: usize,
}

impl Preset {
    /// Reads a preset. A preset's text is a mapping with `title`, `entity` and perhaps `[detect]`.
    ///
    /// # Errors
    /// All problems of the mapping, or what is wrong with the rest.
    pub fn parse(text: &str, name: &str) -> Result<Self, Vec<Problem>> {
        let mapping = Mapping::parse(text, name)?;
        let about: About =
            toml::from_str(text).map_err(|error| vec![Problem::new(0, error.message())])?;
        let About { title, entity, detect } = about;
        Ok(Self { name: name.to_owned(), title, entity, mapping, detect })
    }

    /// Whether sheets can be recognised as its own.
    #[must_use]
    pub fn is_detected(&self) -> bool {
        self.detect.is_some()
    }

    /// The names that it knows. Patterns are not among them.
    fn names(&self) -> impl Iterator<Item = &str> {
        let rules = self.mapping.rules.iter().flat_map(|rule| &rule.from);
        rules.chain(&self.mapping.ignore).map(String::as_str).filter(|name| !name.contains('*'))
    }

    /// How much of a header it knows; none when the header is not that of its files.
    fn covers(&self, header: &Header) -> Option<Covered> {
        let Signature { all, any } = self.detect.as_ref()?;
        let is_its_own = all.iter().all(|name| header.has(name))
            && (any.is_empty() || any.iter().any(|name| header.has(name)));
        let names: HashSet<&str> = self.names().filter(|name| header.has(name)).collect();
        let exactly = names.iter().filter(|name| header.exact.contains(**name)).count();
        let covered = Covered { names: names.len(), exactly };
        // One common name, such as `Customer Name`, proves little in a wide sheet.
        let by_chance = all.len() == 1 && any.is_empty() && covered.names * 2 < header.exact.len();
        (is_its_own && !by_chance).then_some(covered)
    }
}

#[cfg(test)]
mod tests;
