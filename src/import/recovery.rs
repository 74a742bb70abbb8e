//! Recovers an import or undo whose ledger has lost what was sent, or of which another copy may have sent something.

use super::{ImportError, ImportStage, current_stage};
use crate::model::{IdempotencyClass, OpChange, op_codec};
use crate::run::{self, LedgerRecovery, OpRecord, Run, RunError};

/// Makes sure that every write that may have been sent is looked up before the run sends anything. `adopt` makes a
/// copied, moved or restored run belong to the place where it is now: whatever the original may have sent counts as
/// sent. Blocks.
///
/// # Errors
/// [`RunError::Elsewhere`] for a copy that is not adopted, and when the run is damaged in another way.
pub fn recover_run(run: &Run, adopt: bool) -> Result<LedgerRecovery, ImportError> {
    let is_copy = match run.ensure_own_place() {
        Err(RunError::Elsewhere { .. }) if adopt => true,
        place => place.map(|()| false)?,
    };
    let mut recovery = LedgerRecovery::default();
    if current_stage(run)? != ImportStage::Planning {
        let (path, created_ms) = (run.db_path(), run.meta.created.as_millisecond());
        recovery = run::recover_ledger(&path, created_ms, is_copy, is_harmful_twice)?;
    }
    if is_copy {
        run.adopt()?;
    }
    Ok(recovery)
}

/// Whether an op must not be sent a second time unseen. Deletions are checked against the account before they are sent
/// in any case, and what is replay-safe can be sent again; but an update would overwrite what was edited since.
fn is_harmful_twice(record: &OpRecord) -> Result<bool, ImportError> {
    let op = op_codec::decode_op(record)?;
    let is_replayable = op.class == IdempotencyClass::Replayable;
    Ok(matches!(op.change, OpChange::Update { .. }) || !is_replayable)
}
