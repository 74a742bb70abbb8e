//! Code for Polars: a schema for every file without types of its own.

use std::fmt::Write as _;

use super::super::described_table::DescribedTable;
use super::{best_file, python_path, python_text};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

pub(super) fn write_code(tables: &[DescribedTable]) -> Result<String, CliError> {
    let mut code = "import polars as pl\n".to_owned();
    for table in tables {
        let file = best_file(table, &["parquet", "jsonl", "csv", "xlsx"])?;
        let (name, path) = (table.name, python_path(file));
        let nested = file.format == "jsonl" && !file.flat;
        let schema = schema(table, nested, file.format == "xlsx");
        // Writing to a string never fails.
        let _ = match file.format {
            "parquet" => writeln!(code, "\n{name} = pl.read_parquet({path})"),
            "jsonl" => writeln!(code, "\n{name} = pl.read_ndjson({path}, schema={{{schema}}})"),
            "csv" => writeln!(code, "\n{name} = pl.read_csv({path}, schema={{{schema}}})"),
            _ => writeln!(code, "\n{name} = pl.read_excel({path}, schema_overrides={{{schema}}})"),
        };
        if file.format != "parquet" {
            write_times(&mut code, table, file.format == "xlsx");
        }
    }
    Ok(code)
}

fn schema(table: &DescribedTable, nested: bool, typed_times: bool) -> String {
    let types = table.columns.iter().map(|column| {
        let kind = match column.kind {
            ColumnKind::Boolean => "pl.Boolean",
            ColumnKind::Integer => "pl.Int64",
            ColumnKind::Float => "pl.Float64",
            ColumnKind::TextList if nested => "pl.List(pl.String)",
            ColumnKind::Date if typed_times => "pl.Date",
            ColumnKind::Timestamp if typed_times => "pl.Datetime(\"ms\")",
            _ => "pl.String",
        };
        format!("{}: {kind}", python_text(&column.name))
    });
    types.collect::<Vec<_>>().join(", ")
}

/// Converts days and instants. Unless they are typed they were read as text, and no reader knows the zone.
fn write_times(code: &mut String, table: &DescribedTable, typed: bool) {
    let conversions = table.columns.iter().filter_map(|column| {
        let name = python_text(&column.name);
        match column.kind {
            ColumnKind::Timestamp if typed => {
                Some(format!("pl.col({name}).dt.replace_time_zone(\"UTC\")"))
            }
            _ if typed => None,
            ColumnKind::Date => Some(format!("pl.col({name}).str.to_date(\"%Y-%m-%d\")")),
            ColumnKind::Timestamp => Some(format!(
                "pl.col({name}).str.to_datetime(\"%Y-%m-%dT%H:%M:%S%.3fZ\", time_unit=\"ms\").dt.replace_time_zone(\"UTC\")"
            )),
            _ => None,
        }
    });
    let conversions: Vec<String> = conversions.collect();
    if !conversions.is_empty() {
        let (name, conversions) = (table.name, conversions.join(", "));
        // Writing to a string never fails.
        let _ = writeln!(code, "{name} = {name}.with_columns({conversions})");
    }
}
