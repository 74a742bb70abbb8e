//! Whether the definitions of the tables in `run.db` are those that this program writes.
//!
//! SQLite checks the structure of its pages, not the text of the definitions: with one byte of it changed, a table is
//! found under no name, or its key reads as null, and all its rows are gone without an error.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;

use super::error::RunError;
use super::{db, import_store, ledger};

/// A table or index: its kind, name, table and text.
type Definition = (String, String, String, Option<String>);

/// Compares the definitions in a database with those of a new one.
///
/// # Errors
/// When one differs.
pub(super) fn check_definitions(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let known = known_definitions().map_err(fail)?;
    let found = read_definitions(connection).map_err(fail)?;
    match found.into_iter().find(|definition| !known.contains(definition)) {
        None => Ok(()),
        Some((kind, name, ..)) => {
            let name = crate::text::escape_for_terminal(&name).into_owned();
            Err(RunError::damaged(
                path,
                format!("the definition of its {kind} `{name}` is altered"),
            ))
        }
    }
}

fn known_definitions() -> rusqlite::Result<HashSet<Definition>> {
    let empty = Connection::open_in_memory()?;
    let all = [db::SCHEMA, import_store::SCHEMA].into_iter().chain(ledger::DEFINITIONS);
    for definitions in all {
        empty.execute_batch(definitions)?;
    }
    Ok(read_definitions(&empty)?.into_iter().collect())
}

fn read_definitions(connection: &Connection) -> rusqlite::Result<Vec<Definition>> {
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_definition_is_damage_whatever_sqlite_makes_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.db");
        drop(db::create(&path).unwrap());
        drop(import_store::ImportStore::open(&path).unwrap());
        let whole = std::fs::read(&path).unwrap();
        check_definitions(&path, &db::open(&path).unwrap()).unwrap();
        let text = b"n INTEGER PRIMARY KEY, line";
        let at = whole.windows(text.len()).position(|part| part == text).unwrap();
        let mut bytes = whole;
        bytes[at + "n INTEGER ".len()] = b'Q';
        std::fs::write(&path, bytes).unwrap();
        let connection = db::open(&path).unwrap();
        db::check_integrity(&path, &connection).unwrap();
        let error = check_definitions(&path, &connection).unwrap_err();
        assert!(error.to_string().contains("`row` is altered"), "{error}");
    }
}
