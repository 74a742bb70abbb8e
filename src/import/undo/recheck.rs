//! Checks again whether what an undo is about to revert is still as the import left it.
//!
//! Between the plan and its application, or between two processes that apply it, a contact may be edited, or
//! records may be attached to a contact that is to be deleted. Then the write is not sent: a plan that has not
//! been applied yet is refused; if it is already being applied, the record is left unchanged and listed.

use super::super::conflicts::{EditConflict, refuse_or_settle};
use super::super::{ImportError, ImportStage};
use super::{UndoContext, UndoRequest, fetch_current, revert_row};
use crate::concurrency;
use crate::context::EngineContext;
use crate::model::OpChange;
use crate::run::{ImportStore, LedgerReader, OpState, Run};

/// Reads the account again. At [`ImportStage::Planned`] an edited record makes the plan invalid; at a later
/// stage only the writes to that record are not sent.
pub(super) async fn recheck_records(
    context: &EngineContext,
    run: &Run,
    undo: &UndoRequest,
    stage: ImportStage,
) -> Result<(), ImportError> {
    let of = context.home.open_run(&undo.of)?;
    let db = run.db_path();
    let open = concurrency::run_blocking(move || {
        let counts = LedgerReader::open(&db)?.count_by_state()?;
        let open = counts.get(&OpState::Pending).copied().unwrap_or(0) > 0;
        if open {
            ImportStore::open(&db)?.forget_remote()?;
        }
        Ok::<_, ImportError>(open)
    });
    if !open.await? {
        return Ok(());
    }
    fetch_current::UndoRemoteFetcher { context, run, of: &of, undo }.fetch_all().await?;
    let (db, taking) = (run.db_path(), UndoContext::from_runs(context, run, &of, undo)?);
    let conflicts = concurrency::run_blocking(move || find_conflicts(&db, &taking)).await?;
    refuse_or_settle(run, &conflicts, stage, "edited since the undo was planned, so left unchanged")
        .await
}

fn find_conflicts(
    db: &std::path::Path,
    taking: &UndoContext,
) -> Result<Vec<EditConflict>, ImportError> {
    let (rows, ledger) = (ImportStore::open(db)?, LedgerReader::open(db)?);
    let mut all = Vec::new();
    taking.for_each_row(&rows, |n, contact, undone| {
        if undone.conflicts.is_empty() {
            return Ok(());
        }
        let ops = ledger.ops_of_row(n)?;
        // What conflicts with a contact that is being recreated may be that very contact.
        if undone.recreates && ops.iter().any(|op| op.state != OpState::Pending) {
            return Ok(());
        }
        for record in ops {
            let change = revert_row::decode_applied_op(&record)?.change;
            let wanted = undone.steps.iter().any(|taken| taken.step.change == change);
            // Tags can be added and removed whatever else happened to the contact.
            let tags = matches!(change, OpChange::AddTags { .. } | OpChange::RemoveTags { .. });
            if record.state == OpState::Pending && !wanted && !tags {
                all.push(EditConflict {
                    op: record.id,
                    row: n,
                    contact: contact.unwrap_or_default().to_owned(),
                    fields: undone.conflicts.join(", "),
                });
            }
        }
        Ok(())
    })?;
    Ok(all)
}
