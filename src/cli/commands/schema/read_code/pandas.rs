//! Code for pandas: `dtype` for every column that pandas would guess, and times in UTC.

use std::fmt::Write as _;

use super::super::described_table::DescribedTable;
use super::{best_file, python_path, python_text};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

/// Only an empty cell is null, not a contact named `NA` or `null`.
const NULLS: &str = "keep_default_na=False, na_values=[\"\"]";

pub(super) fn write_code(tables: &[DescribedTable]) -> Result<String, CliError> {
    let mut code = "import pandas as pd\n".to_owned();
    for table in tables {
        let file = best_file(table, &["parquet", "jsonl", "csv", "xlsx"])?;
        let (name, path) = (table.name, python_path(file));
        // Writing to a string never fails.
        let _ = match file.format {
            "parquet" => writeln!(code, "\n{name} = pd.read_parquet({path})"),
            // Without `dtype=False` it takes texts of digits for numbers.
            "jsonl" => {
                let types = dtypes(table, |kind| file.flat || !is_nested(kind));
                let read = format!("pd.read_json({path}, lines=True, dtype=False)");
                writeln!(code, "\n{name} = {read}.astype({{{types}}})")
            }
            "csv" => {
                let types = dtypes(table, |_| true);
                writeln!(code, "\n{name} = pd.read_csv({path}, dtype={{{types}}}, {NULLS})")
            }
            // Its cells are typed, and it fails on empty ones among truth values.
            _ => {
                let types = dtypes(table, |kind| is_nested(kind) || kind == ColumnKind::Text);
                let others = dtypes(table, |kind| !is_nested(kind) && kind != ColumnKind::Text);
                writeln!(
                    code,
                    "\n{name} = pd.read_excel({path}, dtype={{{types}}}, {NULLS}).astype({{{others}}})"
                )
            }
        };
        if file.format != "parquet" {
            write_times(&mut code, table);
        }
    }
    Ok(code)
}

fn is_nested(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::TextList | ColumnKind::Json)
}

/// The types of the wanted columns, as far as they can be given by name.
fn dtypes(table: &DescribedTable, wanted: impl Fn(ColumnKind) -> bool) -> String {
    let columns = table.columns.iter().filter(|column| wanted(column.kind));
    let types = columns.filter_map(|column| {
        let kind = match column.kind {
            ColumnKind::Text | ColumnKind::TextList | ColumnKind::Json => "string",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Integer => "Int64",
            ColumnKind::Float => "float64",
            ColumnKind::Date | ColumnKind::Timestamp => return None,
        };
        Some(format!("{}: \"{kind}\"", python_text(&column.name)))
    });
    types.collect::<Vec<_>>().join(", ")
}

fn write_times(code: &mut String, table: &DescribedTable) {
    let name = table.name;
    for column in &table.columns {
        let column_name = python_text(&column.name);
        // Writing to a string never fails.
        let _ = match column.kind {
            ColumnKind::Timestamp => writeln!(
                code,
                "{name}[{column_name}] = pd.to_datetime({name}[{column_name}], utc=True, format=\"ISO8601\")"
            ),
            ColumnKind::Date => {
                writeln!(code, "{name}[{column_name}] = pd.to_datetime({name}[{column_name}])")
            }
            _ => Ok(()),
        };
    }
}
