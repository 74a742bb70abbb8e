//! Detects the preset for a sheet by its header.

use std::collections::HashSet;

use serde::Deserialize;

use super::Preset;
use crate::mapping::header::fold_name;
use crate::model::target::{Field, MappingTarget, TaskPart};
use crate::sheet::SheetColumn;

/// The headers by which a preset's files are recognized.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderSignature {
    /// All of these must be present.
    all: Vec<String>,
    /// At least one of these must be present, unless the list is empty.
    #[serde(default)]
    any: Vec<String>,
}

/// The presets that fit a sheet.
#[derive(Debug, Clone, PartialEq)]
pub enum PresetDetection<'p> {
    /// No preset fits.
    None,
    /// One preset fits, or fits better than all others.
    One(&'p Preset),
    /// Several presets fit equally well, so the user must choose.
    Ambiguous(Vec<&'p Preset>),
}

/// Detects the preset for a sheet.
///
/// The preset that knows the most columns wins. Presets within a tenth of it count as equal; among these, the one
/// with the most exactly matching names wins, and the user's presets win over built-in ones, because a preset for a
/// known kind of file is meant to replace the built-in one.
#[must_use]
pub fn detect_preset<'p>(presets: &'p [Preset], columns: &[SheetColumn]) -> PresetDetection<'p> {
    let header = HeaderNameSet::new(columns);
    let mut fitting: Vec<(&Preset, HeaderCoverage)> =
        presets.iter().filter_map(|preset| Some((preset, preset.coverage_of(&header)?))).collect();
    let most = fitting.iter().map(|(_, covered)| covered.names).max().unwrap_or(0);
    fitting.retain(|(_, covered)| covered.names * 10 > most * 9 || covered.names == most);
    let exact = fitting.iter().map(|(_, covered)| covered.exactly).max().unwrap_or(0);
    fitting.retain(|(_, covered)| covered.exactly == exact);
    if fitting.iter().any(|(preset, _)| preset.own) {
        fitting.retain(|(preset, _)| preset.own);
    }
    match fitting.as_slice() {
        [] => PresetDetection::None,
        [(one, _)] => PresetDetection::One(one),
        several => PresetDetection::Ambiguous(several.iter().map(|(preset, _)| *preset).collect()),
    }
}

/// The names of a sheet, as written and folded.
struct HeaderNameSet<'c> {
    exact: HashSet<&'c str>,
    folded: HashSet<String>,
}

impl<'c> HeaderNameSet<'c> {
    fn new(columns: &'c [SheetColumn]) -> Self {
        let names =
            || columns.iter().map(|column| column.name.trim()).filter(|name| !name.is_empty());
        Self { exact: names().collect(), folded: names().map(fold_name).collect() }
    }

    fn contains_name(&self, name: &str) -> bool {
        self.folded.contains(&fold_name(name))
    }

    /// Whether it has a name that is written as one word or as several, like this one: `FirstName` is a name of
    /// another program than `First Name` and `first_name`.
    fn contains_spelling(&self, name: &str) -> bool {
        let folded = fold_name(name);
        self.exact
            .iter()
            .any(|own| has_separator(own) == has_separator(name) && fold_name(own) == folded)
    }
}

/// How many of a preset's names a sheet has.
#[derive(Debug, Clone, Copy)]
struct HeaderCoverage {
    names: usize,
    exactly: usize,
}

impl Preset {
    /// The columns that a sheet lacks to be one of the preset's files. Empty if it is one, or may be: files for a
    /// preset chosen by name may have only some columns, but they need one that identifies contacts.
    #[must_use]
    pub fn missing_columns(&self, columns: &[SheetColumn]) -> Vec<String> {
        let header = HeaderNameSet::new(columns);
        if self.coverage_of(&header).is_some() {
            return Vec::new();
        }
        let has = |name: &&str| header.contains_name(name);
        let known = self.column_names().collect::<HashSet<_>>().into_iter().filter(has).count();
        let rules = || self.mapping.rules.iter();
        let read = |rule: &crate::mapping::MappingRule| {
            rule.from.iter().any(|name| header.contains_name(name))
        };
        let identified = rules().filter(|rule| is_identity_target(&rule.to)).any(read);
        if identified && known * 2 >= header.exact.len() {
            return Vec::new();
        }
        let wanted: Vec<&str> = match &self.detect {
            Some(HeaderSignature { all, any }) => {
                let one = any
                    .iter()
                    .take(usize::from(!any.iter().any(|name| header.contains_name(name))));
                all.iter().chain(one).map(String::as_str).collect()
            }
            None => rules().flat_map(|rule| &rule.from).map(String::as_str).collect(),
        };
        let mut seen = HashSet::new();
        let missing = wanted
            .into_iter()
            .filter(|name| !header.contains_name(name) && seen.insert(fold_name(name)));
        missing.map(str::to_owned).collect()
    }

    /// How much of a header the preset knows; `None` if the header is not from one of its files.
    fn coverage_of(&self, header: &HeaderNameSet) -> Option<HeaderCoverage> {
        let HeaderSignature { all, any } = self.detect.as_ref()?;
        // A single name must match exactly: `Record ID` belongs to one program, `Record Id` to another.
        let exact = |name: &String| header.exact.contains(name.as_str());
        let has_all = match all.as_slice() {
            [one] => exact(one),
            all => all.iter().all(|name| header.contains_spelling(name)),
        };
        let is_its_own =
            has_all && (any.is_empty() || any.iter().any(|name| header.contains_spelling(name)));
        let names: HashSet<&str> =
            self.column_names().filter(|name| header.contains_name(name)).collect();
        let exactly = names.iter().filter(|name| header.exact.contains(**name)).count();
        let covered = HeaderCoverage { names: names.len(), exactly };
        // One common name, such as `Customer Name`, proves little in a wide sheet.
        let by_chance = all.len() == 1 && any.is_empty() && covered.names * 2 < header.exact.len();
        (is_its_own && !by_chance).then_some(covered)
    }
}

/// Whether a name has words that are separated by something.
fn has_separator(name: &str) -> bool {
    name.trim().contains([' ', '_', '-', '.'])
}

/// Whether a target identifies the contact of a row.
fn is_identity_target(target: &MappingTarget) -> bool {
    use Field::{Email, FirstName, LastName, Name, Phone};
    match target {
        // The contact of a task is found by the task.
        MappingTarget::ContactId | MappingTarget::SourceId | MappingTarget::Task(TaskPart::Id) => {
            true
        }
        MappingTarget::Field(field) => matches!(field, Email | Phone | FirstName | LastName | Name),
        _ => false,
    }
}
