//! Which column gets which target: no two get what only one can have.

use std::collections::{HashMap, HashSet};

use super::{ACCEPTED, Candidate, Guess, PROPOSED, Proposal, SOMEBODYS, Verdict};
use crate::mapping::header::fold;
use crate::mapping::is_own;
use crate::model::target::{Field, Target};

/// How much of its score a guess keeps when another column surely is what it may be.
const WITH_A_RIVAL: f64 = 0.6;

impl Proposal {
    /// Gives every column its verdict.
    pub(super) fn assign(&mut self) {
        let mut taken = self.taken();
        for (at, verdict) in self.given() {
            self.columns[at].verdict = verdict;
        }
        for at in self.surest_first() {
            self.accept(at, &mut taken);
        }
        let open: Vec<usize> = (0..self.columns.len()).filter(|at| self.is_open(*at)).collect();
        for at in open {
            self.propose(at, &taken);
        }
    }

    pub(super) fn mark_shared_names(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for guess in &self.columns {
            *seen.entry(guess.column.name.trim().to_owned()).or_default() += 1;
        }
        for guess in &mut self.columns {
            guess.shares_name = seen[guess.column.name.trim()] > 1;
        }
    }

    fn is_open(&self, at: usize) -> bool {
        self.columns[at].verdict == Verdict::Open
    }

    /// The targets that the preset or somebody has columns for.
    fn taken(&self) -> HashMap<String, Option<usize>> {
        let targets = self.bound.iter().map(|bound| &bound.rule.to).chain(&self.settled);
        targets.filter(|target| !target.takes_many()).map(|target| (one(target), None)).collect()
    }

    /// The verdicts that do not depend on other columns.
    fn given(&self) -> Vec<(usize, Verdict)> {
        let read: HashSet<usize> =
            self.bound.iter().flat_map(|bound| &bound.columns).copied().collect();
        let passed: HashSet<usize> = self.passed.iter().copied().collect();
        let preset = self.preset.as_deref().unwrap_or_default();
        let verdict = |(at, guess): (usize, &Guess)| {
            let name = guess.column.name.trim();
            match guess.never {
                _ if guess.verdict == Verdict::Settled => Verdict::Settled,
                _ if is_own(name) => Verdict::Own,
                _ if read.contains(&at) => Verdict::Preset,
                _ if self.homeless.contains_key(&at) => {
                    Verdict::Homeless(self.homeless[&at].clone())
                }
                _ if passed.contains(&at) => {
                    Verdict::Ignored(format!("the preset `{preset}` passes it over"))
                }
                _ if name.is_empty() && guess.samples.is_empty() => {
                    Verdict::Ignored("the column is empty".to_owned())
                }
                Some(why) => Verdict::Ignored(why.to_owned()),
                None => Verdict::Open,
            }
        };
        self.columns.iter().enumerate().map(|(at, guess)| (at, verdict((at, guess)))).collect()
    }

    /// The columns that surely are for something, the surest and those with the first names first.
    fn surest_first(&self) -> Vec<usize> {
        let mut sure: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.is_open(*at))
            .filter(|at| {
                self.columns[*at].candidates.first().is_some_and(|best| best.score >= ACCEPTED)
            })
            .collect();
        sure.sort_by_key(|at| (self.columns[*at].candidates[0].rank, *at));
        sure
    }

    fn accept(&mut self, at: usize, taken: &mut HashMap<String, Option<usize>>) {
        let target = self.columns[at].candidates[0].target.clone();
        if target.takes_many() {
            self.columns[at].verdict = Verdict::Accepted;
            return;
        }
        let verdict = match taken.get(&one(&target)) {
            None => {
                taken.insert(one(&target), Some(at));
                Verdict::Accepted
            }
            Some(Some(first)) if joins(&target) && !self.columns[at].shares_name => {
                Verdict::JoinedTo(*first)
            }
            Some(Some(first)) => Verdict::Rivals(*first),
            // The preset has said where such values come from.
            Some(None) => return self.doubt(at, 0),
        };
        self.columns[at].verdict = verdict;
    }

    /// Proposes the best candidate that nobody has taken, if it is good enough.
    fn propose(&mut self, at: usize, taken: &HashMap<String, Option<usize>>) {
        for number in 0..self.columns[at].candidates.len() {
            let Candidate { target, rank, .. } = &self.columns[at].candidates[number];
            if taken.contains_key(&one(target)) {
                match further(target).filter(|_| *rank < SOMEBODYS) {
                    Some(further) => self.columns[at].candidates[number].target = further,
                    None => self.doubt(at, number),
                }
            }
        }
        let guess = &mut self.columns[at];
        guess.candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
        if guess.candidates.first().is_some_and(|best| best.score >= PROPOSED) {
            guess.verdict = Verdict::Proposed;
        }
    }

    fn doubt(&mut self, at: usize, number: usize) {
        const WHY: &str = "; but another column surely is";
        let candidate = &mut self.columns[at].candidates[number];
        if !candidate.evidence.ends_with(WHY) {
            candidate.score = (candidate.score * WITH_A_RIVAL).min(PROPOSED - 0.01);
            candidate.evidence += WHY;
        }
    }
}

/// A target's name, the same for all ways to write a custom field.
fn one(target: &Target) -> String {
    match target {
        Target::Custom(name) => format!("customFields.{}", fold(name)),
        target => target.to_string(),
    }
}

/// Where a further value goes, when a target has its column already.
fn further(target: &Target) -> Option<Target> {
    match target {
        Target::Field(Field::Email) => Some(Target::AdditionalEmails),
        Target::Field(Field::Phone) => Some(Target::AdditionalPhones),
        _ => None,
    }
}

/// Whether further columns for the target are read after the first: of several e-mail addresses or phone
/// numbers the first is the contact's and the others are further ones.
pub(super) fn joins(target: &Target) -> bool {
    matches!(target, Target::Field(Field::Email | Field::Phone))
}
