//! SQL that brings tables in a database up to date from the files of changes.
//!
//! Running it twice is running it once: it takes each record's last change since the newest one in the table, and the
//! rows of a reload replace everything before them.

use std::fmt::Write as _;

use super::super::described_table::DescribedTable;
use super::{SqlDialect, bigquery, duckdb, snowflake, sql_name, sql_text};
use crate::cli::output::error::CliError;
use crate::resource::ColumnKind;

/// How a database spells what the statements need.
struct MergeDialect {
    /// What the script begins with.
    head: &'static str,
    type_name: fn(ColumnKind) -> &'static str,
    quote: fn(&str) -> String,
    /// The beginning of time.
    epoch: &'static str,
    begin: &'static str,
    commit: &'static str,
    /// Whether the files are read; otherwise a table is, into which a loader puts them.
    reads_files: bool,
}

const DUCKDB: MergeDialect = MergeDialect {
    head: "-- Run with: duckdb -bail FILE < THIS_SCRIPT, after every export\n",
    type_name: duckdb::type_name,
    quote: sql_name,
    epoch: "TIMESTAMPTZ '1970-01-01 00:00:00Z'",
    begin: "BEGIN TRANSACTION;\n",
    commit: "COMMIT;\n",
    reads_files: true,
};

const BIGQUERY: MergeDialect = MergeDialect {
    head: "\
-- After every export, load the files that are new into TABLE_changes; DATASET is yours. Columns may be added:
--   bq load --source_format=PARQUET --parquet_enable_list_inference --schema_update_option=ALLOW_FIELD_ADDITION \\
--     DATASET.contacts_changes 'gs://BUCKET/lake/changes/contacts/FILE.parquet'
-- Columns of objects are STRING, as Parquet has them: PARSE_JSON(extra) reads one.
-- Then run with: bq query --use_legacy_sql=false --dataset_id=DATASET < THIS_SCRIPT
",
    type_name: bigquery_type_of_parquet,
    quote: str::to_owned,
    epoch: "TIMESTAMP '1970-01-01 00:00:00+00'",
    begin: "",
    commit: "",
    reads_files: false,
};

const SNOWFLAKE: MergeDialect = MergeDialect {
    head: "\
-- After every export, load the files; COPY INTO loads a file of a name once. STAGE is yours:
--   ALTER TABLE contacts_changes SET ENABLE_SCHEMA_EVOLUTION = TRUE;
--   COPY INTO contacts_changes FROM @STAGE/lake/changes/contacts FILE_FORMAT = (TYPE = PARQUET, USE_LOGICAL_TYPE = TRUE)
--     MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE;
-- Then run with: snow sql -f THIS_SCRIPT
",
    type_name: snowflake::type_name,
    quote: str::to_owned,
    epoch: "'1970-01-01 00:00:00Z'::TIMESTAMP_TZ",
    begin: "",
    commit: "",
    reads_files: false,
};

/// What a load of Parquet makes of a column: it has no type for JSON, and text is not assigned to such a column.
fn bigquery_type_of_parquet(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Json => bigquery::type_name(ColumnKind::Text),
        kind => bigquery::type_name(kind),
    }
}

/// The script for these tables.
///
/// # Errors
/// When the export has no changes, or the database has no such statement.
pub(in super::super) fn write_merge(
    dialect: SqlDialect,
    tables: &[DescribedTable],
) -> Result<String, CliError> {
    let dialect = match dialect {
        SqlDialect::Duckdb => &DUCKDB,
        SqlDialect::Bigquery => &BIGQUERY,
        SqlDialect::Snowflake => &SNOWFLAKE,
        SqlDialect::Postgres => {
            return Err(CliError::usage(
                "files of changes are Parquet, which Postgres cannot load",
            )
            .with_hint("load the tables as they are: `--ddl postgres`"));
        }
    };
    let with_changes: Vec<_> = tables.iter().filter(|table| table.changes.is_some()).collect();
    if with_changes.is_empty() {
        return Err(CliError::usage("the export has no files of changes in Parquet")
            .with_hint("`ghl-bulk export --incremental --changes --out DIR` writes them"));
    }
    let mut script = format!("{}{}", dialect.head, dialect.begin);
    for table in with_changes {
        write_table(&mut script, dialect, table);
    }
    script.push_str(dialect.commit);
    Ok(script)
}

fn write_table(script: &mut String, dialect: &MergeDialect, table: &DescribedTable) {
    let name = (dialect.quote)(table.name);
    let changes = match &table.changes {
        Some(dir) if dialect.reads_files => {
            let files = sql_text(&dir.join("*.parquet").display().to_string());
            format!("read_parquet({files}, union_by_name = true)")
        }
        _ => format!("{}_changes", table.name),
    };
    let columns: Vec<(String, &str)> = table
        .columns
        .iter()
        .map(|column| ((dialect.quote)(&column.name), (dialect.type_name)(column.kind)))
        .collect();
    let join = |part: &dyn Fn(&(String, &str)) -> String| {
        columns.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    let definitions = join(&|(column, kind)| format!("{column} {kind}"));
    let (names, values) =
        (join(&|(column, _)| column.clone()), join(&|(column, _)| format!("changed.{column}")));
    let updates = join(&|(column, _)| format!("{column} = changed.{column}"));
    let epoch = dialect.epoch;
    // Writing to a string never fails.
    let _ = writeln!(script, "\nCREATE TABLE IF NOT EXISTS {name} ({definitions});");
    for (column, kind) in &columns {
        let _ = writeln!(script, "ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {column} {kind};");
    }
    let _ = write!(
        script,
        "\
DELETE FROM {name} WHERE _changed_at < (SELECT max(_changed_at) FROM {changes} WHERE _op = 'reload');
MERGE INTO {name} AS existing USING (
  SELECT * FROM {changes}
  WHERE _changed_at >= (SELECT coalesce(max(_changed_at), {epoch}) FROM {name})
    AND _changed_at >= (SELECT coalesce(max(_changed_at), {epoch}) FROM {changes} WHERE _op = 'reload')
  QUALIFY row_number() OVER (PARTITION BY id ORDER BY _changed_at DESC, _seq DESC) = 1
) AS changed ON existing.id = changed.id
WHEN MATCHED AND changed._op = 'delete' THEN DELETE
WHEN MATCHED THEN UPDATE SET {updates}
WHEN NOT MATCHED AND changed._op <> 'delete' THEN INSERT ({names}) VALUES ({values});
"
    );
}
