//! Waits for writes of earlier runs: one that got no answer may still be applied, and would revert what comes after it.

use super::ImportError;
use crate::concurrency;
use crate::context::EngineContext;
use crate::id::{LocationId, RunId};
use crate::push::PushError;
use crate::reconcile;
use crate::run::{self, RunError, RunStore};

/// Waits until no write of an earlier run of the location can be applied any more.
///
/// # Errors
/// When the runs cannot be listed, or the command is cancelled meanwhile.
pub(super) async fn wait_for_earlier_runs(
    context: &EngineContext,
    location: &LocationId,
    own: &RunId,
) -> Result<(), ImportError> {
    let since_ms = reconcile::oldest_late_write(context.settle);
    let (home, location, own) = (context.home.clone(), location.clone(), own.clone());
    let find = move || last_unanswered_send(&home, &location, &own, since_ms);
    let Some(last) = concurrency::run_blocking(find).await? else { return Ok(()) };
    let (stop, observer) = (&context.stop, &context.observer);
    reconcile::wait_for_late_writes(last, context.settle, stop, observer)
        .await
        .map_err(|error| PushError::from(error).into())
}

/// When an earlier run last sent a write that got no answer. A run that cannot be read says nothing.
fn last_unanswered_send(
    home: &RunStore,
    location: &LocationId,
    own: &RunId,
    since_ms: i64,
) -> Result<Option<i64>, RunError> {
    let mut runs = home.receipts_written_since(since_ms)?;
    runs.retain(|run| {
        let writes = run.meta.kind.writes();
        writes && run.meta.location == *location && run.meta.run != *own
    });
    let sends = runs.iter().map(|run| run::last_unanswered_send(&run.db, since_ms).ok().flatten());
    Ok(sends.max().flatten())
}
