//! What an import has done, read from its ledger.

use std::path::Path;

use super::super::Error;
use super::super::planning::validate_rows::kind;
use super::super::results::row_outcome::did_nothing;
use super::{Created, revert_row};
use crate::model::remote::Live;
use crate::model::{Change, Field};
use crate::plan::Image;
use crate::run::{Judged, LedgerReader, OpRecord, OpState, Rows};

/// Rows read together.
const LOT: usize = 1_000;

/// The rows of which an import applied something.
pub(super) struct Applied {
    rows: Rows,
    ledger: LedgerReader,
}

impl Applied {
    /// Opens an import's database.
    pub(super) fn open(db: &Path) -> Result<Self, Error> {
        Ok(Self { rows: Rows::open(db)?, ledger: LedgerReader::open(db)? })
    }

    /// The ops of a row that were applied, in order.
    pub(super) fn of_row(&self, n: u64) -> Result<Vec<OpRecord>, Error> {
        let mut ops = self.ledger.ops_of_row(n)?;
        let done = |op: &OpRecord| matches!(op.state, OpState::Applied | OpState::Differs);
        ops.retain(|op| done(op) && !did_nothing(op));
        Ok(ops)
    }

    /// Gives each row with the ops of it that were applied, in order.
    pub(super) fn each(
        &self,
        mut take: impl FnMut(&Judged, Vec<OpRecord>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let lot = self.rows.rows(after, LOT)?;
            let Some(last) = lot.last() else { return Ok(()) };
            after = last.n;
            for row in &lot {
                let ops = self.of_row(row.n)?;
                if !ops.is_empty() {
                    take(row, ops)?;
                }
            }
        }
    }
}

/// When the import sent something for the last time, in milliseconds since 1970.
pub(super) fn last_sent(db: &Path) -> Result<Option<i64>, Error> {
    Ok(LedgerReader::open(db)?.last_sent()?)
}

/// Copies the rows that did something into the undo's own store, and names what must be looked at.
pub(super) fn copy(db: &Path, of: &Path, created: Created) -> Result<(), Error> {
    let (rows, applied) = (Rows::open(db)?, Applied::open(of)?);
    rows.clear()?;
    rows.together(|rows| {
        applied.each(|row, ops| {
            rows.add(row)?;
            match contact_of(&ops) {
                Some(contact) => name(rows, row.n, &contact, &ops, created),
                None => Ok(()),
            }
        })
    })
}

fn name(
    rows: &Rows,
    n: u64,
    contact: &str,
    ops: &[OpRecord],
    created: Created,
) -> Result<(), Error> {
    rows.name(kind::ID, contact, n)?;
    if ops.iter().any(makes) && created == Created::Delete {
        for kind in [kind::MADE, kind::NOTES, kind::TASKS] {
            rows.name(kind, contact, n)?;
        }
    }
    for op in ops {
        let op = revert_row::op(op)?;
        if let Some(live) = Image::read(&op.before).and_then(|image| image.live()) {
            // Somebody may have the address or number by now.
            let email = live.field(Field::Email).map(str::to_lowercase);
            let phone = live.field(Field::Phone).map(str::to_owned);
            for (kind, value) in [(kind::EMAIL, email), (kind::PHONE, phone)] {
                value.map_or(Ok(()), |value| rows.name(kind, &value, n))?;
            }
        }
        match op.change {
            Change::CreateNote { .. } | Change::UpdateNote { .. } => {
                rows.name(kind::NOTES, contact, n)?;
            }
            Change::CreateTask { .. } | Change::UpdateTask { .. } | Change::CompleteTask { .. } => {
                rows.name(kind::TASKS, contact, n)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether an op made its row's contact.
fn makes(op: &OpRecord) -> bool {
    op.step == 0 && op.contact.is_none() && op.made.is_some()
}

/// The contact that a row's ops are about.
pub(super) fn contact_of(ops: &[OpRecord]) -> Option<String> {
    let made = ops.iter().find(|op| makes(op)).and_then(|op| op.made.clone());
    made.or_else(|| ops.iter().find_map(|op| op.contact.clone()))
}

/// A contact as it stands, as far as it was read.
pub(super) fn live(rows: &Rows, contact: Option<&str>) -> Result<Option<Live>, Error> {
    let Some(contact) = contact else { return Ok(None) };
    let Some((body, _)) = rows.kept(contact)? else { return Ok(None) };
    serde_json::from_str(&body).map(Some).map_err(|error| Error::Bug(format!("a contact: {error}")))
}
