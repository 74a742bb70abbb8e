//! The mapping that can be used without asking the user, or the columns that need a decision.

use super::assign::column_separator;
use super::{ColumnProposal, MappingProposal, ProposalStatus};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::mapping::{ColumnLookup, DUPLICATE_HEADER, Mapping, MappingRule, join_with_and};
use crate::sheet::SheetColumn;

impl MappingProposal {
    /// The mapping of all unambiguous columns: the preset's rules and the accepted targets. Columns without a
    /// likely candidate are left unmapped; binding the mapping reports them.
    ///
    /// # Errors
    /// The columns that may well be for something, but not surely.
    pub fn confident_mapping(&self) -> Result<Mapping, Vec<Diagnostic>> {
        let undecided = self.undecided_columns();
        if !undecided.is_empty() {
            return Err(undecided);
        }
        let mut mapping = self.base.clone();
        if self.preset.is_none() {
            "the header dictionary".clone_into(&mut mapping.name);
        }
        if self.unbound {
            return Ok(mapping);
        }
        let all = self.sheet_columns();
        let columns = ColumnLookup::new(&all);
        mapping
            .rules
            .extend((0..self.columns.len()).filter_map(|at| self.accepted_rule(at, &columns)));
        let empty = |guess: &ColumnProposal| {
            guess.column.name.trim().is_empty() && guess.samples.is_empty()
        };
        let blank = (0..self.columns.len()).filter(|at| empty(&self.columns[*at]));
        mapping.ignore.extend(blank.map(|at| columns.unambiguous_reference(at)));
        Ok(mapping)
    }

    pub(super) fn sheet_columns(&self) -> Vec<SheetColumn> {
        self.columns.iter().map(|guess| guess.column.clone()).collect()
    }

    /// The rule for an accepted column and the columns joined to it.
    pub(super) fn accepted_rule(&self, at: usize, columns: &ColumnLookup) -> Option<MappingRule> {
        let guess = &self.columns[at];
        if guess.status != ProposalStatus::Accepted {
            return None;
        }
        let joined = self.columns_joined_to(at);
        let from = std::iter::once(&at)
            .chain(&joined)
            .map(|at| columns.unambiguous_reference(*at))
            .collect();
        let to = guess.candidates[0].target.clone();
        let join = if joined.is_empty() { " " } else { column_separator(&to) };
        Some(MappingRule { from, join: join.to_owned(), to, ..MappingRule::default() })
    }

    /// The columns that are joined to a column, ordered by the rank of their names.
    fn columns_joined_to(&self, first: usize) -> Vec<usize> {
        let mut joined: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.columns[*at].status == ProposalStatus::JoinedTo(first))
            .collect();
        joined.sort_by_key(|at| (self.columns[*at].candidates[0].rank, *at));
        joined
    }

    fn undecided_columns(&self) -> Vec<Diagnostic> {
        if !self.ambiguous.is_empty() {
            let names: Vec<&str> = self.ambiguous.iter().map(String::as_str).collect();
            let message =
                format!("the presets {} fit the sheet equally well", join_with_and(&names));
            let question = Diagnostic::new(DiagnosticCode::E_PRESET_AMBIGUOUS, message);
            return vec![question.with_hint("choose one with `--preset`")];
        }
        if self.unbound {
            return Vec::new();
        }
        (0..self.columns.len()).filter_map(|at| self.open_question(at)).collect()
    }

    /// The open question about a column, if any.
    fn open_question(&self, at: usize) -> Option<Diagnostic> {
        let ColumnProposal { column: SheetColumn { name, letters }, candidates, status, .. } =
            &self.columns[at];
        let question = match status {
            ProposalStatus::Proposed => {
                let best = &candidates[0];
                let message = format!(
                    "column {letters} (`{name}`) may be `{}` ({:.2}: {})",
                    best.target, best.score, best.evidence
                );
                let hint = format!(
                    "say so with `--map {letters}={}`, or `--ignore-column {letters}`",
                    best.target
                );
                Diagnostic::new(DiagnosticCode::E_COLUMN_UNDECIDED, message).with_hint(hint)
            }
            ProposalStatus::Rivals(first) => self.conflict_question(*first, at),
            _ => return None,
        };
        Some(question.at_column(at))
    }

    fn conflict_question(&self, first: usize, second: usize) -> Diagnostic {
        let (one, other) = (&self.columns[first].column, &self.columns[second].column);
        let target = &self.columns[second].candidates[0].target;
        let hint = format!(
            "pick one with `--map {}={target}` or `--ignore-column {}`",
            one.letters, other.letters
        );
        let message = if one.name.trim() == other.name.trim() {
            let name = one.name.trim();
            format!("`{name}` is the header of columns {} and {}", one.letters, other.letters)
        } else {
            format!(
                "columns {} (`{}`) and {} (`{}`) both go to `{target}`, which takes one",
                one.letters, one.name, other.letters, other.name
            )
        };
        Diagnostic::new(DUPLICATE_HEADER, message).with_hint(hint)
    }
}
