//! Edited records: writes that must not be sent any more, since somebody has changed what they are about.
//!
//! A plan that was only shown is refused as a whole; of one that is under way the record is left alone and
//! its row becomes a conflict.

use super::results::resolve::settle_ops;
use super::{ImportError, ImportStage};
use crate::diagnostic::DiagnosticCode;
use crate::model::OpDetails;
use crate::run::{AttemptOutcome, OpState, Run, SettledBy};

/// Rows named in an error.
const NAMED: usize = 10;

/// A write that is still to be sent and must not be.
pub(super) struct EditConflict {
    pub(super) op: u64,
    pub(super) row: u64,
    pub(super) contact: String,
    /// What has changed, for people.
    pub(super) fields: String,
}

/// Keeps these writes from being sent. `message` says what became of their records, at a later stage.
///
/// # Errors
/// [`ImportError::Stale`] at [`ImportStage::Planned`].
pub(super) async fn refuse_or_settle(
    run: &Run,
    edited: &[EditConflict],
    stage: ImportStage,
    message: &str,
) -> Result<(), ImportError> {
    match stage {
        _ if edited.is_empty() => Ok(()),
        ImportStage::Planned => Err(stale_error(edited)),
        _ => {
            settle_ops(
                run,
                edited.iter().map(|it| (it.op, conflict_outcome(it, message))).collect(),
            )
            .await
        }
    }
}

fn stale_error(edited: &[EditConflict]) -> ImportError {
    let line =
        |it: &EditConflict| format!("record {}: contact {}: {}", it.row, it.contact, it.fields);
    let mut which: Vec<String> = edited.iter().map(line).collect();
    which.dedup();
    let more = which.len().saturating_sub(NAMED);
    which.truncate(NAMED);
    if more > 0 {
        which.push(format!("and {more} more"));
    }
    ImportError::Stale { what: "the account".to_owned(), which }
}

fn conflict_outcome(edited: &EditConflict, message: &str) -> AttemptOutcome {
    let details = OpDetails::Failed {
        code: DiagnosticCode::R_CONFLICT,
        field: Some(edited.fields.clone()),
        message: message.to_owned(),
        contact: None,
    };
    AttemptOutcome {
        state: OpState::Conflict,
        settled_by: SettledBy::LookUp,
        status: None,
        trace_id: None,
        made: None,
        details: Some(details.encode()),
    }
}
