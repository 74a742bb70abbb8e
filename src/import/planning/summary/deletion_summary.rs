//! What a plan deletes, with counts: the user must confirm the number before the plan is applied.

use serde::{Deserialize, Serialize};

use crate::import::ImportError;
use crate::model::{OpChange, op_codec};
use crate::plan::{BeforeImage, DeletedRecordKind};
use crate::run::OpRecord;

/// What a plan deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionSummary {
    /// The kind of records.
    pub what: DeletedRecordKind,
    /// How many of them.
    pub count: u64,
    /// Notes that are deleted with their contacts.
    pub notes: u64,
    /// Tasks that are deleted with their contacts.
    pub tasks: u64,
    /// Opportunities of the contacts, as far as known. No undo restores them.
    pub opportunities: u64,
    /// Whether an undo deletes the contacts, which the import created.
    #[serde(default)]
    pub by_undo: bool,
}

impl DeletionSummary {
    /// Counts what ops delete.
    pub(in crate::import) fn from_ops(
        what: DeletedRecordKind,
        ops: impl Iterator<Item = Result<OpRecord, ImportError>>,
    ) -> Result<Self, ImportError> {
        let mut removal =
            Self { what, count: 0, notes: 0, tasks: 0, opportunities: 0, by_undo: false };
        for op in ops {
            let op = op_codec::decode_op(&op?)?;
            removal.count += 1;
            if let Some(image) = BeforeImage::from_op_before(&op.before) {
                removal.notes += image.notes.len() as u64;
                removal.tasks += image.tasks.len() as u64;
                removal.opportunities += image.opportunities as u64;
            }
        }
        Ok(removal)
    }

    /// Counts the contacts that the ops of an undo delete; `None` if they delete none. Notes and tasks, which
    /// the import created and which are unedited, are not counted: the import's file still has them.
    pub(in crate::import) fn from_undo_ops(
        ops: impl Iterator<Item = Result<OpRecord, ImportError>>,
    ) -> Result<Option<Self>, ImportError> {
        let mut count = 0;
        for op in ops {
            count += u64::from(op_codec::decode_op(&op?)?.change == OpChange::Delete);
        }
        let what = DeletedRecordKind::Contacts;
        let found = Self { what, count, notes: 0, tasks: 0, opportunities: 0, by_undo: true };
        Ok((count > 0).then_some(found))
    }
}
