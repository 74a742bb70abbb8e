//! Postgres, through `psql`: each line of a JSON Lines file is read as one text, then taken apart.
//!
//! JSON is `json`, not `jsonb`: it keeps the text that the server sent, and takes every escape. A text
//! of Postgres cannot contain U+0000; it becomes U+FFFD.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::{
    DescribedTable, drop_order, find_lines_file, join_definitions, path_text, references, sql_name,
    sql_text, write_comments,
};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

/// A line as JSON, with the escape of U+0000 replaced unless its backslash is escaped itself.
const PARSED_LINE: &str = r"(CASE WHEN strpos(line, '\u0000') = 0 THEN line ELSE regexp_replace(line, '(?<!\\)((?:\\\\)*)\\u0000', '\1\\ufffd', 'g') END)::json";

/// Postgres cuts longer names.
const MAX_NAME_LENGTH: usize = 63;

pub(super) fn write_script(tables: &[DescribedTable], loads: bool) -> Result<String, CliError> {
    let all: Vec<String> = drop_order(tables).map(|table| sql_name(table.name)).collect();
    let mut script = format!(
        "-- Run with: psql -v ON_ERROR_STOP=1 -d DATABASE -f THIS_SCRIPT\nBEGIN;\nSET LOCAL client_min_messages = warning;\nDROP TABLE IF EXISTS {};\n",
        all.join(", ")
    );
    for table in tables {
        let names = column_names(table);
        let columns = table.columns.iter().zip(&names).map(|(column, name)| {
            let key = if column.name == "id" { " PRIMARY KEY" } else { "" };
            format!("{} {}{key}", sql_name(name), type_name(column.kind))
        });
        let columns = join_definitions(columns);
        let name = sql_name(table.name);
        // Writing to a string never fails.
        let _ = writeln!(script, "\nCREATE TABLE {name} (\n{columns}\n);");
        write_comments(&mut script, table, |place| names[place].clone());
        if loads {
            write_load(&mut script, table)?;
        }
    }
    for (table, column, to) in references(tables) {
        let (table, column, to) = (sql_name(table), sql_name(column), sql_name(to));
        let _ = writeln!(
            script,
            "\nALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {to} (\"id\") NOT VALID;"
        );
    }
    script.push_str("\nCOMMIT;\n");
    Ok(script)
}

fn write_load(script: &mut String, table: &DescribedTable) -> Result<(), CliError> {
    let file = find_lines_file(table)?;
    let (name, lines) = (sql_name(table.name), sql_name(&format!("load_{}", table.name)));
    let path = path_text(file);
    let values = table.columns.iter().map(|column| {
        let text = format!("line->>{}", sql_text(&column.name));
        match column.kind {
            ColumnKind::Text => text,
            // A list is an array, or the text of one; both are the same text here.
            ColumnKind::TextList => format!(
                "CASE WHEN {text} IS NOT NULL THEN ARRAY(SELECT json_array_elements_text(({text})::json)) END"
            ),
            ColumnKind::Json if !file.flat => {
                format!("NULLIF((line->{})::text, 'null')::json", sql_text(&column.name))
            }
            kind => format!("({text})::{}", type_name(kind)),
        }
    });
    let values = values.collect::<Vec<_>>().join(",\n  ");
    // JSON has no control characters, so that these never quote or separate anything.
    let _ = writeln!(
        script,
        "CREATE TEMPORARY TABLE {lines} (line text) ON COMMIT DROP;\n\\copy {lines} FROM {path} WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02', ENCODING 'UTF8')\nINSERT INTO {name} SELECT\n  {values}\nFROM (SELECT {PARSED_LINE} AS line FROM {lines}) AS lines;"
    );
    Ok(())
}

/// The names of a table's columns, none too long and none twice.
fn column_names(table: &DescribedTable) -> Vec<String> {
    let mut taken = HashSet::new();
    let names = table.columns.iter().map(|column| {
        let whole = column.name.as_str();
        let numbered =
            (2..).map(|n| format!("{}_{n}", &whole[..whole.len().min(MAX_NAME_LENGTH - 4)]));
        let first = whole[..whole.len().min(MAX_NAME_LENGTH)].to_owned();
        let free = std::iter::once(first).chain(numbered).find(|name| !taken.contains(name));
        let name = free.expect("there are more numbers than columns");
        taken.insert(name.clone());
        name
    });
    names.collect()
}

fn type_name(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "text",
        ColumnKind::Boolean => "boolean",
        ColumnKind::Integer => "bigint",
        ColumnKind::Float => "double precision",
        ColumnKind::Date => "date",
        ColumnKind::Timestamp => "timestamp with time zone",
        ColumnKind::TextList => "text[]",
        ColumnKind::Json => "json",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::described_table::DescribedColumn;
    use super::*;

    #[test]
    fn names_that_are_too_long_are_cut_and_stay_different() {
        let column = |name: &str| DescribedColumn {
            name: name.to_owned(),
            kind: ColumnKind::Text,
            doc: String::new(),
            references: None,
        };
        let long = format!("custom_{}", "x".repeat(60));
        let columns =
            vec![column("id"), column(&format!("{long}_a")), column(&format!("{long}_b"))];
        let table = DescribedTable {
            name: "contacts",
            doc: "",
            columns,
            files: Vec::new(),
            changes: None,
            run: None,
        };
        let names = column_names(&table);
        assert_eq!(names[0], "id");
        assert_eq!(names[1], long[..63]);
        assert_eq!(names[2], format!("{}_2", &long[..59]));
    }
}
