//! `ghl-bulk schema`.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress;
use crate::cli::settings::Settings;
use crate::diagnostic::{DiagnosticCode, DiagnosticSeverity, EventWarningCode, FetchFailureCode};
use crate::resource::{CustomFieldColumns, RESOURCES};

/// Describe the tables of an export, the events of `--json`, or the codes of warnings
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk schema tables           columns, types and meaning, as text
  ghl-bulk schema tables --json    the same as JSON
  ghl-bulk schema events           a JSON Schema of the lines that `--json` prints
  ghl-bulk schema codes            what each code of a warning, rejection or error means
  ghl-bulk schema codes --json     the same as JSON")]
pub(crate) struct SchemaArgs {
    /// What to describe
    #[arg(value_enum)]
    what: SchemaTopicArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaTopicArg {
    /// Every table with its columns, their types and meaning
    Tables,
    /// The JSON Schema of the lines that `--json` prints
    Events,
    /// Every code of result files, refused files and events, with its meaning
    Codes,
}

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let mut out = io::stdout().lock();
    let result = match args.what {
        SchemaTopicArg::Events => writeln!(out, "{:#}", progress::events_schema()),
        SchemaTopicArg::Tables if settings.json => writeln!(out, "{:#}", tables_json()),
        SchemaTopicArg::Tables => write_tables(&mut out),
        SchemaTopicArg::Codes if settings.json => writeln!(out, "{:#}", codes_json()),
        SchemaTopicArg::Codes => write_codes(&mut out),
    };
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::usage(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(CliExitCode::Done),
    }
}

fn tables_json() -> Value {
    let tables = RESOURCES.iter().map(|resource| {
        let columns = resource.table_schema(&CustomFieldColumns::default()).columns.into_iter().map(|column| {
            json!({"name": column.name, "type": column.kind.name(), "description": column.doc})
        });
        json!({"name": resource.name, "description": resource.doc, "columns": columns.collect::<Vec<_>>()})
    });
    tables.collect()
}

fn write_tables(out: &mut impl Write) -> io::Result<()> {
    for resource in RESOURCES {
        writeln!(out, "{}: {}", resource.name, resource.doc)?;
        for column in resource.table_schema(&CustomFieldColumns::default()).columns {
            if resource.name == "contacts" && column.name == "extra" {
                let doc = "one column per custom field; `custom_fields` says which";
                writeln!(out, "  {:<24} {:<15} {doc}", "custom_<key>", "by its type")?;
            }
            writeln!(out, "  {:<24} {:<15} {}", column.name, column.kind.name(), column.doc)?;
        }
        writeln!(out)?;
    }
    Ok(())
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

fn write_codes(out: &mut impl Write) -> io::Result<()> {
    for (index, severity) in DiagnosticSeverity::ALL.into_iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}s: {}", severity.name(), severity.meaning())?;
        let codes = DiagnosticCode::ALL.iter().filter(|code| code.severity() == severity);
        for code in codes {
            writeln!(out, "  {code:<26} {}", code.meaning())?;
        }
    }
    writeln!(out, "\nevents: warnings while a run works (stderr; `--json`: the event `warning`)")?;
    for code in EventWarningCode::ALL {
        writeln!(out, "  {code:<26} {}", code.meaning())?;
    }
    writeln!(out, "\nerrors: why a record could not be exported (errors.csv)")?;
    for code in FetchFailureCode::ALL {
        writeln!(out, "  {code:<26} {}", code.meaning())?;
    }
    Ok(())
}
