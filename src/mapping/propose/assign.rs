//! Assigns targets to columns, so that a single-column target is assigned only once.

use std::collections::{HashMap, HashSet};

use super::compounds::is_second_line;
use super::{
    ACCEPTED, ColumnProposal, MappingProposal, PROPOSED, ProposalStatus, SOMEBODYS, TargetCandidate,
};
use crate::mapping::header::fold_name;
use crate::model::result_columns::is_result_column;
use crate::model::target::{Field, MappingTarget};

/// The factor for a candidate's score if another column certainly has the same target.
const WITH_A_RIVAL: f64 = 0.6;

impl MappingProposal {
    /// Sets the status of every column.
    pub(super) fn assign_statuses(&mut self) {
        let mut taken = self.claimed_targets();
        for (at, status) in self.independent_statuses() {
            self.columns[at].status = status;
        }
        self.keep_groups_apart();
        for at in self.confident_columns_by_rank() {
            self.accept_candidate(at, &mut taken);
        }
        let open: Vec<usize> = (0..self.columns.len()).filter(|at| self.is_open(*at)).collect();
        for at in open {
            self.propose_candidate(at, &taken);
        }
        self.ask_for_name();
        for at in self.acceptable_columns_by_score() {
            self.accept_candidate(at, &mut taken);
        }
    }

    /// Asks whether a column holds the names, if no column does: people without names are hard to undo.
    fn ask_for_name(&mut self) {
        let is_accepted = |guess: &&ColumnProposal| {
            matches!(guess.status, ProposalStatus::Accepted | ProposalStatus::Proposed)
        };
        let accepted = self.columns.iter().filter(is_accepted);
        let targets = accepted.filter_map(|guess| Some(&guess.candidates.first()?.target));
        let claimed = self.bound.iter().map(|bound| &bound.rule.to).chain(&self.settled);
        let says_who = |target: &MappingTarget| {
            matches!(
                target,
                MappingTarget::ContactId
                    | MappingTarget::Field(Field::FirstName | Field::LastName | Field::Name)
            )
        };
        if targets.chain(claimed).any(says_who) {
            return;
        }
        let is_left_out = |guess: &&mut ColumnProposal| {
            matches!(guess.status, ProposalStatus::Open | ProposalStatus::Ignored(_))
        };
        let mut left_out = self.columns.iter_mut().filter(is_left_out);
        let Some(guess) = left_out.find(|guess| guess.holds_names) else { return };
        let target = MappingTarget::Field(Field::Name);
        let evidence = "most values are like people's names, and no column is the name".to_owned();
        guess.candidates.insert(0, TargetCandidate { target, score: PROPOSED, evidence, rank: 0 });
        guess.status = ProposalStatus::Proposed;
    }

    /// The columns without a decision whose best candidate is likely enough for the user, the likeliest first.
    fn acceptable_columns_by_score(&self) -> Vec<usize> {
        let score = |at: usize| self.columns[at].candidates.first().map_or(0.0, |best| best.score);
        let is_undecided = |at: &usize| {
            matches!(self.columns[*at].status, ProposalStatus::Open | ProposalStatus::Proposed)
        };
        let mut likely: Vec<usize> = (0..self.columns.len())
            .filter(|at| is_undecided(at) && score(*at) >= self.accepted_from)
            .collect();
        likely.sort_by(|one, other| score(*other).total_cmp(&score(*one)));
        likely
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
        self.columns[at].status == ProposalStatus::Open
    }

    /// The targets for which the preset or the user has set columns.
    fn claimed_targets(&self) -> HashMap<String, Option<usize>> {
        let targets = self.bound.iter().map(|bound| &bound.rule.to).chain(&self.settled);
        targets
            .filter(|target| !target.accepts_multiple_columns())
            .map(|target| (target_key(target), None))
            .collect()
    }

    /// The statuses that do not depend on other columns.
    fn independent_statuses(&self) -> Vec<(usize, ProposalStatus)> {
        let read: HashSet<usize> =
            self.bound.iter().flat_map(|bound| &bound.columns).copied().collect();
        let passed: HashSet<usize> = self.passed.iter().copied().collect();
        let preset = self.preset.as_deref().unwrap_or_default();
        let status = |(at, guess): (usize, &ColumnProposal)| {
            let name = guess.column.name.trim();
            match guess.never {
                _ if guess.status == ProposalStatus::Settled => ProposalStatus::Settled,
                _ if is_result_column(name) => ProposalStatus::Own,
                _ if read.contains(&at) => ProposalStatus::Preset,
                _ if self.homeless.contains_key(&at) => {
                    ProposalStatus::Homeless(self.homeless[&at].clone())
                }
                _ if passed.contains(&at) => {
                    ProposalStatus::Ignored(format!("the preset `{preset}` ignores it"))
                }
                _ if name.is_empty() && guess.samples.is_empty() => {
                    ProposalStatus::Ignored("the column is empty".to_owned())
                }
                Some(why) => ProposalStatus::Ignored(why.to_owned()),
                None => ProposalStatus::Open,
            }
        };
        self.columns.iter().enumerate().map(|(at, guess)| (at, status((at, guess)))).collect()
    }

    /// The columns with a certain target, ordered by certainty and then by the rank of their names.
    fn confident_columns_by_rank(&self) -> Vec<usize> {
        let mut sure: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.is_open(*at))
            .filter(|at| {
                self.columns[*at].candidates.first().is_some_and(|best| best.score >= ACCEPTED)
            })
            .collect();
        sure.sort_by_key(|at| (self.columns[*at].candidates[0].rank, *at));
        sure
    }

    fn accept_candidate(&mut self, at: usize, taken: &mut HashMap<String, Option<usize>>) {
        let target = self.columns[at].candidates[0].target.clone();
        if target.accepts_multiple_columns() {
            self.columns[at].status = ProposalStatus::Accepted;
            return;
        }
        let is_second_line = is_second_line(&self.columns[at].column.name);
        let status = match taken.get(&target_key(&target)) {
            // Without a first line, it may be anything.
            None if is_second_line => return self.lower_candidate_score(at, 0),
            Some(Some(first)) if is_second_line => ProposalStatus::JoinedTo(*first),
            None => {
                taken.insert(target_key(&target), Some(at));
                ProposalStatus::Accepted
            }
            Some(Some(first))
                if allows_joined_columns(&target) && !self.columns[at].shares_name =>
            {
                ProposalStatus::JoinedTo(*first)
            }
            Some(Some(first)) => ProposalStatus::Rivals(*first),
            // The preset already sets the source of such values.
            Some(None) => return self.lower_candidate_score(at, 0),
        };
        self.columns[at].status = status;
    }

    /// Proposes the best candidate that is not taken, if its score is high enough.
    fn propose_candidate(&mut self, at: usize, taken: &HashMap<String, Option<usize>>) {
        for number in 0..self.columns[at].candidates.len() {
            let TargetCandidate { target, rank, .. } = &self.columns[at].candidates[number];
            if taken.contains_key(&target_key(target)) {
                match additional_target(target).filter(|_| *rank < SOMEBODYS) {
                    Some(further) => self.columns[at].candidates[number].target = further,
                    None => self.lower_candidate_score(at, number),
                }
            }
        }
        let guess = &mut self.columns[at];
        guess.candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
        if guess.candidates.first().is_some_and(|best| best.score >= PROPOSED) {
            guess.status = ProposalStatus::Proposed;
        }
    }

    fn lower_candidate_score(&mut self, at: usize, number: usize) {
        const WHY: &str = "; but another column surely is";
        let candidate = &mut self.columns[at].candidates[number];
        if !candidate.evidence.ends_with(WHY) {
            candidate.score = (candidate.score * WITH_A_RIVAL).min(PROPOSED - 0.01);
            candidate.evidence += WHY;
        }
    }
}

/// The key of a target, which is the same for all spellings of a custom field.
fn target_key(target: &MappingTarget) -> String {
    match target {
        MappingTarget::Custom(name) => format!("customFields.{}", fold_name(name)),
        target => target.to_string(),
    }
}

/// The target for additional values if the target already has a column.
fn additional_target(target: &MappingTarget) -> Option<MappingTarget> {
    match target {
        MappingTarget::Field(Field::Email) => Some(MappingTarget::AdditionalEmails),
        MappingTarget::Field(Field::Phone) => Some(MappingTarget::AdditionalPhones),
        _ => None,
    }
}

/// Whether further columns for the target are read after the first one: of several e-mail addresses or phone
/// numbers, the first is the primary one, and the others are additional.
pub(super) fn allows_joined_columns(target: &MappingTarget) -> bool {
    matches!(target, MappingTarget::Field(Field::Email | Field::Phone))
}

/// What joins the values of several columns for the target: further addresses and numbers, or the lines of an address.
pub(super) fn column_separator(target: &MappingTarget) -> &'static str {
    if *target == MappingTarget::Field(Field::Address1) { ", " } else { "; " }
}
