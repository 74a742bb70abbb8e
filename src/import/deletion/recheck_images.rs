//! Checks again what is about to be deleted.

use serde_json::Value;

use super::LOT;
use super::before_image::{BeforeImageReader, ImageReadResult};
use crate::concurrency;
use crate::context::EngineContext;
use crate::id::ContactId;
use crate::import::conflicts::{EditConflict, refuse_or_settle};
use crate::import::{ImportError, ImportStage};
use crate::model::{Op, OpChange, op_codec};
use crate::plan::deletion::{is_note_unchanged, is_task_unchanged};
use crate::plan::{BeforeImage, DeletedRecordKind};
use crate::run::{LedgerReader, OpRecord, Run, RunError};

/// Reads again what is still to be deleted. At [`ImportStage::Planned`] a record that has changed makes the
/// plan invalid; at a later stage that record is not deleted.
///
/// # Errors
/// [`ImportError::Stale`], and any error that prevents the records from being read.
pub(in crate::import) async fn recheck_records(
    context: &EngineContext,
    run: &Run,
    what: DeletedRecordKind,
    stage: ImportStage,
) -> Result<(), ImportError> {
    let reader = BeforeImageReader::new(context, what);
    let (mut after, mut conflicts) = (0, Vec::new());
    loop {
        let db = run.db_path();
        let lot = concurrency::run_blocking(move || pending_ops(&LedgerReader::open(&db)?, after))
            .await?;
        let Some(last) = lot.last() else { break };
        after = last.id;
        let contacts = lot.iter().filter_map(|op| op.contact.as_ref());
        let mut contacts: Vec<String> = contacts.map(ToString::to_string).collect();
        contacts.sort_unstable();
        contacts.dedup();
        let now = reader.read_images(contacts).await?;
        for op in &lot {
            let own = op.contact.as_ref().map(ContactId::as_str);
            if let Some((_, read)) = now.iter().find(|(contact, _)| Some(&**contact) == own) {
                conflicts.extend(find_conflict(op, read, stage)?);
            }
        }
    }
    refuse_or_settle(run, &conflicts, stage, "changed since the plan was made, so not deleted")
        .await
}

fn pending_ops(ledger: &LedgerReader, after: u64) -> Result<Vec<OpRecord>, ImportError> {
    Ok(ledger.pending_ops(after, LOT)?)
}

fn find_conflict(
    record: &OpRecord,
    read: &ImageReadResult,
    stage: ImportStage,
) -> Result<Option<EditConflict>, RunError> {
    let fields = match read {
        // There is nothing left to delete; the response to the request will show that.
        ImageReadResult::Gone if stage != ImportStage::Planned => return Ok(None),
        ImageReadResult::Gone => "it no longer exists".to_owned(),
        ImageReadResult::Not(why) => format!("it can no longer be read: {why}"),
        ImageReadResult::Whole(now) => match describe_changes(&op_codec::decode_op(record)?, now) {
            None => return Ok(None),
            Some(changes) => changes,
        },
    };
    let contact = record.contact.as_ref().map(ToString::to_string).unwrap_or_default();
    Ok(Some(EditConflict { op: record.id, row: record.row, contact, fields }))
}

/// What has changed, if anything.
fn describe_changes(op: &Op, now: &BeforeImage) -> Option<String> {
    let before = &op.before;
    let child = |what, id: &str, same: fn(&Value, &Value) -> bool| {
        (!now.find_child(what, id).is_some_and(|now| same(before, now)))
            .then(|| singular_name(what))
    };
    match &op.change {
        OpChange::Delete => {
            let changes = BeforeImage::from_op_before(before).map(|then| then.changed_parts(now));
            changes.filter(|all| !all.is_empty()).map(|all| all.join(", "))
        }
        OpChange::DeleteNote { id } => child(DeletedRecordKind::Notes, id, is_note_unchanged),
        OpChange::DeleteTask { id } => child(DeletedRecordKind::Tasks, id, is_task_unchanged),
        _ => None,
    }
}

fn singular_name(what: DeletedRecordKind) -> String {
    what.singular_name().to_owned()
}
