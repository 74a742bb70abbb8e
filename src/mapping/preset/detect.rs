//! Detection: which preset a sheet is for, by its header.

use std::collections::HashSet;

use serde::Deserialize;

use super::Preset;
use crate::mapping::header::fold_name;
use crate::model::target::{Field, MappingTarget};
use crate::sheet::SheetColumn;

/// The headers that a preset's files are known by.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderSignature {
    /// All of them are there.
    all: Vec<String>,
    /// One of them is there, if there are any.
    #[serde(default)]
    any: Vec<String>,
}

/// The presets that fit a sheet.
#[derive(Debug, Clone, PartialEq)]
pub enum PresetDetection<'p> {
    /// None does.
    None,
    /// One does, or fits better than all others.
    One(&'p Preset),
    /// Several fit alike: somebody must say which.
    Ambiguous(Vec<&'p Preset>),
}

/// The preset that a sheet is for, among some.
///
/// That with the most columns that it knows wins. Those within a tenth of it are alike; among them that
/// with the most names written exactly as it knows them wins, and of the user's and the program's the
/// user's: whoever makes a preset for a known file wants another one.
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

/// The names of a sheet, as they are written and folded.
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
}

/// How many of a preset's names a sheet has.
#[derive(Debug, Clone, Copy)]
struct HeaderCoverage {
    names: usize,
    exactly: usize,
}

impl Preset {
    /// What a sheet lacks to be one of its files; nothing when it is one, or may be: somebody who names the
    /// preset may have files that hold a part of the columns, but one by which contacts are known.
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

    /// How much of a header it knows; none when the header is not that of its files.
    fn coverage_of(&self, header: &HeaderNameSet) -> Option<HeaderCoverage> {
        let HeaderSignature { all, any } = self.detect.as_ref()?;
        // A single name must be written as its program writes it: `Record ID` is one's, `Record Id`
        // another's.
        let exact = |name: &String| header.exact.contains(name.as_str());
        let has_all = match all.as_slice() {
            [one] => exact(one),
            all => all.iter().all(|name| header.contains_name(name)),
        };
        let is_its_own =
            has_all && (any.is_empty() || any.iter().any(|name| header.contains_name(name)));
        let names: HashSet<&str> =
            self.column_names().filter(|name| header.contains_name(name)).collect();
        let exactly = names.iter().filter(|name| header.exact.contains(**name)).count();
        let covered = HeaderCoverage { names: names.len(), exactly };
        // One common name, such as `Customer Name`, proves little in a wide sheet.
        let by_chance = all.len() == 1 && any.is_empty() && covered.names * 2 < header.exact.len();
        (is_its_own && !by_chance).then_some(covered)
    }
}

/// Whether a target says which contact a row is about.
fn is_identity_target(target: &MappingTarget) -> bool {
    use Field::{Email, FirstName, LastName, Name, Phone};
    match target {
        MappingTarget::ContactId | MappingTarget::SourceId => true,
        MappingTarget::Field(field) => matches!(field, Email | Phone | FirstName | LastName | Name),
        _ => false,
    }
}
