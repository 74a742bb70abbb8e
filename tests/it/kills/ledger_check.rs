//! Reads the ledger independently of the program, and checks that no op was sent again without a verdict.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// The ops that have a second intent without a verdict on the first, though they may not be repeated.
pub(super) fn blind_repeats(db: &Path) -> Vec<String> {
    let connection = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let sql = "SELECT o.id, o.class, a.id, a.line FROM op o JOIN attempt a ON a.op = o.id
               WHERE a.state IS NULL AND o.class <> 'I'
               AND EXISTS (SELECT 1 FROM attempt b WHERE b.op = a.op AND b.id > a.id)";
    let mut query = connection.prepare(sql).unwrap();
    let read = |row: &rusqlite::Row<'_>| {
        let (op, attempt): (i64, i64) = (row.get(0)?, row.get(2)?);
        let (class, line): (String, String) = (row.get(1)?, row.get(3)?);
        Ok(format!("op {op} ({class}), attempt {attempt}: {line}"))
    };
    query.query_map([], read).unwrap().map(Result::unwrap).collect()
}
