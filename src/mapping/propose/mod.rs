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

pub use accept::Undecided;

use std::collections::{HashMap, HashSet};

use super::header::Headers;
use super::preset::{self, Detection, Preset};
use super::{Bound, Columns, Mapping, Rule};
use crate::model::directory::Directory;
use crate::model::target::Target;
use crate::sheet::Column;
use value_profile::Look;

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
pub struct Proposal {
    /// The columns, in the sheet's order.
    pub columns: Vec<Guess>,
    /// The preset that the sheet is for, if it is for one.
    pub preset: Option<String>,
    /// The presets among which somebody must choose; then none is used.
    pub ambiguous: Vec<String>,
    /// The preset's mapping; else an empty one.
    base: Mapping,
    /// Its rules that apply.
    bound: Vec<Bound>,
    /// The columns that it passes over.
    passed: Vec<usize>,
    /// The columns that it has a custom field for which the location lacks.
    homeless: HashMap<usize, String>,
    /// What kept it from being bound; then it is used as it is, and whoever binds it is told.
    unbound: bool,
    /// The targets that somebody has spoken for.
    settled: Vec<Target>,
}

/// What is proposed for a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The column.
    pub column: Column,
    /// Whether another column has the same name.
    pub shares_name: bool,
    /// What becomes of it.
    pub verdict: Verdict,
    /// The targets that it may be for, the best first.
    pub candidates: Vec<Candidate>,
    /// Some of its values.
    pub samples: Vec<String>,
    /// Why its name is never guessed about, if so.
    never: Option<&'static str>,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
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

impl Verdict {
    /// Whether somebody has to decide.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Proposed | Self::Homeless(_) | Self::Rivals(_) | Self::Open)
    }
}

/// A target that a column may be for.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The target.
    pub target: Target,
    /// How sure it is, from 0 to 1.
    pub score: f64,
    /// Why, for people. May hold text from outside.
    pub evidence: String,
    /// Its name's place among the names of the target; the lowest counts most.
    rank: usize,
}

impl Proposal {
    /// Looks at a sheet's columns and at some rows of it.
    #[must_use]
    pub fn new(
        columns: &[Column],
        samples: &[Vec<String>],
        presets: &[Preset],
        directory: Option<&Directory>,
    ) -> Self {
        let mut proposal = match preset::detect(presets, columns) {
            Detection::One(preset) => Self::with_preset(preset, columns, directory),
            Detection::None => Self::empty(),
            Detection::Ambiguous(presets) => {
                let ambiguous = presets.iter().map(|preset| preset.name.clone()).collect();
                Self { ambiguous, ..Self::empty() }
            }
        };
        proposal.look_at(columns, samples, directory);
        proposal
    }

    /// The same for a preset that somebody chose.
    #[must_use]
    pub fn for_preset(
        preset: &Preset,
        columns: &[Column],
        samples: &[Vec<String>],
        directory: Option<&Directory>,
    ) -> Self {
        let mut proposal = Self::with_preset(preset, columns, directory);
        proposal.look_at(columns, samples, directory);
        proposal
    }

    /// Leaves out what somebody has said already: the columns of these rules and names, and the targets.
    pub fn settle(&mut self, rules: &[Rule], ignore: &[String]) {
        let all: Vec<Column> = self.columns.iter().map(|guess| guess.column.clone()).collect();
        let columns = Columns::new(&all);
        for name in rules.iter().flat_map(|rule| &rule.from).chain(ignore) {
            for at in columns.matching(name) {
                self.columns[at].verdict = Verdict::Settled;
            }
        }
        self.settled.extend(rules.iter().map(|rule| rule.to.clone()));
        self.assign();
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

    fn with_preset(preset: &Preset, columns: &[Column], directory: Option<&Directory>) -> Self {
        let mut proposal = Self {
            preset: Some(preset.name.clone()),
            base: preset.mapping.clone(),
            ..Self::empty()
        };
        let Ok(mut plan) = preset.mapping.bind(columns) else {
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
            plan.skip_unknown(directory);
            let left: HashSet<usize> = plan.unmapped.iter().copied().collect();
            for Bound { rule, columns, .. } in before {
                let lost = columns.into_iter().filter(|at| left.contains(at));
                proposal.homeless.extend(lost.map(|at| (at, rule.to.to_string())));
            }
        }
        Self { bound: plan.bound, ..proposal }
    }

    fn look_at(
        &mut self,
        columns: &[Column],
        samples: &[Vec<String>],
        directory: Option<&Directory>,
    ) {
        let written: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let headers = Headers::new(written.iter().copied());
        let names = score::Names::new(&written, &headers, directory);
        let guess = |(at, column): (usize, &Column)| {
            let look = Look::new(samples.iter().filter_map(|row| row.get(at)));
            let (candidates, never) = score::candidates(&names, &column.name, &look);
            Guess {
                column: column.clone(),
                shares_name: false,
                verdict: Verdict::Open,
                candidates,
                samples: look.samples,
                never,
            }
        };
        self.columns = columns.iter().enumerate().map(guess).collect();
        self.mark_shared_names();
        self.assign();
    }
}
