//! The warnings of an import: about rows, and about the file as a whole.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use super::super::error::RunError;
use super::ImportStore;
use crate::diagnostic::{Diagnostic, DiagnosticPlace, UnknownDiagnosticCode};

/// The columns that [`read_warning`] reads, in its order.
const COLUMNS: &str = "n, code, field, message, hint, col, cell";

/// A warning as it is stored; an error if its code is unknown.
type StoredWarning = Result<Diagnostic, UnknownDiagnosticCode>;

impl ImportStore {
    /// Stores a warning about row `n`; 0 is the whole file.
    pub fn insert_warning(&self, n: u64, warning: &Diagnostic) -> Result<(), RunError> {
        self.execute(
            "INSERT INTO warning (n, code, field, message, hint, col, cell) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                n.cast_signed(),
                warning.code.spelling(),
                warning.field,
                warning.message,
                warning.hint,
                warning.place.column.and_then(|column| i64::try_from(column).ok()),
                warning.place.cell,
            ],
        )
    }

    /// The number of warnings by code.
    pub fn warning_counts(&self) -> Result<BTreeMap<String, u64>, RunError> {
        let sql = "SELECT code, count(*) FROM warning GROUP BY code";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
        Ok(self.query_all(sql, [], read)?.into_iter().collect())
    }

    /// The warnings of rows from `from` up to, but not including, `to`, by row.
    pub fn warnings_in_range(&self, from: u64, to: u64) -> Result<Vec<Diagnostic>, RunError> {
        let sql = format!("SELECT {COLUMNS} FROM warning WHERE n >= ? AND n < ? ORDER BY n, id");
        let range = params![from.cast_signed(), to.cast_signed()];
        let found = self.query_all(&sql, range, read_warning)?;
        found.into_iter().map(|warning| self.check_warning(warning)).collect()
    }

    /// The first warning of each code and field, and how many there are.
    pub fn warnings_by_field(&self) -> Result<Vec<(Diagnostic, u64)>, RunError> {
        // SQLite takes the other columns from the row with the minimum.
        let sql = format!("SELECT {COLUMNS}, count(*), min(id) FROM warning GROUP BY code, field");
        let read = |row: &Row<'_>| Ok((read_warning(row)?, row.get::<_, i64>(7)?.cast_unsigned()));
        let found = self.query_all(&sql, [], read)?;
        found.into_iter().map(|(first, count)| Ok((self.check_warning(first)?, count))).collect()
    }

    fn check_warning(&self, warning: StoredWarning) -> Result<Diagnostic, RunError> {
        warning.map_err(|error| self.damaged_error(&error.to_string()))
    }
}

fn read_warning(row: &Row<'_>) -> rusqlite::Result<StoredWarning> {
    let n = row.get::<_, i64>(0)?.cast_unsigned();
    let column: Option<i64> = row.get(5)?;
    let place = Box::new(DiagnosticPlace {
        record: (n > 0).then_some(n),
        line: None,
        column: column.and_then(|column| usize::try_from(column).ok()),
        cell: row.get(6)?,
    });
    let code: String = row.get(1)?;
    let (field, message, hint) = (row.get(2)?, row.get(3)?, row.get(4)?);
    Ok(code.parse().map(|code| Diagnostic { code, place, field, message, hint }))
}
