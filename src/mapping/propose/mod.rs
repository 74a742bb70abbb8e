//! Proposals: the likely targets of a sheet's columns, and the evidence for them.
//!
//! A column's name and the shape of its values are both evidence for targets. From a score of 0.9, a target is
//! accepted; from 0.6, it is proposed for the user to confirm; below that, the user has to decide. A preset takes
//! precedence over both. Nothing is certain here, so every decision comes with its evidence.

mod accept;
mod affixes;
mod assign;
mod column_groups;
mod compounds;
mod consent_score;
mod field_options;
mod new_field_type;
mod score;
mod sheet_subject;
mod to_toml;
mod value_profile;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use super::header::{HeaderNames, fold_name, strip_annotations};
use super::preset::{self, Preset, PresetDetection};
use super::{BoundRule, ColumnLookup, Mapping, MappingRule};
use crate::model::directory::LocationDirectory;
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;
pub(crate) use new_field_type::FieldTypeProfile;
use value_profile::{ValueProfile, ValueShape};

/// From this score on, a target is accepted without asking.
pub const ACCEPTED: f64 = 0.9;
/// From this score on, a target is proposed for the user to confirm.
pub const PROPOSED: f64 = 0.6;
/// The maximum score from values alone, for a column whose name means nothing.
const BY_VALUES: f64 = 0.75;

/// From this rank on, candidates may be about another person: the only evidence is the last word of the name, or
/// the values.
const SOMEBODYS: usize = 500;

/// The proposal for a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingProposal {
    /// The columns, in the sheet's order.
    pub columns: Vec<ColumnProposal>,
    /// The preset for the sheet, if there is one.
    pub preset: Option<String>,
    /// The presets among which the user must choose; then none is used.
    pub ambiguous: Vec<String>,
    /// The preset's mapping, or an empty one.
    base: Mapping,
    /// The preset's rules that apply.
    bound: Vec<BoundRule>,
    /// The columns that the preset skips.
    passed: Vec<usize>,
    /// The columns whose custom field in the preset does not exist in the location.
    homeless: HashMap<usize, String>,
    /// Whether the preset's mapping could not be bound. It is then used unchanged, and binding it reports the
    /// problems.
    unbound: bool,
    /// The targets that the user has set.
    settled: Vec<MappingTarget>,
    /// The columns that the user has mapped, and their targets.
    settled_columns: HashMap<usize, MappingTarget>,
    /// From this score on, a likely target is accepted without asking.
    accepted_from: f64,
}

/// The proposal for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProposal {
    /// The column.
    pub column: SheetColumn,
    /// Whether another column has the same name.
    pub shares_name: bool,
    /// The status of the column.
    pub status: ProposalStatus,
    /// The possible targets, best first.
    pub candidates: Vec<TargetCandidate>,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Why its name is never guessed about, if so.
    never: Option<&'static str>,
    /// Whether most of its values are like people's names.
    holds_names: bool,
}

/// The status of a column in a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalStatus {
    /// The user has already decided.
    Settled,
    /// The preset's rules read it.
    Preset,
    /// The best candidate is accepted.
    Accepted,
    /// The best candidate is accepted, and this column's values are added after those of an earlier column.
    JoinedTo(usize),
    /// The best candidate is proposed.
    Proposed,
    /// The preset maps it to a custom field that the location lacks, so its name is not guessed about.
    Homeless(String),
    /// Another column certainly has the same target, which accepts only one.
    Rivals(usize),
    /// No candidate is likely enough.
    Open,
    /// It is not read; the reason, for people.
    Ignored(String),
    /// It is from a result file of this program.
    Own,
}

impl ProposalStatus {
    /// Whether the user has to decide.
    #[must_use]
    pub fn needs_decision(&self) -> bool {
        matches!(self, Self::Proposed | Self::Homeless(_) | Self::Rivals(_) | Self::Open)
    }
}

/// A possible target of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetCandidate {
    /// The target.
    pub target: MappingTarget,
    /// The certainty, from 0 to 1.
    pub score: f64,
    /// The evidence, for people. May contain untrusted text.
    pub evidence: String,
    /// The position of its name among the names of the target; lower ranks count more.
    rank: usize,
}

impl MappingProposal {
    /// Creates a proposal from a sheet's columns and sample rows.
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

    /// Creates a proposal for a preset that the user chose.
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

    /// Excludes what the user has already decided: the columns of these rules and names, and the targets.
    pub fn mark_settled(&mut self, rules: &[MappingRule], ignore: &[String]) {
        let all: Vec<SheetColumn> = self.columns.iter().map(|guess| guess.column.clone()).collect();
        let columns = ColumnLookup::new(&all);
        for name in rules.iter().flat_map(|rule| &rule.from).chain(ignore) {
            for at in columns.find_matching(name) {
                self.columns[at].status = ProposalStatus::Settled;
            }
        }
        for rule in rules {
            let read = rule.from.iter().flat_map(|name| columns.find_matching(name));
            self.settled_columns.extend(read.map(|at| (at, rule.to.clone())));
        }
        self.settled.extend(rules.iter().map(|rule| rule.to.clone()));
        self.assign_statuses();
    }

    /// Excludes those of these columns that the user would have to decide about: the user has decided what to do with
    /// them, and it is no target. A column whose values say who may be contacted still has to be decided about, whatever
    /// its name: without a target, people who have unsubscribed would be written to.
    pub fn settle_undecided(&mut self, names: &[String]) {
        let all = self.sheet_columns();
        let columns = ColumnLookup::new(&all);
        for at in names.iter().flat_map(|name| columns.find_by_name(name, true)) {
            let best = self.columns[at].candidates.first().map(|candidate| &candidate.target);
            let is_consent = matches!(
                best,
                Some(MappingTarget::Dnd | MappingTarget::DndChannel(_) | MappingTarget::OptIn)
            );
            if self.columns[at].status.needs_decision() && !is_consent {
                self.columns[at].status = ProposalStatus::Settled;
            }
        }
        self.assign_statuses();
    }

    /// Accepts likely targets from this score on, too, the more likely ones first. A target that takes one column
    /// gets one.
    pub fn accept_from(&mut self, score: f64) {
        self.accepted_from = score;
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
            settled_columns: HashMap::new(),
            accepted_from: ACCEPTED,
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
        let is_field = |name: &str| {
            let folded = fold_name(name);
            let mut fields = directory.into_iter().flat_map(|directory| &directory.fields);
            fields.any(|field| fold_name(&field.name) == folded || fold_name(&field.key) == folded)
        };
        // A custom field may be named like the header, remarks included.
        let bare: Vec<String> = columns
            .iter()
            .map(|column| match strip_annotations(&column.name) {
                Some(bare) if !is_field(&column.name) => bare,
                _ => column.name.clone(),
            })
            .collect();
        let written: Vec<&str> = bare.iter().map(String::as_str).collect();
        let headers = HeaderNames::new(written.iter().copied());
        let names = score::HeaderContext::new(&written, &headers, directory);
        let guess = |(at, column): (usize, &SheetColumn)| {
            let look = ValueProfile::new(samples.iter().filter_map(|row| row.get(at)));
            let (candidates, never) = score::rank_candidates(&names, &bare[at], &look);
            ColumnProposal {
                column: column.clone(),
                shares_name: false,
                status: ProposalStatus::Open,
                candidates,
                holds_names: look.share_of(ValueShape::Person) >= 0.6,
                samples: look.samples,
                never,
            }
        };
        self.columns = columns.iter().enumerate().map(guess).collect();
        self.mark_shared_names();
        self.assign_statuses();
    }
}
