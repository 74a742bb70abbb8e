//! Stores the rows of an undo as decisions and numbered ops.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::created_fields::{CreatedField, UsedFields};
use super::revert_row::RowRevert;
use super::{UndoContext, UndoRequest};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::planning::location_ops::push_location_op;
use crate::import::planning::op_buffer::OpBuffer;
use crate::import::planning::ordering_groups::OrderingGroups;
use crate::import::planning::summary::{DeletionSummary, PlanSummary};
use crate::import::planning::validate_rows::{rejection_decision, to_json};
use crate::import::results::source_sheet::SourceSheet;
use crate::import::stored_contact::describe_contact;
use crate::import::{ImportError, TAG_BATCH, results, run_files};
use crate::model::{IdempotencyClass, Op, OpChange, op_codec};
use crate::run::{ImportStore, RowAction, RowDecision, RowMark};

/// Decides on every row, and stores the writes.
pub(super) fn decide_rows(
    db: &Path,
    taking: &UndoContext,
    out: &Path,
    columns: &[String],
    fields: Vec<CreatedField>,
) -> Result<PlanSummary, ImportError> {
    let rows = ImportStore::open(db)?;
    let dir = db.parent().unwrap_or(Path::new("."));
    let (mut groups, mut buffer) = (OrderingGroups::default(), OpBuffer::new(dir)?);
    let mut used = UsedFields::default();
    rows.in_transaction(|rows| {
        taking.for_each_row(rows, |n, contact, undone| {
            used.add_row(&fields, rows, contact, &undone)?;
            store_decision(rows, taking, n, contact, &undone)?;
            let (email, phone) = (undone.email.as_deref(), undone.phone.as_deref());
            groups.add_row(n, [("id", contact), ("email", email), ("phone", phone)]);
            let known = contact.and_then(|id| id.parse().ok());
            let contact = if undone.recreates { undone.made.clone() } else { known };
            for (step, taken) in undone.steps.into_iter().enumerate() {
                let op = Op {
                    id: 0,
                    key: taken.key.unwrap_or_else(|| op_key(&taking.undo, n, step)),
                    like: None,
                    row: n,
                    step: u32::try_from(step).unwrap_or(u32::MAX),
                    serial_group: 0,
                    class: taken.step.class,
                    contact: contact.clone(),
                    after: Vec::new(),
                    change: taken.step.change,
                    before: taken.step.before,
                };
                let record = op_codec::encode_op(&op, buffer.next_id());
                for key in &taken.undoes {
                    rows.add_row_value(RowMark::RevertedOp, key, record.id)?;
                }
                buffer.push(&record)?;
            }
            Ok(())
        })
    })?;
    let unused = used.select_unused(fields, &rows)?;
    for (step, field) in unused.iter().enumerate() {
        let CreatedField { id, name } = field.clone();
        let (key, class) = (op_key(&taking.undo, 0, step), IdempotencyClass::Replayable);
        push_location_op(&mut buffer, key, class, OpChange::DeleteField { id, name })?;
    }
    for (before, n) in taking.rows_written_before()? {
        groups.join_rows(before, n);
    }
    let mut summary =
        PlanSummary::from_rows_and_ops(&rows, buffer.read_ops()?, Vec::new(), TAG_BATCH)?;
    summary.removal = DeletionSummary::from_undo_ops(buffer.read_ops()?)?;
    summary.unused_fields = unused.into_iter().map(|field| field.name).collect();
    buffer.store_in_ledger(db, &mut groups)?;
    run_files::create_dir_all(out)?;
    let sheet = SourceSheet { columns: columns.to_vec(), is_workbook: false };
    results::write_plan_files(&rows, out, &sheet, &summary.field_rows())?;
    Ok(summary)
}

/// The stable name of a write: the same in every undo of an import.
pub(super) fn op_key(undo: &UndoRequest, row: u64, step: usize) -> String {
    let hash = Sha256::digest(format!("undo {} {row} {step}", undo.of).as_bytes());
    crate::text::encode_hex(&hash[..16])
}

fn store_decision(
    rows: &ImportStore,
    taking: &UndoContext,
    n: u64,
    contact: Option<&str>,
    undone: &RowRevert,
) -> Result<(), ImportError> {
    for it in &undone.warnings {
        rows.insert_warning(n, it)?;
    }
    if let Some(rejection) = &undone.refused {
        let contact = contact.map(str::to_owned);
        let rejected = rejection_decision(vec![rejection.clone()]);
        return Ok(rows.put_decision(n, &RowDecision { contact, ..rejected })?);
    }
    if !undone.conflicts.is_empty() {
        let fields = undone.conflicts.join(", ");
        let message = if undone.grown {
            "the contact has changed since the import, so it is not deleted"
        } else {
            "edited since the import, so left unchanged"
        };
        let message = message.to_owned();
        if undone.steps.is_empty() {
            let who = contact.and_then(|id| id.parse().ok());
            let message = match (who, &taking.directory) {
                (Some(id), Some(directory)) => {
                    let who = describe_contact(rows, &directory.location, &id)?;
                    format!("{message}: {who}")
                }
                _ => message,
            };
            let rejection = Diagnostic::new(DiagnosticCode::R_CONFLICT, message).in_field(fields);
            let contact = contact.map(str::to_owned);
            let rejected = rejection_decision(vec![rejection]);
            return Ok(rows.put_decision(n, &RowDecision { contact, ..rejected })?);
        }
        let edited = Diagnostic::new(DiagnosticCode::W_EDITED_SINCE, message).in_field(fields);
        rows.insert_warning(n, &edited)?;
    }
    let decision = RowDecision {
        action: if undone.steps.is_empty() { RowAction::Unchanged } else { undone.action },
        contact: contact.map(str::to_owned),
        changes: (!undone.changes.is_empty()).then(|| to_json(&undone.changes)),
        reason: undone.reason.filter(|_| undone.steps.is_empty()).map(str::to_owned),
        ..RowDecision::default()
    };
    Ok(rows.put_decision(n, &decision)?)
}
