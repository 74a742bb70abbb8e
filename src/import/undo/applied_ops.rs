//! Reads from an import's ledger what it has done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::ImportError;
use super::{CreatedContactRule, revert_row};
use crate::model::remote::RemoteContact;
use crate::model::{Field, OpChange, op_codec};
use crate::plan::BeforeImage;
use crate::run::{IdentityKind, ImportStore, LedgerReader, OpRecord, OpState, RowMark, StoredRow};

/// Rows read per batch.
const LOT: usize = 1_000;

/// The rows for which an import applied something.
pub(super) struct AppliedOps {
    rows: ImportStore,
    ledger: LedgerReader,
}

impl AppliedOps {
    /// Opens an import's database.
    pub(super) fn open(db: &Path) -> Result<Self, ImportError> {
        Ok(Self { rows: ImportStore::open(db)?, ledger: LedgerReader::open(db)? })
    }

    /// The applied ops of a row, in order.
    pub(super) fn ops_of_row(&self, n: u64) -> Result<Vec<OpRecord>, ImportError> {
        let mut ops = self.ledger.ops_of_row(n)?;
        ops.retain(|op| matches!(op.state, OpState::Applied | OpState::Differs));
        let mut applied = Vec::with_capacity(ops.len());
        for op in ops {
            if !op_codec::found_nothing_to_do(&op)? {
                applied.push(op);
            }
        }
        Ok(applied)
    }

    /// The pairs of rows of which the import wrote the first before the second.
    pub(super) fn rows_written_before(&self) -> Result<Vec<(u64, u64)>, ImportError> {
        Ok(self.rows.rows_written_before()?)
    }

    /// Returns each row with its applied ops, in order. Rows that had to be written one after the other come last, and
    /// in the opposite order: what the later one took must be given back first.
    pub(super) fn for_each_row(
        &self,
        mut take: impl FnMut(&StoredRow, Vec<OpRecord>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let pairs = self.rows_written_before()?.into_iter();
        let ordered: BTreeSet<u64> = pairs.flat_map(|(before, n)| [before, n]).collect();
        let (mut after, mut last_rows) = (0, BTreeMap::new());
        loop {
            let lot = self.rows.rows_after(after, LOT)?;
            let Some(last) = lot.last() else { break };
            after = last.n;
            for row in &lot {
                let ops = self.ops_of_row(row.n)?;
                let Some(first) = ops.first() else { continue };
                if ordered.contains(&row.n) {
                    last_rows.insert(first.id, row.n);
                } else {
                    take(row, ops)?;
                }
            }
        }
        for n in last_rows.into_values().rev() {
            if let Some(row) = self.rows.find_row(n)? {
                take(&row, self.ops_of_row(n)?)?;
            }
        }
        Ok(())
    }
}

/// When the import sent its last request, in milliseconds since 1970.
pub(super) fn last_sent_ms(db: &Path) -> Result<Option<i64>, ImportError> {
    Ok(LedgerReader::open(db)?.last_sent_at()?)
}

/// Copies the rows that did something into the undo's own store, and records what must be read.
pub(super) fn copy_applied_rows(
    db: &Path,
    of: &Path,
    created: CreatedContactRule,
) -> Result<(), ImportError> {
    let (rows, applied) = (ImportStore::open(db)?, AppliedOps::open(of)?);
    rows.clear()?;
    rows.in_transaction(|rows| {
        applied.for_each_row(|row, ops| {
            rows.insert_row(row)?;
            match row_contact_id(&ops) {
                Some(contact) => store_identities(rows, row.n, &contact, &ops, created),
                None => Ok(()),
            }
        })
    })
}

fn store_identities(
    rows: &ImportStore,
    n: u64,
    contact: &str,
    ops: &[OpRecord],
    created: CreatedContactRule,
) -> Result<(), ImportError> {
    rows.add_row_value(IdentityKind::ContactId, contact, n)?;
    if ops.iter().any(is_contact_creation) && created == CreatedContactRule::Delete {
        for kind in [RowMark::CreatedContact, RowMark::NotesOfContact, RowMark::TasksOfContact] {
            rows.add_row_value(kind, contact, n)?;
        }
    }
    for op in ops {
        let op = revert_row::decode_applied_op(op)?;
        if let Some(remote) =
            BeforeImage::from_op_before(&op.before).and_then(|image| image.remote_contact())
        {
            // Another contact may have the address or number by now.
            let email = remote.native_field(Field::Email).map(str::to_lowercase);
            let phone = remote.native_field(Field::Phone).map(str::to_owned);
            for (kind, value) in [(IdentityKind::Email, email), (IdentityKind::Phone, phone)] {
                value.map_or(Ok(()), |value| rows.add_row_value(kind, &value, n))?;
            }
        }
        match op.change {
            OpChange::CreateNote { .. } | OpChange::UpdateNote { .. } => {
                rows.add_row_value(RowMark::NotesOfContact, contact, n)?;
            }
            OpChange::CreateTask { .. }
            | OpChange::UpdateTask { .. }
            | OpChange::CompleteTask { .. } => {
                rows.add_row_value(RowMark::TasksOfContact, contact, n)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether an op created its row's contact.
fn is_contact_creation(op: &OpRecord) -> bool {
    op.step == 0 && op.contact.is_none() && op.made.is_some()
}

/// The contact that a row's ops refer to.
pub(super) fn row_contact_id(ops: &[OpRecord]) -> Option<String> {
    let made = ops.iter().find(|op| is_contact_creation(op)).and_then(|op| op.made.clone());
    made.or_else(|| ops.iter().find_map(|op| op.contact.as_ref().map(ToString::to_string)))
}

/// The current state of a contact, as far as it was read.
pub(super) fn load_remote_contact(
    rows: &ImportStore,
    contact: Option<&str>,
) -> Result<Option<RemoteContact>, ImportError> {
    let Some(contact) = contact else { return Ok(None) };
    let Some((body, _)) = rows.find_contact(contact)? else { return Ok(None) };
    serde_json::from_str(&body)
        .map(Some)
        .map_err(|error| ImportError::Bug(format!("a contact: {error}")))
}
