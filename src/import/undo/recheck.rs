//! A second look: whether what an undo is about to take back is still the import's.
//!
//! Between the plan and its application, or between two processes that apply it, somebody may edit a
//! contact, or hang something on one that is to be deleted. Then the write is not sent: a plan that was
//! only shown is refused, one that is under way leaves the record alone and names it.

use super::super::conflicts::{Edited, hold_back};
use super::super::{Error, Stage};
use super::{Taking, Undo, fetch_current, revert_row};
use crate::concurrency;
use crate::context::Context;
use crate::model::Change;
use crate::run::{LedgerReader, OpState, Rows, Run};

/// Looks at the account once more. At [`Stage::Planned`] an edited record refuses the plan; later it
/// keeps its writes from being sent.
pub(super) async fn run(
    context: &Context,
    run: &Run,
    undo: &Undo,
    stage: Stage,
) -> Result<(), Error> {
    let of = context.home.open(&undo.of)?;
    let db = run.db();
    let open = concurrency::blocking(move || {
        let counts = LedgerReader::open(&db)?.counts()?;
        let open = counts.get(&OpState::Pending).copied().unwrap_or(0) > 0;
        if open {
            Rows::open(&db)?.forget_live()?;
        }
        Ok::<_, Error>(open)
    });
    if !open.await? {
        return Ok(());
    }
    fetch_current::Look { context, run, of: &of, undo }.look().await?;
    let (db, taking) = (run.db(), Taking::of(context, run, &of, undo)?);
    let edited = concurrency::blocking(move || edited(&db, &taking)).await?;
    hold_back(run, &edited, stage, "edited since the undo was planned, and left alone").await
}

fn edited(db: &std::path::Path, taking: &Taking) -> Result<Vec<Edited>, Error> {
    let (rows, ledger) = (Rows::open(db)?, LedgerReader::open(db)?);
    let mut all = Vec::new();
    taking.each(&rows, |n, contact, undone| {
        if undone.conflicts.is_empty() {
            return Ok(());
        }
        let ops = ledger.ops_of_row(n)?;
        // What stands in the way of a contact that is being made anew may be that contact.
        if undone.anew && ops.iter().any(|op| op.state != OpState::Pending) {
            return Ok(());
        }
        for record in ops {
            let change = revert_row::op(&record)?.change;
            let wanted = undone.steps.iter().any(|taken| taken.step.change == change);
            // Tags can be added and removed whatever else became of the contact.
            let tags = matches!(change, Change::AddTags { .. } | Change::RemoveTags { .. });
            if record.state == OpState::Pending && !wanted && !tags {
                all.push(Edited {
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
