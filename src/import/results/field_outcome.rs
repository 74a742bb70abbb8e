//! What became of the custom fields that a run creates or deletes.

use serde::Serialize;
use serde_json::Value;

use crate::import::ImportError;
use crate::model::{OpChange, OpDetails, op_codec};
use crate::run::{LedgerReader, OpState};

/// What became of a custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldOutcome {
    /// The name.
    pub name: String,
    /// The id, once it is known.
    pub id: Option<String>,
    /// What became of it.
    pub outcome: FieldOutcomeKind,
    /// Why, if it was left or existed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What can become of a custom field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldOutcomeKind {
    /// The run created it.
    Created,
    /// Another client had created it in the meantime.
    Existing,
    /// The run deleted it, or it was gone.
    Deleted,
    /// It was not deleted.
    Left,
    /// The run did not get to it.
    Pending,
}

/// Reads the ops that concern the location.
pub(crate) fn load_field_outcomes(ledger: &LedgerReader) -> Result<Vec<FieldOutcome>, ImportError> {
    let mut outcomes = Vec::new();
    for record in ledger.ops_of_row(0)? {
        let is_applied = matches!(record.state, OpState::Applied | OpState::Differs);
        let is_open = matches!(record.state, OpState::Pending | OpState::Sent);
        let reason = match op_codec::decode_details(&record)? {
            Some(OpDetails::NothingToDo { message } | OpDetails::Failed { message, .. }) => {
                Some(message)
            }
            _ => None,
        };
        let (name, id, outcome) = match op_codec::decode_op(&record)?.change {
            OpChange::CreateField { body } => {
                let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
                let outcome = match reason {
                    _ if !is_applied => FieldOutcomeKind::Pending,
                    Some(_) => FieldOutcomeKind::Existing,
                    None => FieldOutcomeKind::Created,
                };
                (name.to_owned(), record.made, outcome)
            }
            OpChange::DeleteField { id, name } => {
                let outcome = match reason {
                    _ if is_open => FieldOutcomeKind::Pending,
                    Some(_) => FieldOutcomeKind::Left,
                    None => FieldOutcomeKind::Deleted,
                };
                (name, Some(id), outcome)
            }
            _ => continue,
        };
        outcomes.push(FieldOutcome { name, id, outcome, reason });
    }
    Ok(outcomes)
}
