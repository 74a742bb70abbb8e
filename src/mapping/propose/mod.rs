//! Proposals: where a sheet's columns probably go, and why.
//!
//! A column's name and the look of its values each speak for targets. At 0.9 a target is taken, from 0.6
//! on it is proposed for somebody to confirm, and below that somebody has to decide. A preset's word
//! counts more than both. Nothing here is certain, so whatever is decided comes with its evidence.

mod accept;
mod affixes;
mod assign;
mod compounds;
mod score;
mod to_toml;
mod value_profile;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::header::HeaderNames;
use super::preset::{self, Preset, PresetDetection};
use super::{BoundRule, ColumnLookup, Mapping, MappingRule};
use crate::model::directory::LocationDirectory;
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;
use value_profile::ValueProfile;

/// From here on a target is taken without asking.
pub const ACCEPTED: f64 = 0.9;
/// From here on a target is proposed, for somebody to confirm.
pub const PROPOSED: f64 = 0.6;
/// The most that values can say for a column whose name says nothing.
const BY_VALUES: f64 = 0.75;

/// From this rank on, candidates may as well be about somebody else: only the last word of the name speaks
/// for them, or only the values do.
const SOMEBODYS: usize = 500;

/// What is proposed for a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingProposal {
    /// The columns, in the sheet's order.
    pub columns: Vec<ColumnProposal>,
    /// The preset that the sheet is for, if it is for one.
    pub preset: Option<String>,
    /// The presets among which somebody must choose; then none is used.
    pub ambiguous: Vec<String>,
    /// The preset's mapping; else an empty one.
    base: Mapping,
    /// Its rules that apply.
    bound: Vec<BoundRule>,
    /// The columns that it passes over.
    passed: Vec<usize>,
    /// The columns that it has a custom field for which the location lacks.
    homeless: HashMap<usize, String>,
    /// What kept it from being bound; then it is used as it is, and whoever binds it is told.
    unbound: bool,
    /// The targets that somebody has spoken for.
    settled: Vec<MappingTarget>,
}

/// What is proposed for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProposal {
    /// The column.
    pub column: SheetColumn,
    /// Whether another column has the same name.
    pub shares_name: bool,
    /// What becomes of it.
    pub verdict: ProposalStatus,
    /// The targets that it may be for, the best first.
    pub candidates: Vec<TargetCandidate>,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Why its name is never guessed about, if so.
    never: Option<&'static str>,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalStatus {
    /// Somebody has said already what becomes of it.
    Settled,
    /// The preset's rules read it.
    Preset,
    /// The best candidate is taken.
    Accepted,
    /// The best candidate is taken, and this column's values come after those of an earlier column.
    JoinedTo(usize),
    /// The best candidate is proposed.
    Proposed,
    /// The preset knows what it is, a custom field that the location lacks, so its name is not guessed about.
    Homeless(String),
    /// Another column is surely for the target, too, which takes one.
    Rivals(usize),
    /// Nothing is near enough.
    Open,
    /// It is not to be read; the reason, for people.
    Ignored(String),
    /// It is this program's own, from a result file.
    Own,
}

impl ProposalStatus {
    /// Whether somebody has to decide.
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        matches!(self, Self::Proposed | Self::Homeless(_) | Self::Rivals(_) | Self::Open)
    }
}

/// A target that a column may be for.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetCandidate {
    /// The target.
    pub target: MappingTarget,
    /// How sure it is, from 0 to 1.
    pub score: f64,
    /// Why, for people. May hold text from outside.
    pub evidence: String,
    /// Its name's place among the names of the target; the lowest counts most.
    rank: usize,
}

impl MappingProposal {
    /// Looks at a sheet's columns and at some rows of it.
    #[must_use]
    pub fn new(
        columns: &[SheetColumn],
        samples: &[Vec<String>],
        presets: &[Preset],
        directory: Option<&LocationDirectory>,
    ) -> Self {
        let mut proposal = match preset::detect_preset(presets, columns) {
            PresetDetection::One(preset) => Self::with_preset(preset, columns, directory),
            PresetDetection::None => Self::empty(),
            PresetDetection::Ambiguous(presets) => {
                let ambiguous = presets.iter().map(|preset| preset.name.clone()).collect();
                Self { ambiguous, ..Self::empty() }
            }
        };
        proposal.profile_columns(columns, samples, directory);
        proposal
    }

    /// The same for a preset that somebody chose.
    #[must_use]
    pub fn for_preset(
        preset: &Preset,
        columns: &[SheetColumn],
        samples: &[Vec<String>],
        directory: Option<&LocationDirectory>,
    ) -> Self {
        let mut proposal = Self::with_preset(preset, columns, directory);
        proposal.profile_columns(columns, samples, directory);
        proposal
    }

    /// Leaves out what somebody has said already: the columns of these rules and names, and the targets.
    pub fn mark_settled(&mut self, rules: &[MappingRule], ignore: &[String]) {
        let all: Vec<SheetColumn> = self.columns.iter().map(|guess| guess.column.clone()).collect();
        let columns = ColumnLookup::new(&all);
        for name in rules.iter().flat_map(|rule| &rule.from).chain(ignore) {
            for at in columns.find_matching(name) {
                self.columns[at].verdict = ProposalStatus::Settled;
            }
        }
        self.settled.extend(rules.iter().map(|rule| rule.to.clone()));
        self.assign_statuses();
    }

    fn empty() -> Self {
        Self {
            columns: Vec::new(),
            preset: None,
            ambiguous: Vec::new(),
            base: Mapping::default(),
            bound: Vec::new(),
            passed: Vec::new(),
            homeless: HashMap::new(),
            unbound: false,
            settled: Vec::new(),
        }
    }

    fn with_preset(
        preset: &Preset,
        columns: &[SheetColumn],
        directory: Option<&LocationDirectory>,
    ) -> Self {
        let mut proposal = Self {
            preset: Some(preset.name.clone()),
            base: preset.mapping.clone(),
            ..Self::empty()
        };
        let Ok(mut plan) = preset.mapping.bind_columns(columns) else {
            return Self { unbound: true, ..proposal };
        };
        let read: HashSet<usize> = plan
            .bound
            .iter()
            .flat_map(|bound| &bound.columns)
            .chain(&plan.unmapped)
            .copied()
            .collect();
        proposal.passed = (0..columns.len()).filter(|at| !read.contains(at)).collect();
        if let Some(directory) = directory {
            let before = plan.bound.clone();
            plan.skip_unwritable_fields(directory);
            let left: HashSet<usize> = plan.unmapped.iter().copied().collect();
            for BoundRule { rule, columns, .. } in before {
                let lost = columns.into_iter().filter(|at| left.contains(at));
                proposal.homeless.extend(lost.map(|at| (at, rule.to.to_string())));
            }
        }
        Self { bound: plan.bound, ..proposal }
    }

    fn profile_columns(
        &mut self,
        columns: &[SheetColumn],
        samples: &[Vec<String>],
        directory: Option<&LocationDirectory>,
    ) {
        let written: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let headers = HeaderNames::new(written.iter().copied());
        let names = score::HeaderContext::new(&written, &headers, directory);
        let guess = |(at, column): (usize, &SheetColumn)| {
            let look = ValueProfile::new(samples.iter().filter_map(|row| row.get(at)));
            let (candidates, never) = score::rank_candidates(&names, &column.name, &look);
            ColumnProposal {
                column: column.clone(),
                shares_name: false,
                verdict: ProposalStatus::Open,
                candidates,
                samples: look.samples,
                never,
            }
        };
        self.columns = columns.iter().enumerate().map(guess).collect();
        self.mark_shared_names();
        self.assign_statuses();
    }
}
