//! What earlier undos of the same import have recreated, so that nothing is created twice.

use std::collections::HashMap;

use super::UndoRequest;
use crate::id::{ContactId, RunId};
use crate::import::ImportError;
use crate::model::op_codec;
use crate::run::{LedgerReader, OpRecord, OpState, RunKind, RunMetadata, RunStore};

/// What earlier undos of an import have recreated, by the keys of their ops.
#[derive(Debug, Default)]
pub(super) struct PriorUndos {
    made: HashMap<String, Option<String>>,
}

impl PriorUndos {
    /// Reads the ledgers of the other undos of an import.
    ///
    /// # Errors
    /// When the outcome of some of their requests is not known yet.
    pub(super) fn load_ledgers(
        home: &RunStore,
        of: &RunMetadata,
        own: &RunId,
    ) -> Result<Self, ImportError> {
        let mut done = Self::default();
        for run in home.list_runs()? {
            // Listing the runs reports a damaged run.
            let Ok((meta, _)) = &run.known else { continue };
            let undo = serde_json::from_value::<UndoRequest>(meta.options.clone());
            let same = meta.kind == RunKind::Undo && undo.is_ok_and(|undo| undo.of == of.run);
            if same && meta.run != *own {
                run.check_contents()?;
                done.add_ledger(&meta.run, &LedgerReader::open(&run.dir.join("run.db"))?)?;
            }
        }
        Ok(done)
    }

    fn add_ledger(&mut self, run: &RunId, ledger: &LedgerReader) -> Result<(), ImportError> {
        let mut unsettled = 0;
        ledger.for_each_op(|op| {
            match op.state {
                OpState::Sent | OpState::InDoubt => unsettled += 1,
                OpState::Applied | OpState::Differs if !op_codec::found_nothing_to_do(&op)? => {
                    let OpRecord { key, made, .. } = op;
                    self.made.insert(key, made);
                }
                _ => {}
            }
            Ok(())
        })?;
        if unsettled > 0 {
            return Err(ImportError::Unsettled { run: run.clone(), ops: unsettled });
        }
        Ok(())
    }

    pub(super) fn has_op(&self, key: &str) -> bool {
        self.made.contains_key(key)
    }

    pub(super) fn recreated_contact(&self, key: &str) -> Option<ContactId> {
        self.made.get(key)?.as_deref()?.parse().ok()
    }
}
