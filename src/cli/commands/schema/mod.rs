//! `ghl-bulk schema`.

mod dbt;
mod ddl;
mod described_table;
mod described_template;
mod read_code;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use self::ddl::SqlDialect;
use self::described_table::DescribedTable;
use self::read_code::ReaderTool;
use crate::cli::args::choice_arg::choice_parser;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::diagnostic::{DiagnosticCode, DiagnosticSeverity, EventWarningCode, FetchFailureCode};
use crate::text::escape_for_terminal;

/// Describe the tables of an export, the files for other systems, events, or codes
///
/// Tables are described as text, as SQL that creates them in a database, as sources of a dbt project, or as
/// code that reads their files. With `--export DIR` they are those of a finished export, with its custom
/// fields, and the SQL loads its rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk schema                  columns, types and meaning of the tables, as text
  ghl-bulk schema tables --json    the same as JSON
  ghl-bulk schema templates        the files for other systems: what fills each column, what an import reads
  ghl-bulk schema events           a JSON Schema of the lines that `--json` prints
  ghl-bulk schema codes            what each code of a warning, rejection or error means
  ghl-bulk schema --ddl duckdb --export backup | duckdb -bail crm.duckdb
                                   an export as a database: tables, types, keys, comments and rows
  ghl-bulk schema --ddl postgres --export backup | psql -v ON_ERROR_STOP=1 -d crm
                                   the same in Postgres; it takes JSON Lines (`--format jsonl`)
  ghl-bulk schema --dbt --export backup > models/sources.yml
  ghl-bulk schema --merge duckdb --export lake | duckdb -bail crm.duckdb
                                   what has changed, into tables that are kept up to date
  ghl-bulk schema --read pandas --export backup > read.py")]
pub(crate) struct SchemaArgs {
    /// What to describe
    #[arg(value_enum, default_value = "tables")]
    what: SchemaTopicArg,

    /// Print SQL that creates the tables and, with `--export`, loads their rows; tables of the same names are
    /// replaced
    #[arg(long, value_name = "DIALECT", value_parser = choice_parser::<SqlDialect>())]
    ddl: Option<SqlDialect>,

    /// Print SQL that brings tables up to date from the files of `export --incremental --changes`
    #[arg(long, value_name = "DIALECT", value_parser = choice_parser::<SqlDialect>(), requires = "export", conflicts_with_all = ["ddl", "dbt", "read"])]
    merge: Option<SqlDialect>,

    /// Print the tables as sources of a dbt project, with descriptions and tests
    #[arg(long, conflicts_with = "ddl")]
    dbt: bool,

    /// Print code that reads the files of an export with the right types
    #[arg(long, value_name = "TOOL", value_parser = choice_parser::<ReaderTool>(), requires = "export", conflicts_with_all = ["ddl", "dbt"])]
    read: Option<ReaderTool>,

    /// The directory of a finished export
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaTopicArg {
    /// Every table with its columns, their types and meaning
    Tables,
    /// The tables as sources of a dbt project; the same as `--dbt`
    Dbt,
    /// Every file for another system: the fields that fill its columns, and those that an import writes
    Templates,
    /// The JSON Schema of the lines that `--json` prints
    Events,
    /// Every code of result files, refused files and events, with its meaning
    Codes,
}

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let text = match args.what {
        SchemaTopicArg::Tables | SchemaTopicArg::Dbt => args.describe_tables(settings.json)?,
        _ if args.ddl.is_some() || args.dbt || args.export.is_some() => {
            return Err(CliError::usage(
                "`--ddl`, `--merge`, `--dbt`, `--read` and `--export` are about tables",
            )
            .with_hint("leave out `templates`, `events` or `codes`"));
        }
        SchemaTopicArg::Templates if settings.json => {
            format!("{:#}\n", described_template::templates_json())
        }
        SchemaTopicArg::Templates => described_template::templates_text(),
        SchemaTopicArg::Events => format!("{:#}\n", progress::events_schema()),
        SchemaTopicArg::Codes if settings.json => format!("{:#}\n", codes_json()),
        SchemaTopicArg::Codes => codes_text(),
    };
    print_stdout(text).map(|()| CliExitCode::Done)
}

impl SchemaArgs {
    fn describe_tables(&self, json: bool) -> Result<String, CliError> {
        let tables = match &self.export {
            Some(dir) => described_table::describe_export(dir)?,
            None => described_table::describe_all(),
        };
        if let Some(dialect) = self.merge {
            return ddl::write_merge(dialect, &tables);
        }
        match (self.ddl, self.read) {
            (Some(dialect), _) => ddl::write_ddl(dialect, &tables),
            (_, Some(tool)) => read_code::write_code(tool, &tables),
            _ if self.dbt || matches!(self.what, SchemaTopicArg::Dbt) => {
                Ok(dbt::write_sources(&tables))
            }
            _ if json => Ok(format!("{:#}\n", tables_json(&tables))),
            _ => Ok(tables_text(&tables)),
        }
    }
}

fn tables_json(tables: &[DescribedTable]) -> Value {
    let tables = tables.iter().map(|table| {
        let columns = table.columns.iter().map(|column| {
            json!({"name": column.name, "type": column.kind.name(), "description": column.doc})
        });
        json!({"name": table.name, "description": table.doc, "columns": columns.collect::<Vec<_>>()})
    });
    tables.collect()
}

fn tables_text(tables: &[DescribedTable]) -> String {
    let mut text = String::new();
    for table in tables {
        // Writing to a string never fails.
        let _ = writeln!(text, "{}: {}", table.name, table.doc);
        for column in &table.columns {
            if table.name == "contacts" && column.name == "extra" && table.files.is_empty() {
                let doc = "one column per custom field; `custom_fields` says which";
                let _ = writeln!(text, "  {:<24} {:<15} {doc}", "custom_<key>", "by its type");
            }
            let (name, kind) = (&column.name, column.kind.name());
            let _ = writeln!(text, "  {name:<24} {kind:<15} {}", escape_for_terminal(&column.doc));
        }
        text.push('\n');
    }
    text
}

fn codes_json() -> Value {
    let of_import = DiagnosticCode::ALL.iter().map(|code| {
        json!({"list": "import", "code": code, "severity": code.severity(), "description": code.meaning()})
    });
    let of_events = EventWarningCode::ALL.iter().map(
        |code| json!({"list": "events", "code": code, "severity": "warning", "description": code.meaning()}),
    );
    let of_errors = FetchFailureCode::ALL.iter().map(|code| {
        json!({"list": "errors.csv", "code": code, "severity": "error", "description": code.meaning()})
    });
    of_import.chain(of_events).chain(of_errors).collect()
}

fn codes_text() -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    for (index, severity) in DiagnosticSeverity::ALL.into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "{}s: {}", severity.name(), severity.meaning());
        let codes = DiagnosticCode::ALL.iter().filter(|code| code.severity() == severity);
        for code in codes {
            let _ = writeln!(text, "  {code:<26} {}", code.meaning());
        }
    }
    text.push_str("\nevents: warnings while a run works (stderr; `--json`: the event `warning`)\n");
    for code in EventWarningCode::ALL {
        let _ = writeln!(text, "  {code:<26} {}", code.meaning());
    }
    text.push_str("\nerrors: why a record could not be exported (errors.csv)\n");
    for code in FetchFailureCode::ALL {
        let _ = writeln!(text, "  {code:<26} {}", code.meaning());
    }
    text
}
