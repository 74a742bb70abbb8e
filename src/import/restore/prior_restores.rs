//! What earlier restores of the same snapshots have made, so that nothing is made twice.

use std::collections::HashMap;

use super::request::RestoreRequest;
use crate::id::RunId;
use crate::import::ImportError;
use crate::model::{OpChange, op_codec};
use crate::plan::diff::former_id;
use crate::run::{self, LedgerReader, OpState, RunKind, RunMetadata, RunStore};

/// A kind of record with ids of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MadeKind {
    Contact,
    Note,
    Task,
}

/// What an earlier restore has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeRecord {
    /// The id of the new record.
    pub(super) id: String,
    /// The run that made it.
    pub(super) run: RunId,
    key: String,
}

/// What earlier restores have made, by the former ids.
#[derive(Debug, Default)]
pub(super) struct PriorRestores {
    made: HashMap<(MadeKind, String), MadeRecord>,
}

impl PriorRestores {
    /// Reads the ledgers of earlier restores of the same location into the same target, and of the undos that took
    /// parts of them back.
    ///
    /// # Errors
    /// When the outcome of some of their requests is not known yet.
    pub(super) fn load_ledgers(
        home: &RunStore,
        own: &RunMetadata,
        request: &RestoreRequest,
    ) -> Result<Self, ImportError> {
        let mut prior = Self::default();
        let mut runs = home.list_receipts()?;
        runs.retain(|run| run.meta.location == own.location && run.meta.run != own.run);
        runs.sort_by_key(|run| run.meta.created);
        for receipt in runs {
            match receipt.meta.kind {
                RunKind::Undo => prior.subtract_undo(&run::reverted_op_keys(&receipt.db)?),
                RunKind::Restore if is_same_source(&receipt.meta, request) => {
                    prior.add_ledger(&receipt.meta.run, &LedgerReader::open(&receipt.db)?)?;
                }
                _ => {}
            }
        }
        Ok(prior)
    }

    fn add_ledger(&mut self, run: &RunId, ledger: &LedgerReader) -> Result<(), ImportError> {
        let mut unsettled = 0;
        ledger.for_each_op(|record| {
            let is_open = matches!(record.state, OpState::Sent | OpState::InDoubt);
            let is_done = matches!(record.state, OpState::Applied | OpState::Differs);
            if !is_open && !is_done {
                return Ok::<(), run::RunError>(());
            }
            let op = op_codec::decode_op(&record)?;
            let kind = match op.change {
                OpChange::Create { .. } | OpChange::Upsert { .. } => MadeKind::Contact,
                OpChange::CreateNote { .. } => MadeKind::Note,
                OpChange::CreateTask { .. } => MadeKind::Task,
                _ => return Ok(()),
            };
            unsettled += u64::from(is_open);
            if let (Some(former), Some(id)) = (former_id(&op.before), record.made) {
                let made = MadeRecord { id, run: run.clone(), key: record.key };
                self.made.insert((kind, former.to_owned()), made);
            }
            Ok(())
        })?;
        if unsettled > 0 {
            return Err(ImportError::Unsettled { run: run.clone(), ops: unsettled });
        }
        Ok(())
    }

    fn subtract_undo(&mut self, keys: &[String]) {
        self.made.retain(|_, made| !keys.contains(&made.key));
    }

    /// What was made of a record of the snapshot last.
    pub(super) fn find_made(&self, kind: MadeKind, former: &str) -> Option<&MadeRecord> {
        self.made.get(&(kind, former.to_owned()))
    }
}

fn is_same_source(meta: &RunMetadata, request: &RestoreRequest) -> bool {
    serde_json::from_value::<RestoreRequest>(meta.options.clone()).is_ok_and(|other| {
        other.repository_id == request.repository_id
            && other.source == request.source
            && other.anonymise == request.anonymise
    })
}
