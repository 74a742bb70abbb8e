//! The columns of custom fields: a column keeps its name for ever.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::error::MirrorError;
use crate::resource::FieldColumn;
use crate::run::{self, RunError};

fn row_checksum(place: i64, first_seq: i64, facts: &str) -> [u8; 8] {
    run::checksum(&[&place.to_le_bytes(), &first_seq.to_le_bytes(), facts.as_bytes()])
}

/// Stores the columns: those that were known first, as their fields are described now, then new ones.
pub(super) fn replace_columns(
    path: &Path,
    connection: &Connection,
    columns: &[FieldColumn],
    seq: i64,
) -> Result<(), MirrorError> {
    let known = load_columns_with_seq(path, connection)?;
    for (place, column) in columns.iter().enumerate() {
        let first_seq = known.get(place).map_or(seq, |(first_seq, _)| *first_seq);
        if known.get(place).is_some_and(|(_, known)| known == column) {
            continue;
        }
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let facts = serde_json::to_string(column).expect("a column is plain JSON");
        let sum = row_checksum(place, first_seq, &facts);
        connection
            .prepare_cached("INSERT OR REPLACE INTO field_column VALUES (?, ?, ?, ?)")
            .and_then(|mut insert| insert.execute(params![place, first_seq, facts, sum]))
            .map_err(|source| RunError::from_sqlite(path, source))?;
    }
    Ok(())
}

/// The columns that were known to a sync, in the order in which they were first seen.
pub(super) fn load_columns(
    path: &Path,
    connection: &Connection,
    until_seq: i64,
) -> Result<Vec<FieldColumn>, MirrorError> {
    let columns = load_columns_with_seq(path, connection)?.into_iter();
    Ok(columns.filter(|(first, _)| *first <= until_seq).map(|(_, column)| column).collect())
}

fn load_columns_with_seq(
    path: &Path,
    connection: &Connection,
) -> Result<Vec<(i64, FieldColumn)>, MirrorError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let rows = connection
        .prepare_cached("SELECT place, first_seq, facts, sum FROM field_column ORDER BY place")
        .and_then(|mut query| query.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>())
        .map_err(|source| RunError::from_sqlite(path, source))?;
    let damaged = |why: String| MirrorError::Damaged { path: path.to_owned(), why };
    let mut columns = Vec::with_capacity(rows.len());
    for (at, (place, first_seq, facts, sum)) in rows.into_iter().enumerate() {
        let (place, facts, sum): (i64, String, Vec<u8>) = (place, facts, sum);
        if usize::try_from(place) != Ok(at) || row_checksum(place, first_seq, &facts) != sum[..] {
            return Err(damaged(format!("the column of custom field {at} is wrong")));
        }
        let column = serde_json::from_str(&facts)
            .map_err(|error| damaged(format!("the column of custom field {at}: {error}")))?;
        columns.push((first_seq, column));
    }
    Ok(columns)
}
