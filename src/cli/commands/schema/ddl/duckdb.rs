//! DuckDB: types as in Parquet, primary keys and comments.

use std::fmt::Write as _;

use super::{DescribedTable, join_definitions, path_text, sql_name, sql_text, write_comments};
use crate::cli::commands::schema::described_table::DescribedFile;
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

pub(super) fn write_script(tables: &[DescribedTable], loads: bool) -> Result<String, CliError> {
    let mut script =
        "-- Run with: duckdb -bail FILE < THIS_SCRIPT\nBEGIN TRANSACTION;\n".to_owned();
    for table in tables {
        let columns = table.columns.iter().map(|column| {
            let key = if column.name == "id" { " PRIMARY KEY" } else { "" };
            format!("{} {}{key}", sql_name(&column.name), type_name(column.kind))
        });
        let (name, columns) = (sql_name(table.name), join_definitions(columns));
        // Writing to a string never fails.
        let _ = writeln!(script, "\nCREATE OR REPLACE TABLE {name} (\n{columns}\n);");
        write_comments(&mut script, table, |place| table.columns[place].name.clone());
        if loads {
            let file = table.find_file("parquet").or_else(|| table.find_file("jsonl"));
            let file = file.ok_or_else(|| table.missing_file_error("parquet"))?;
            let _ = writeln!(script, "INSERT INTO {name} BY NAME {};", select_rows(table, file));
        }
    }
    script.push_str("\nCOMMIT;\n");
    Ok(script)
}

/// A query of the rows of a file, with the types of the table.
pub(super) fn select_rows(table: &DescribedTable, file: &DescribedFile) -> String {
    let path = path_text(file);
    if file.format == "parquet" {
        return format!("SELECT * FROM read_parquet({path})");
    }
    // The types that the reader knows; what it reads as text is converted afterwards.
    let nested = file.format == "jsonl" && !file.flat;
    let read_type = |kind: ColumnKind| match kind {
        ColumnKind::TextList | ColumnKind::Json if !nested => "VARCHAR",
        kind => type_name(kind),
    };
    let columns = table
        .columns
        .iter()
        .map(|column| format!("{}: {}", sql_text(&column.name), sql_text(read_type(column.kind))));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let reader = if file.format == "csv" {
        format!(
            "read_csv({path}, header = true, delim = ',', quote = '\"', escape = '\"', columns = {{{columns}}})"
        )
    } else {
        format!("read_json({path}, format = 'newline_delimited', columns = {{{columns}}})")
    };
    let conversions = table.columns.iter().filter_map(|column| {
        let name = sql_name(&column.name);
        match column.kind {
            _ if nested => None,
            ColumnKind::Json => Some(format!("{name}::JSON AS {name}")),
            // `a; b`, or a JSON array where that would be ambiguous.
            ColumnKind::TextList => Some(format!(
                "CASE WHEN {name} LIKE '[%' THEN from_json({name}, '[\"VARCHAR\"]') ELSE string_split({name}, '; ') END AS {name}"
            )),
            _ => None,
        }
    });
    let conversions: Vec<String> = conversions.collect();
    let replace = if conversions.is_empty() {
        String::new()
    } else {
        format!(" REPLACE ({})", conversions.join(", "))
    };
    format!("SELECT *{replace} FROM {reader}")
}

pub(super) fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "VARCHAR",
        ColumnKind::Boolean => "BOOLEAN",
        ColumnKind::Integer => "BIGINT",
        ColumnKind::Float => "DOUBLE",
        ColumnKind::Date => "DATE",
        ColumnKind::Timestamp => "TIMESTAMP WITH TIME ZONE",
        ColumnKind::TextList => "VARCHAR[]",
        ColumnKind::Json => "JSON",
    }
}
