//! What a finished plan consists of, so that a row that has vanished is noticed.
//!
//! The checksum of a row shows that it was altered, not that it is gone: damage can hide rows in a page that SQLite
//! finds sound. So the transaction that marks a plan as complete also stores how many rows each part of it has, and a
//! digest of their numbers; of parts whose rows have no checksums, a digest of their content. A complete plan never
//! changes: later, its ops only get other states and more attempts.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::db;
use super::error::RunError;
use super::metadata::{self, RunFact};
use crate::text::{encode_hex, format_count, format_plural, select_plural};

/// What the plan of the run consists of. A run without it has no complete plan.
const PLAN_CONTENTS: RunFact<PlanContents> = RunFact::new("plan_contents");

/// A part of a plan: a table, or an index by which the rows of a table are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanPart {
    Rows,
    Decisions,
    Warnings,
    WarningsByRow,
    Identities,
    Marks,
    Ops,
    OpsByRow,
}

impl PlanPart {
    pub(super) const ALL: [Self; 8] = [
        Self::Rows,
        Self::Decisions,
        Self::Warnings,
        Self::WarningsByRow,
        Self::Identities,
        Self::Marks,
        Self::Ops,
        Self::OpsByRow,
    ];

    /// Its name in the database.
    fn name(self) -> &'static str {
        match self {
            Self::Rows => "row",
            Self::Decisions => "decision",
            Self::Warnings => "warning",
            Self::WarningsByRow => "warning_by_row",
            Self::Identities => "identity",
            Self::Marks => "row_mark",
            Self::Ops => "op",
            Self::OpsByRow => "op_row",
        }
    }

    /// One of its entries, in messages.
    fn noun(self) -> &'static str {
        match self {
            Self::Rows => "row",
            Self::Decisions => "decision",
            Self::Warnings | Self::WarningsByRow => "warning",
            Self::Identities => "identifying value",
            Self::Marks => "mark",
            Self::Ops | Self::OpsByRow => "write",
        }
    }

    /// Reads all its entries, in the order in which it stores them. An index is read without its table, and a table
    /// without its indexes: each may have lost an entry that the other has.
    fn query(self) -> &'static str {
        match self {
            Self::Rows => "SELECT n FROM row ORDER BY n",
            Self::Decisions => "SELECT n FROM decision ORDER BY n",
            Self::Warnings => {
                "SELECT id, n, code, field, message, hint, col, cell FROM warning NOT INDEXED ORDER BY id"
            }
            Self::WarningsByRow => {
                "SELECT n, id FROM warning INDEXED BY warning_by_row ORDER BY n, id"
            }
            Self::Identities => "SELECT kind, value, n FROM identity ORDER BY kind, value, n",
            Self::Marks => "SELECT kind, value, n FROM row_mark ORDER BY kind, value, n",
            Self::Ops => "SELECT id FROM op NOT INDEXED ORDER BY id",
            Self::OpsByRow => "SELECT row, id FROM op INDEXED BY op_row ORDER BY row, id",
        }
    }

    fn digest(self, connection: &Connection) -> rusqlite::Result<PartDigest> {
        let mut statement = connection.prepare(self.query())?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let (mut hash, mut count) = (Sha256::new(), 0);
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                hash_value(&mut hash, row.get_ref(column)?);
            }
            count += 1;
        }
        Ok(PartDigest { entries: count, sum: encode_hex(&hash.finalize()[..8]) })
    }
}

fn hash_value(hash: &mut Sha256, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => hash.update([0]),
        ValueRef::Integer(number) => {
            hash.update([1]);
            hash.update(number.to_le_bytes());
        }
        ValueRef::Real(number) => {
            hash.update([2]);
            hash.update(number.to_le_bytes());
        }
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            hash.update([3]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
}

/// How many entries a part has, and a digest of them.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PartDigest {
    entries: u64,
    /// Eight bytes of their SHA-256, lower-case hex: against damage, not malice.
    sum: String,
}

impl PartDigest {
    /// How what is there now differs from what was stored, if it does.
    fn describe_difference(&self, now: &Self, noun: &str) -> Option<String> {
        let count = format_plural(self.entries, noun);
        match self.entries.checked_sub(now.entries) {
            Some(0) if self.sum == now.sum => None,
            Some(0) => Some(format!("its plan has other {noun}s than were stored")),
            Some(lost) => {
                let are = select_plural(lost, "is", "are");
                Some(format!("{} of the {count} of its plan {are} missing", format_count(lost)))
            }
            None => {
                let now = format_count(now.entries);
                Some(format!("its plan has {now} {noun}s, and {count} were stored"))
            }
        }
    }
}

/// What a complete plan consists of.
#[derive(Debug, Serialize, Deserialize)]
struct PlanContents {
    /// Its parts, by name.
    parts: BTreeMap<String, PartDigest>,
}

/// Stores, in one transaction, facts that mark the plan of a run as complete and what the plan consists of.
pub(super) fn complete_plan(
    path: &Path,
    write_facts: impl FnOnce(&Transaction<'_>) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let mut connection = db::open(path)?;
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
    write_facts(&transaction)?;
    let mut parts = BTreeMap::new();
    for part in PlanPart::ALL {
        parts.insert(part.name().to_owned(), part.digest(&transaction).map_err(fail)?);
    }
    metadata::write_fact(path, &transaction, &PLAN_CONTENTS, &PlanContents { parts })?;
    transaction.commit().map_err(fail)
}

/// Checks that these parts of a complete plan, the states of its ops and their attempts are all there. A run without
/// a complete plan has nothing to check.
///
/// # Errors
/// [`RunError::Damaged`] when something is missing.
pub(super) fn check_plan_contents(
    path: &Path,
    connection: &Connection,
    checked: &[PlanPart],
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    // One view of everything: another process may be recording outcomes.
    let view = connection.unchecked_transaction().map_err(fail)?;
    let Some(stored) = metadata::read_fact(path, &view, &PLAN_CONTENTS)? else { return Ok(()) };
    let damaged = |why: String| Err(RunError::damaged(path, why));
    for part in checked {
        let now = part.digest(&view).map_err(fail)?;
        let Some(then) = stored.parts.get(part.name()) else { continue };
        if let Some(difference) = then.describe_difference(&now, part.noun()) {
            return damaged(difference);
        }
    }
    match describe_lost_states(&view).map_err(fail)? {
        Some(lost) => damaged(lost),
        None => Ok(()),
    }
}

/// Which states or attempts of ops are missing: each op has one state, which has the number of its attempts.
fn describe_lost_states(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, i64>(0));
    let (ops, states) =
        (count("SELECT count(*) FROM op NOT INDEXED")?, count("SELECT count(*) FROM standing")?);
    if ops != states {
        return Ok(Some(format!("it has the states of {states} of its {ops} writes")));
    }
    let known = count("SELECT CAST(total(attempts) AS INTEGER) FROM standing NOT INDEXED")?;
    let found = count("SELECT count(*) FROM attempt")?;
    Ok((known != found).then(|| format!("it has {found} of its {known} attempts to send a write")))
}
