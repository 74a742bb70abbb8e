//! The rows of an undo as decisions and numbered ops, in its store.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::revert_row::Undone;
use super::{Taking, Undo};
use crate::import::planning::op_buffer::{Spill, record};
use crate::import::planning::ordering::Lanes;
use crate::import::planning::summary::Summary;
use crate::import::planning::validate_rows::{json, kind, rejected};
use crate::import::{Error, TAG_BATCH, results, run_files};
use crate::model::Op;
use crate::plan::validate::Rejection;
use crate::run::{Decision, Noted, Rows};

/// Says what becomes of every row, and stores the writes.
pub(super) fn decide(
    db: &Path,
    taking: &Taking,
    out: &Path,
    columns: &[String],
) -> Result<Summary, Error> {
    let rows = Rows::open(db)?;
    let dir = db.parent().unwrap_or(Path::new("."));
    let (mut lanes, mut spill) = (Lanes::default(), Spill::new(dir)?);
    rows.together(|rows| {
        taking.each(rows, |n, contact, undone| {
            keep(rows, n, contact, &undone)?;
            let (email, phone) = (undone.email.as_deref(), undone.phone.as_deref());
            lanes.join(n, [("id", contact), ("email", email), ("phone", phone)]);
            let known = contact.and_then(|id| id.parse().ok());
            let contact = if undone.anew { undone.made.clone() } else { known };
            for (step, taken) in undone.steps.into_iter().enumerate() {
                let op = Op {
                    id: 0,
                    key: taken.key.unwrap_or_else(|| key(&taking.undo, n, step)),
                    like: None,
                    row: n,
                    step: u32::try_from(step).unwrap_or(u32::MAX),
                    lane: 0,
                    class: taken.step.class,
                    contact: contact.clone(),
                    change: taken.step.change,
                    before: taken.step.before,
                };
                let record = record(&op, spill.next());
                for key in &taken.undoes {
                    rows.name(kind::UNDONE, key, record.id)?;
                }
                spill.push(&record)?;
            }
            Ok(())
        })
    })?;
    let summary = Summary::count(&rows, spill.ops()?, Vec::new(), TAG_BATCH)?;
    spill.store(db, &mut lanes)?;
    run_files::make(out)?;
    results::write_plan(&rows, out, columns)?;
    Ok(summary)
}

/// The stable name of a write: the same in every undo of an import.
pub(super) fn key(undo: &Undo, row: u64, step: usize) -> String {
    let hash = Sha256::digest(format!("undo {} {row} {step}", undo.of).as_bytes());
    run_files::hexadecimal(&hash[..16])
}

fn keep(rows: &Rows, n: u64, contact: Option<&str>, undone: &Undone) -> Result<(), Error> {
    for it in &undone.warnings {
        let (code, field, message) = (it.code.to_owned(), it.field.clone(), it.message.clone());
        rows.warn(&Noted { n, code, field, message })?;
    }
    if let Some(rejection) = &undone.refused {
        let contact = contact.map(str::to_owned);
        return Ok(rows.decide(n, &Decision { contact, ..rejected(rejection) })?);
    }
    if !undone.conflicts.is_empty() {
        let fields = undone.conflicts.join(", ");
        let message = if undone.grown {
            "the contact has changed since the import, and is not deleted"
        } else {
            "edited since the import, and left alone"
        };
        let message = message.to_owned();
        if undone.steps.is_empty() {
            let rejection = Rejection { code: "R_CONFLICT", field: fields, column: None, message };
            let contact = contact.map(str::to_owned);
            return Ok(rows.decide(n, &Decision { contact, ..rejected(&rejection) })?);
        }
        rows.warn(&Noted { n, code: "W_EDITED_SINCE".to_owned(), field: fields, message })?;
    }
    let decision = Decision {
        action: if undone.steps.is_empty() { "unchanged" } else { undone.action }.to_owned(),
        contact: contact.map(str::to_owned),
        changes: (!undone.changes.is_empty()).then(|| json(&undone.changes)),
        reason: undone.reason.filter(|_| undone.steps.is_empty()).map(str::to_owned),
        ..Decision::default()
    };
    Ok(rows.decide(n, &decision)?)
}
