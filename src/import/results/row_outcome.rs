//! Row outcomes: derived from the states of each row's ops.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::{ContactId, LocationId};
use crate::import::ImportError;
use crate::import::results::not_kept::{NotKeptCounter, describe_difference};
use crate::import::stored_contact::describe_contact;
use crate::model::verify::PropertyMismatch;
use crate::model::{OpDetails, op_codec};
use crate::run::{ImportStore, LedgerReader, OpRecord, OpState, RunError};

/// The outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOutcome {
    /// It had no op, or there was nothing left to do.
    Unchanged,
    Succeeded,
    Rejected,
    InDoubt,
    Pending,
}

/// Why a row failed.
#[derive(Debug, Clone)]
pub(crate) struct RowError {
    pub(crate) op: u64,
    pub(crate) code: DiagnosticCode,
    pub(crate) field: String,
    pub(crate) reason: String,
    pub(crate) sent: String,
    /// The contact that the op was for, if it existed.
    pub(crate) contact: Option<ContactId>,
}

/// The code for what was not sent because another op of its row failed.
const SKIPPED: DiagnosticCode = DiagnosticCode::R_SKIPPED;

/// What is known about one row.
#[derive(Debug)]
struct RowResult {
    outcome: RowOutcome,
    why: Option<Box<RowError>>,
    made: Option<String>,
}

/// The outcomes of the rows that have ops.
#[derive(Debug, Default)]
pub(crate) struct RowOutcomes {
    rows: HashMap<u64, RowResult>,
    differing: BTreeMap<u64, Vec<Diagnostic>>,
    not_kept: NotKeptCounter,
}

impl RowOutcomes {
    /// The outcomes before anything was sent.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// Reads the ledger.
    pub(crate) fn from_ledger(ledger: &LedgerReader) -> Result<Self, ImportError> {
        let mut outcomes = Self::default();
        let mut sent = Vec::new();
        ledger.for_each_op(|op| {
            // It concerns the location and no row.
            if op.row == 0 {
                return Ok(());
            }
            if op.state == OpState::InDoubt {
                sent.push((op.row, op.id));
            }
            outcomes.add_op(&op)
        })?;
        for (row, op) in sent {
            let attempt = ledger.last_attempt(op)?;
            let why = outcomes.rows.get_mut(&row).and_then(|known| known.why.as_mut());
            if let (Some(why), Some(attempt)) = (why.filter(|why| why.op == op), attempt) {
                let at = jiff::Timestamp::from_millisecond(attempt.at_ms).unwrap_or_default();
                why.sent = at.to_string();
            }
        }
        Ok(outcomes)
    }

    fn add_op(&mut self, op: &OpRecord) -> Result<(), RunError> {
        let details = op_codec::decode_details(op)?;
        let nothing = matches!(details, Some(OpDetails::NothingToDo { .. }));
        let outcome = match op.state {
            OpState::Applied if nothing => RowOutcome::Unchanged,
            OpState::Applied | OpState::Differs => RowOutcome::Succeeded,
            // An op that was skipped failed because of another op of its row, which contains the reason.
            OpState::Refused | OpState::Conflict | OpState::Skipped => RowOutcome::Rejected,
            OpState::InDoubt => RowOutcome::InDoubt,
            OpState::Pending | OpState::Sent => RowOutcome::Pending,
        };
        let new = || RowResult { outcome: RowOutcome::Unchanged, why: None, made: None };
        let known = self.rows.entry(op.row).or_insert_with(new);
        // The op in doubt decides the outcome of its row, even if other ops of the row were refused.
        let open = known.why.as_ref().is_none_or(|why| why.code == SKIPPED)
            || known.outcome == RowOutcome::Unchanged
            || (outcome == RowOutcome::InDoubt && known.outcome != RowOutcome::InDoubt);
        if outcome_rank(outcome) > outcome_rank(known.outcome) {
            known.outcome = outcome;
        }
        if let (OpState::Differs, Some(OpDetails::Differs { differences, message })) =
            (op.state, &details)
        {
            let warnings = difference_warnings_of(op.row, differences, message.as_deref());
            self.differing.entry(op.row).or_default().extend(warnings);
            for it in differences {
                self.not_kept.add(op.row, it);
            }
        }
        if matches!(outcome, RowOutcome::Rejected | RowOutcome::InDoubt | RowOutcome::Unchanged)
            && open
        {
            known.why = Some(Box::new(op_error(op, details)));
        }
        // What a row creates for an existing contact is a note or task.
        if op.step == 0 && op.contact.is_none() && op.made.is_some() {
            known.made.clone_from(&op.made);
        }
        Ok(())
    }

    pub(crate) fn row_outcome(&self, row: u64) -> RowOutcome {
        self.rows.get(&row).map_or(RowOutcome::Unchanged, |known| known.outcome)
    }

    pub(crate) fn row_error(&self, row: u64) -> Option<&RowError> {
        self.rows.get(&row)?.why.as_deref()
    }

    /// Adds the names and pages of contacts to the reasons of conflicts.
    pub(crate) fn name_conflicting_contacts(
        &mut self,
        rows: &ImportStore,
        location: &LocationId,
    ) -> Result<(), ImportError> {
        for why in self.rows.values_mut().filter_map(|known| known.why.as_mut()) {
            if let (DiagnosticCode::R_CONFLICT, Some(contact)) = (why.code, &why.contact) {
                let who = describe_contact(rows, location, contact)?;
                why.reason = format!("{}: {who}", why.reason);
            }
        }
        Ok(())
    }

    /// Why rows were rejected or are in doubt after they were sent, by row.
    pub(crate) fn failures(&self) -> Vec<(u64, &RowError)> {
        let failed = self.rows.iter().filter(|(_, known)| {
            matches!(known.outcome, RowOutcome::Rejected | RowOutcome::InDoubt)
        });
        let mut all: Vec<_> =
            failed.filter_map(|(row, known)| Some((*row, known.why.as_deref()?))).collect();
        all.sort_unstable_by_key(|(row, _)| *row);
        all
    }

    /// The contact that was created for a row.
    pub(crate) fn created_contact(&self, row: u64) -> Option<&str> {
        self.rows.get(&row)?.made.as_deref()
    }

    /// The values that the account did not keep.
    pub(crate) fn not_kept(&self) -> &NotKeptCounter {
        &self.not_kept
    }

    /// Values that the account does not have as they were sent, by row.
    pub(crate) fn difference_warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.differing.values().flatten()
    }
}

/// Which outcome takes precedence when a row's ops ended differently.
fn outcome_rank(outcome: RowOutcome) -> u8 {
    match outcome {
        RowOutcome::Unchanged => 0,
        RowOutcome::Succeeded => 1,
        RowOutcome::Pending => 2,
        RowOutcome::Rejected => 3,
        RowOutcome::InDoubt => 4,
    }
}

/// The warnings of an op that was applied with differences.
fn difference_warnings_of(
    row: u64,
    differences: &[PropertyMismatch],
    message: Option<&str>,
) -> Vec<Diagnostic> {
    let warning = |field: &str, message: String| {
        Diagnostic::new(DiagnosticCode::W_ANSWER_DIFFERS, message).in_field(field).at_record(row)
    };
    let differences =
        differences.iter().map(|it| warning(&it.field, describe_difference(&it.sent, &it.got)));
    let message = message.map(|message| warning("", message.to_owned()));
    differences.chain(message).collect()
}

/// Why an op was not applied, or was not needed.
fn op_error(op: &OpRecord, details: Option<OpDetails>) -> RowError {
    let fallback = match op.state {
        OpState::Conflict => DiagnosticCode::R_CONFLICT,
        OpState::InDoubt => DiagnosticCode::R_IN_DOUBT,
        OpState::Skipped => SKIPPED,
        _ => DiagnosticCode::R_REFUSED,
    };
    let (code, field, reason) = match details {
        Some(OpDetails::Failed { code, field, message, .. }) => {
            (code, field.unwrap_or_default(), message)
        }
        Some(OpDetails::NothingToDo { message }) => (fallback, String::new(), message),
        Some(OpDetails::Differs { .. }) | None => (fallback, String::new(), String::new()),
    };
    let contact = op.contact.clone();
    RowError { op: op.id, code, field, reason, sent: String::new(), contact }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::IdempotencyClass;

    fn op(id: u64, state: OpState) -> OpRecord {
        OpRecord {
            id,
            key: String::new(),
            row: 1,
            step: 1,
            serial_group: 1,
            class: IdempotencyClass::Countable,
            bulk: false,
            contact: None,
            body: String::new(),
            state,
            made: None,
            details: None,
        }
    }

    #[test]
    fn a_row_in_doubt_names_its_op_in_doubt_whatever_else_was_refused() {
        let mut outcomes = RowOutcomes::default();
        for (id, state) in [
            (1, OpState::Skipped),
            (2, OpState::Refused),
            (3, OpState::InDoubt),
            (4, OpState::InDoubt),
            (5, OpState::Refused),
            (6, OpState::Pending),
        ] {
            outcomes.add_op(&op(id, state)).unwrap();
        }
        assert_eq!(outcomes.row_outcome(1), RowOutcome::InDoubt);
        let why = outcomes.row_error(1).unwrap();
        assert_eq!((why.op, why.code), (3, DiagnosticCode::R_IN_DOUBT));
    }
}
