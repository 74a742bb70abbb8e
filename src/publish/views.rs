//! `views.sql`: views over the files of an export with changes, for DuckDB.
//!
//! Slowly changing dimensions of type 2 are views over the files of changes instead of tables that would have to be kept
//! right.

use std::fmt::Write as _;
use std::path::Path;

use super::PublishError;
use super::change_names::{self, DIRECTORY, VIEWS};
use crate::resource::RESOURCES;

const HEAD: &str = "\
-- Views over the files in this directory, for DuckDB. Start DuckDB in it: duckdb -init views.sql
-- TABLE           what exists
-- TABLE_changes   every change: insert, update, delete, return, reload
-- TABLE_history   every version with valid_from, valid_to, is_current and is_deleted (SCD2)
-- TABLE_at(time)  what existed at a moment: FROM contacts_at(TIMESTAMPTZ '2026-11-30 02:00:00Z');
";

/// Writes the views over the tables that have files of changes in Parquet.
pub(super) fn write_views(out: &Path) -> Result<(), PublishError> {
    let tables: Vec<&str> = RESOURCES
        .iter()
        .map(|resource| resource.name)
        .filter(|table| change_names::has_parquet(&out.join(DIRECTORY).join(table)))
        .collect();
    if tables.is_empty() {
        return Ok(());
    }
    let (path, unfinished) = (out.join(VIEWS), out.join(".views.sql.partial"));
    std::fs::write(&unfinished, views(&tables))
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|source| PublishError::from_io_error(&path, source))
}

fn views(tables: &[&str]) -> String {
    let mut sql = HEAD.to_owned();
    for table in tables {
        // Writing to a string never fails.
        let _ = write!(
            sql,
            "
CREATE OR REPLACE VIEW {table} AS
  SELECT * FROM read_parquet('{table}.parquet');
CREATE OR REPLACE VIEW {table}_changes AS
  SELECT * FROM read_parquet('{DIRECTORY}/{table}/*.parquet', union_by_name = true);
"
        );
    }
    let reloads: Vec<String> = tables
        .iter()
        .map(|table| format!("SELECT _changed_at FROM {table}_changes WHERE _op = 'reload'"))
        .collect();
    let _ = write!(
        sql,
        "
-- When everything was written again because the mirror was lost: what was not written then no longer existed.
CREATE OR REPLACE VIEW reloads AS
  SELECT DISTINCT _changed_at AS reloaded_at FROM ({});
",
        reloads.join("\n    UNION ALL ")
    );
    for table in tables {
        let _ = write!(
            sql,
            "
CREATE OR REPLACE VIEW {table}_history AS
  WITH versions AS (
    SELECT *, least(
      lead(_changed_at) OVER (PARTITION BY id ORDER BY _changed_at, _seq),
      (SELECT min(reloaded_at) FROM reloads WHERE reloaded_at > changes._changed_at)
    ) AS valid_to
    FROM {table}_changes AS changes
  )
  SELECT * EXCLUDE (_op, valid_to), _changed_at AS valid_from, valid_to,
    valid_to IS NULL AS is_current, _op = 'delete' AS is_deleted
  FROM versions;
CREATE OR REPLACE MACRO {table}_at(moment) AS TABLE
  SELECT * EXCLUDE (valid_from, valid_to, is_current, is_deleted) FROM {table}_history
  WHERE valid_from <= moment AND (valid_to IS NULL OR moment < valid_to) AND NOT is_deleted;
"
        );
    }
    sql
}
