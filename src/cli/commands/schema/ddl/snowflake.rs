//! Snowflake: each line of a JSON Lines file is loaded as one `VARIANT`, then taken apart.
//!
//! Names are not quoted, so that queries need no quotes either; none is a reserved word.

use std::fmt::Write as _;

use super::{DescribedTable, drop_order, find_lines_file, join_definitions, references};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

pub(super) fn write_script(tables: &[DescribedTable], loads: bool) -> Result<String, CliError> {
    let mut script = "-- Run with: snow sql -f THIS_SCRIPT\n".to_owned();
    for table in drop_order(tables) {
        // Writing to a string never fails.
        let _ = writeln!(script, "DROP TABLE IF EXISTS {};", table.name);
    }
    if loads {
        script.push_str("CREATE OR REPLACE TEMPORARY STAGE ghl_bulk_load;\n");
    }
    for table in tables {
        let columns = table.columns.iter().map(|column| {
            let key = if column.name == "id" { " NOT NULL PRIMARY KEY" } else { "" };
            let (name, kind) = (&column.name, type_name(column.kind));
            format!("{name} {kind}{key} COMMENT {}", quoted(&column.comment()))
        });
        let (name, columns) = (table.name, join_definitions(columns));
        let doc = quoted(table.doc);
        let _ = writeln!(script, "\nCREATE TABLE {name} (\n{columns}\n) COMMENT = {doc};");
        if loads {
            write_load(&mut script, table)?;
        }
    }
    for (table, column, to) in references(tables) {
        let _ = writeln!(
            script,
            "\nALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {to} (id);"
        );
    }
    Ok(script)
}

fn write_load(script: &mut String, table: &DescribedTable) -> Result<(), CliError> {
    let file = find_lines_file(table)?;
    let values = table.columns.iter().map(|column| {
        let value = format!("line:{}", column.name);
        match column.kind {
            ColumnKind::Json if file.flat => format!("PARSE_JSON({value}::VARCHAR)"),
            ColumnKind::Json => format!("STRIP_NULL_VALUE({value})"),
            ColumnKind::TextList if file.flat => format!("PARSE_JSON({value}::VARCHAR)::ARRAY"),
            ColumnKind::TextList => format!("STRIP_NULL_VALUE({value})::ARRAY"),
            kind => format!("{value}::{}", type_name(kind)),
        }
    });
    let values = values.collect::<Vec<_>>().join(",\n  ");
    let (name, path) = (table.name, file.path.display().to_string());
    let url = quoted(&format!("file://{path}"));
    let staged = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let _ = writeln!(
        script,
        "PUT {url} @ghl_bulk_load;\nCREATE OR REPLACE TEMPORARY TABLE load_{name} (line VARIANT);\nCOPY INTO load_{name} FROM @ghl_bulk_load/{staged} FILE_FORMAT = (TYPE = JSON);\nINSERT INTO {name} SELECT\n  {values}\nFROM load_{name};"
    );
    Ok(())
}

/// Text in Snowflake's quotes, which know escapes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

pub(super) fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "VARCHAR",
        ColumnKind::Boolean => "BOOLEAN",
        ColumnKind::Integer => "BIGINT",
        ColumnKind::Float => "DOUBLE",
        ColumnKind::Date => "DATE",
        ColumnKind::Timestamp => "TIMESTAMP_TZ",
        ColumnKind::TextList => "ARRAY",
        ColumnKind::Json => "VARIANT",
    }
}
