//! BigQuery, through `bq`: each line of a JSON Lines file is loaded as one text, then taken apart.
//!
//! That needs no rule of BigQuery's own loader for nulls, lists and JSON.

use std::fmt::Write as _;

use super::{DescribedTable, drop_order, find_lines_file, join_definitions, references, sql_text};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

pub(super) fn write_script(tables: &[DescribedTable], loads: bool) -> Result<String, CliError> {
    let mut script = String::new();
    if loads {
        script.push_str("-- First load the lines of the files; DATASET is yours:\n");
        for table in tables {
            let path = find_lines_file(table)?.path.display().to_string();
            let path = format!("'{}'", path.replace('\'', "'\\''"));
            // Writing to a string never fails.
            let _ = writeln!(
                script,
                "--   bq load --replace --source_format=CSV --quote='' --field_delimiter=$'\\x01' DATASET.load_{} {path} line:STRING",
                table.name
            );
        }
    }
    script.push_str(
        "-- Run with: bq query --use_legacy_sql=false --dataset_id=DATASET < THIS_SCRIPT\n",
    );
    for table in drop_order(tables) {
        let _ = writeln!(script, "DROP TABLE IF EXISTS `{}`;", table.name);
    }
    for table in tables {
        let columns = table.columns.iter().map(|column| {
            let null = if column.name == "id" { " NOT NULL" } else { "" };
            let (name, kind) = (&column.name, type_name(column.kind));
            format!("`{name}` {kind}{null} OPTIONS (description = {})", quoted(&column.comment()))
        });
        let key = "PRIMARY KEY (`id`) NOT ENFORCED".to_owned();
        let (name, columns) = (table.name, join_definitions(columns.chain([key])));
        let doc = quoted(table.doc);
        let _ = writeln!(
            script,
            "\nCREATE TABLE `{name}` (\n{columns}\n) OPTIONS (description = {doc});"
        );
        if loads {
            write_load(&mut script, table)?;
        }
    }
    for (table, column, to) in references(tables) {
        let _ = writeln!(
            script,
            "\nALTER TABLE `{table}` ADD FOREIGN KEY (`{column}`) REFERENCES `{to}` (`id`) NOT ENFORCED;"
        );
    }
    Ok(script)
}

fn write_load(script: &mut String, table: &DescribedTable) -> Result<(), CliError> {
    let file = find_lines_file(table)?;
    let values = table.columns.iter().map(|column| {
        let path = sql_text(&format!("$.{}", column.name));
        let text = format!("JSON_VALUE(line, {path})");
        match column.kind {
            ColumnKind::Text => text,
            ColumnKind::TextList if file.flat => format!("JSON_VALUE_ARRAY({text})"),
            ColumnKind::TextList => format!("JSON_VALUE_ARRAY(line, {path})"),
            ColumnKind::Json if file.flat => {
                format!("SAFE.PARSE_JSON({text}, wide_number_mode => 'round')")
            }
            ColumnKind::Json => format!(
                "SAFE.PARSE_JSON(NULLIF(JSON_QUERY(line, {path}), 'null'), wide_number_mode => 'round')"
            ),
            kind => format!("CAST({text} AS {})", type_name(kind)),
        }
    });
    let values = values.collect::<Vec<_>>().join(",\n  ");
    let name = table.name;
    let _ = writeln!(
        script,
        "INSERT INTO `{name}` SELECT\n  {values}\nFROM `load_{name}`;\nDROP TABLE `load_{name}`;"
    );
    Ok(())
}

/// Text in BigQuery's quotes, which know escapes.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n").replace('\r', "\\r"))
}

pub(super) fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "STRING",
        ColumnKind::Boolean => "BOOL",
        ColumnKind::Integer => "INT64",
        ColumnKind::Float => "FLOAT64",
        ColumnKind::Date => "DATE",
        ColumnKind::Timestamp => "TIMESTAMP",
        ColumnKind::TextList => "ARRAY<STRING>",
        ColumnKind::Json => "JSON",
    }
}
