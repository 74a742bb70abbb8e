//! Edit conflicts: writes that must not be sent any more, because their target has changed in the meantime.
//!
//! A plan that has not been applied yet is refused as a whole. If the run is already being applied, the record
//! is left unchanged and its row becomes a conflict.

use super::error::NAMED_ROWS;
use super::results::resolve::settle_ops;
use super::stored_contact::describe_contact;
use super::{ImportError, ImportStage};
use crate::concurrency;
use crate::diagnostic::DiagnosticCode;
use crate::model::OpDetails;
use crate::run::{AttemptOutcome, ImportStore, OpState, Run, SettledBy};

/// A pending write that must not be sent.
pub(super) struct EditConflict {
    pub(super) op: u64,
    pub(super) row: u64,
    pub(super) contact: String,
    /// What has changed, as text for the user.
    pub(super) fields: String,
}

/// Prevents these writes from being sent. At a later stage, `message` says what happened to their records.
///
/// # Errors
/// [`ImportError::Stale`] at [`ImportStage::Planned`].
pub(super) async fn refuse_or_settle(
    run: &Run,
    conflicts: &[EditConflict],
    stage: ImportStage,
    message: &str,
) -> Result<(), ImportError> {
    match stage {
        _ if conflicts.is_empty() => Ok(()),
        ImportStage::Planned => Err(stale_error(run, conflicts).await?),
        _ => {
            settle_ops(
                run,
                conflicts.iter().map(|it| (it.op, conflict_outcome(it, message))).collect(),
            )
            .await
        }
    }
}

/// The refusal of a plan. It names the contacts as people know them.
async fn stale_error(run: &Run, conflicts: &[EditConflict]) -> Result<ImportError, ImportError> {
    let mut which: Vec<_> =
        conflicts.iter().map(|it| (it.row, it.contact.clone(), it.fields.clone())).collect();
    which.dedup();
    let count = which.len();
    which.truncate(NAMED_ROWS);
    let (db, location) = (run.db_path(), run.meta.location.clone());
    let describe = move || {
        let rows = ImportStore::open(&db)?;
        let line = |(row, contact, fields): (u64, String, String)| {
            let who = match contact.parse() {
                Ok(id) => describe_contact(&rows, &location, &id)?,
                Err(_) => contact,
            };
            Ok(format!("record {row}: {who}: {fields}"))
        };
        which.into_iter().map(line).collect::<Result<Vec<_>, ImportError>>()
    };
    Ok(ImportError::changed_account(concurrency::run_blocking(describe).await?, count))
}

fn conflict_outcome(conflict: &EditConflict, message: &str) -> AttemptOutcome {
    let details = OpDetails::Failed {
        code: DiagnosticCode::R_CONFLICT,
        field: Some(conflict.fields.clone()),
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
