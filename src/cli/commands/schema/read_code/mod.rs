//! Code that reads the files of an export with the right types: ids, phone numbers and postal codes
//! stay text, and a contact named `null` stays a contact.
//!
//! Of several formats the best for analysis is read: Parquet, JSON Lines, CSV, then XLSX. The cells of
//! CSV keep their guards; `--csv-safe off` writes files for programs.

mod pandas;
mod polars;

use std::fmt::Write as _;

use super::ddl::{duckdb_query, quote_name};
use super::described_table::{DescribedFile, DescribedTable};
use crate::choice::choice_enum;
use crate::cli::output::error::CliError;

choice_enum! {
    /// A program that reads files.
    pub(super) enum ReaderTool {
        /// SQL that makes a view of each file
        Duckdb = "duckdb",
        /// Python, a data frame per table
        Pandas = "pandas",
        /// Python, a data frame per table
        Polars = "polars",
    }
}

/// The code that reads all tables.
pub(super) fn write_code(tool: ReaderTool, tables: &[DescribedTable]) -> Result<String, CliError> {
    match tool {
        ReaderTool::Duckdb => write_duckdb_views(tables),
        ReaderTool::Pandas => pandas::write_code(tables),
        ReaderTool::Polars => polars::write_code(tables),
    }
}

fn write_duckdb_views(tables: &[DescribedTable]) -> Result<String, CliError> {
    let mut script = "-- Run with: duckdb -init THIS_SCRIPT\n".to_owned();
    for table in tables {
        let file = best_file(table, &["parquet", "jsonl", "csv"])?;
        let (name, rows) = (quote_name(table.name), duckdb_query(table, file));
        // Writing to a string never fails.
        let _ = writeln!(script, "CREATE OR REPLACE VIEW {name} AS {rows};");
    }
    Ok(script)
}

/// The best file of a table in one of these formats.
fn best_file<'t>(
    table: &'t DescribedTable,
    formats: &[&str],
) -> Result<&'t DescribedFile, CliError> {
    let file = table.files.iter().find(|file| formats.contains(&file.format));
    file.ok_or_else(|| table.missing_file_error(formats[0]))
}

/// A text in Python.
fn python_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A path in Python.
fn python_path(file: &DescribedFile) -> String {
    python_text(&file.path.display().to_string())
}
