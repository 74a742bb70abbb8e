//! `ghl-bulk schema`.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress;
use crate::cli::settings::Settings;
use crate::resource::{CustomFieldColumns, RESOURCES};

/// Describe the tables of an export, or the events that `--json` prints
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk schema tables           columns, types and meaning, as text
  ghl-bulk schema tables --json    the same as JSON
  ghl-bulk schema events           a JSON Schema of the lines that `--json` prints")]
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
}

/// Runs the command.
pub(crate) fn run(args: &SchemaArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let mut out = io::stdout().lock();
    let result = match args.what {
        SchemaTopicArg::Events => writeln!(out, "{:#}", progress::events_schema()),
        SchemaTopicArg::Tables if settings.json => writeln!(out, "{:#}", tables_json()),
        SchemaTopicArg::Tables => write_tables(&mut out),
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
