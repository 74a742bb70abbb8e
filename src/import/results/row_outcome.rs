//! Fates: what became of each row, from the states of its ops.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::run::{LedgerReader, OpRecord, OpState};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOutcome {
    /// It had no op.
    Nothing,
    Succeeded,
    Rejected,
    InDoubt,
    Pending,
}

/// Why a row failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowError {
    pub(crate) op: u64,
    pub(crate) code: String,
    pub(crate) field: String,
    pub(crate) reason: String,
    pub(crate) sent: String,
}

/// A code for what was not sent because another op of its row failed.
const SKIPPED: DiagnosticCode = DiagnosticCode::R_SKIPPED;

/// What is known of one row.
#[derive(Debug)]
struct RowResult {
    fate: RowOutcome,
    why: Option<Box<RowError>>,
    made: Option<String>,
}

/// The rows that have ops.
#[derive(Debug, Default)]
pub(crate) struct RowOutcomes {
    rows: HashMap<u64, RowResult>,
    differing: BTreeMap<u64, Vec<Diagnostic>>,
}

impl RowOutcomes {
    /// Before anything was sent.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// Reads the ledger.
    pub(crate) fn from_ledger(ledger: &LedgerReader) -> Result<Self, ImportError> {
        let mut fates = Self::default();
        let mut sent = Vec::new();
        ledger.for_each_op(|op| {
            if op.state == OpState::InDoubt {
                sent.push((op.row, op.id));
            }
            fates.add_op(&op);
            Ok(())
        })?;
        for (row, op) in sent {
            let attempt = ledger.last_attempt(op)?;
            let why = fates.rows.get_mut(&row).and_then(|known| known.why.as_mut());
            if let (Some(why), Some(attempt)) = (why.filter(|why| why.op == op), attempt) {
                let at = jiff::Timestamp::from_millisecond(attempt.at_ms).unwrap_or_default();
                why.sent = at.to_string();
            }
        }
        Ok(fates)
    }

    fn add_op(&mut self, op: &OpRecord) {
        let fate = match op.state {
            OpState::Applied if did_nothing(op) => RowOutcome::Nothing,
            OpState::Applied | OpState::Differs => RowOutcome::Succeeded,
            // One that was skipped failed by another op of its row, which says why.
            OpState::Refused | OpState::Conflict | OpState::Skipped => RowOutcome::Rejected,
            OpState::InDoubt => RowOutcome::InDoubt,
            OpState::Pending | OpState::Sent => RowOutcome::Pending,
        };
        let new = || RowResult { fate: RowOutcome::Nothing, why: None, made: None };
        let known = self.rows.entry(op.row).or_insert_with(new);
        // A row in doubt is settled by its op in doubt, whatever else of it was refused.
        let open = known.why.as_ref().is_none_or(|why| why.code == SKIPPED.spelling())
            || known.fate == RowOutcome::Nothing
            || (fate == RowOutcome::InDoubt && known.fate != RowOutcome::InDoubt);
        if outcome_rank(fate) > outcome_rank(known.fate) {
            known.fate = fate;
        }
        if matches!(fate, RowOutcome::Rejected | RowOutcome::InDoubt | RowOutcome::Nothing) && open
        {
            known.why = Some(Box::new(op_error(op)));
        }
        // What a row makes for a contact that was there is a note or task.
        if op.step == 0 && op.contact.is_none() && op.made.is_some() {
            known.made.clone_from(&op.made);
        }
        if op.state == OpState::Differs {
            self.differing.entry(op.row).or_default().extend(op_difference_warnings(op));
        }
    }

    pub(crate) fn row_outcome(&self, row: u64) -> RowOutcome {
        self.rows.get(&row).map_or(RowOutcome::Nothing, |known| known.fate)
    }

    pub(crate) fn row_error(&self, row: u64) -> Option<&RowError> {
        self.rows.get(&row)?.why.as_deref()
    }

    /// The contact that was made for a row.
    pub(crate) fn created_contact(&self, row: u64) -> Option<&str> {
        self.rows.get(&row)?.made.as_deref()
    }

    /// What the account does not hold as it was sent, by row.
    pub(crate) fn difference_warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.differing.values().flatten()
    }
}

/// What counts when a row's ops ended differently.
fn outcome_rank(fate: RowOutcome) -> u8 {
    match fate {
        RowOutcome::Nothing => 0,
        RowOutcome::Succeeded => 1,
        RowOutcome::Pending => 2,
        RowOutcome::Rejected => 3,
        RowOutcome::InDoubt => 4,
    }
}

fn parse_reply(op: &OpRecord) -> Value {
    op.said.as_deref().and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default()
}

/// What an op that was applied with differences has to say.
fn op_difference_warnings(op: &OpRecord) -> Vec<Diagnostic> {
    let said = parse_reply(op);
    let noted = |field: &str, message: String| {
        Diagnostic::new(DiagnosticCode::W_ANSWER_DIFFERS, message).in_field(field).at_record(op.row)
    };
    let differences = said["differences"].as_array().into_iter().flatten().map(|it| {
        let field = it["field"].as_str().unwrap_or_default();
        noted(
            field,
            format!(
                "sent {}, and the account has {}",
                quote_value(&it["sent"]),
                quote_value(&it["got"])
            ),
        )
    });
    let message = said["message"].as_str().map(|message| noted("", message.to_owned()));
    differences.chain(message).collect()
}

/// Whether an op found that there was nothing to do any more.
pub(crate) fn did_nothing(op: &OpRecord) -> bool {
    op.state == OpState::Applied
        && op.said.as_ref().is_some_and(|said| said.contains("\"nothing\":"))
}

fn quote_value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

fn op_error(op: &OpRecord) -> RowError {
    let said = parse_reply(op);
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    let fallback = match op.state {
        OpState::Conflict => DiagnosticCode::R_CONFLICT,
        OpState::InDoubt => DiagnosticCode::R_IN_DOUBT,
        OpState::Skipped => SKIPPED,
        _ => DiagnosticCode::R_REFUSED,
    };
    let code = text("code");
    let reason = [text("message"), text("nothing")].concat();
    RowError {
        op: op.id,
        code: if code.is_empty() { fallback.spelling().to_owned() } else { code },
        field: text("field"),
        reason,
        sent: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(id: u64, state: OpState, said: &str) -> OpRecord {
        OpRecord {
            id,
            key: String::new(),
            row: 1,
            step: 1,
            lane: 1,
            class: "C".to_owned(),
            bulk: false,
            contact: None,
            body: String::new(),
            state,
            made: None,
            said: Some(said.to_owned()),
        }
    }

    #[test]
    fn a_row_in_doubt_names_its_op_in_doubt_whatever_else_was_refused() {
        let mut fates = RowOutcomes::default();
        for (id, state) in [
            (1, OpState::Skipped),
            (2, OpState::Refused),
            (3, OpState::InDoubt),
            (4, OpState::InDoubt),
            (5, OpState::Refused),
            (6, OpState::Pending),
        ] {
            fates.add_op(&op(id, state, "{}"));
        }
        assert_eq!(fates.row_outcome(1), RowOutcome::InDoubt);
        let why = fates.row_error(1).unwrap();
        assert_eq!((why.op, why.code.as_str()), (3, "R_IN_DOUBT"));
    }
}
