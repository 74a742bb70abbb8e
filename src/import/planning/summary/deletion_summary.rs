//! What a plan deletes, counted: the number that whoever applies it must know.

use serde::{Deserialize, Serialize};

use crate::import::ImportError;
use crate::model::op_codec;
use crate::plan::{BeforeImage, DeletedRecordKind};
use crate::run::OpRecord;

/// What a plan deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionSummary {
    /// What it is.
    pub what: DeletedRecordKind,
    /// How many of it.
    pub count: u64,
    /// Notes that go with contacts.
    pub notes: u64,
    /// Tasks that go with contacts.
    pub tasks: u64,
    /// Opportunities of the contacts, as far as they are known. No undo brings them back.
    pub opportunities: u64,
}

impl DeletionSummary {
    /// Counts what ops delete.
    pub(in crate::import) fn from_ops(
        what: DeletedRecordKind,
        ops: impl Iterator<Item = Result<OpRecord, ImportError>>,
    ) -> Result<Self, ImportError> {
        let mut removal = Self { what, count: 0, notes: 0, tasks: 0, opportunities: 0 };
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
}
