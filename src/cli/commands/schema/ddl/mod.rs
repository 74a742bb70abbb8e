//! SQL that creates the tables in a database: types, keys and comments, and of an export the rows.
//!
//! A script replaces tables of the same names. Where it runs in a transaction (DuckDB, Postgres)
//! it has no effect if any of it fails, provided that the client stops at the first error: without `-bail`,
//! `duckdb` goes on and commits the rest. Contacts may be missing for a task, and users for an owner:
//! so a reference is declared only where it is not enforced (BigQuery, Snowflake) or not checked for
//! the rows that are loaded (Postgres). DuckDB enforces every reference; there it is a comment.

mod bigquery;
mod duckdb;
mod merge;
mod postgres;
mod snowflake;

use std::fmt::Write as _;

use super::described_table::{DescribedFile, DescribedTable};
use crate::choice::choice_enum;
use crate::cli::output::error::CliError;

pub(super) use merge::write_merge;

choice_enum! {
    /// A database.
    pub(super) enum SqlDialect {
        /// DuckDB; loads Parquet, else JSON Lines
        Duckdb = "duckdb",
        /// Postgres, for `psql`; loads JSON Lines
        Postgres = "postgres",
        /// BigQuery, for `bq query`; loads JSON Lines
        Bigquery = "bigquery",
        /// Snowflake, for `snow sql`; loads JSON Lines
        Snowflake = "snowflake",
    }
}

/// The script for these tables.
pub(super) fn write_ddl(
    dialect: SqlDialect,
    tables: &[DescribedTable],
) -> Result<String, CliError> {
    let loads = tables.iter().any(|table| !table.files.is_empty());
    match dialect {
        SqlDialect::Duckdb => duckdb::write_script(tables, loads),
        SqlDialect::Postgres => postgres::write_script(tables, loads),
        SqlDialect::Bigquery => bigquery::write_script(tables, loads),
        SqlDialect::Snowflake => snowflake::write_script(tables, loads),
    }
}

/// The JSON Lines file of a table; the databases read it as lines, and need no other.
fn find_lines_file(table: &DescribedTable) -> Result<&DescribedFile, CliError> {
    table.find_file("jsonl").ok_or_else(|| table.missing_file_error("jsonl"))
}

/// Text in single quotes, as in standard SQL.
fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A query of the rows of a file for DuckDB, with the types of the table.
pub(super) fn duckdb_query(table: &DescribedTable, file: &DescribedFile) -> String {
    duckdb::select_rows(table, file)
}

/// A name in double quotes, as in standard SQL.
pub(super) fn quote_name(name: &str) -> String {
    sql_name(name)
}

/// A name in double quotes, as in standard SQL.
fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A path as text, for a script.
fn path_text(file: &DescribedFile) -> String {
    sql_text(&file.path.display().to_string())
}

/// Definitions of columns and keys, one per line.
fn join_definitions(definitions: impl IntoIterator<Item = String>) -> String {
    let definitions: Vec<String> = definitions.into_iter().collect();
    format!("  {}", definitions.join(",\n  "))
}

/// `COMMENT ON` for a table and its columns, under the names that the database knows.
fn write_comments(script: &mut String, table: &DescribedTable, name: impl Fn(usize) -> String) {
    let of = sql_name(table.name);
    // Writing to a string never fails.
    let _ = writeln!(script, "COMMENT ON TABLE {of} IS {};", sql_text(table.doc));
    for (place, column) in table.columns.iter().enumerate() {
        let (name, comment) = (sql_name(&name(place)), sql_text(&column.comment()));
        let _ = writeln!(script, "COMMENT ON COLUMN {of}.{name} IS {comment};");
    }
}

/// The tables in an order in which none is dropped before those that refer to it.
fn drop_order(tables: &[DescribedTable]) -> impl Iterator<Item = &DescribedTable> {
    let refers_to_contacts = |table: &&DescribedTable| {
        table.columns.iter().any(|column| column.references == Some("contacts"))
    };
    let refers_to_users = move |table: &&DescribedTable| {
        !refers_to_contacts(table) && table.columns.iter().any(|column| column.references.is_some())
    };
    let others =
        move |table: &&DescribedTable| !refers_to_contacts(table) && !refers_to_users(table);
    let first = tables.iter().filter(refers_to_contacts);
    first.chain(tables.iter().filter(refers_to_users)).chain(tables.iter().filter(others))
}

/// The columns that refer to another table.
fn references(tables: &[DescribedTable]) -> impl Iterator<Item = (&str, &str, &'static str)> {
    tables.iter().flat_map(|table| {
        let columns = table.columns.iter();
        columns.filter_map(|column| Some((table.name, column.name.as_str(), column.references?)))
    })
}
