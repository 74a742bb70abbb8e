//! `export --out -`: one table to stdout, as CSV or JSON Lines.
//!
//! The export is made in a directory of the program's and copied when it is complete: a reader of the pipe never
//! takes half of a table for all of it.

use std::io;
use std::path::{Path, PathBuf};

use super::export_report;
use crate::cli::config::dirs::{self, shorten_run_id};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::event::ExportReport;
use crate::export::{ExportRequest, ExportTables};
use crate::resource::RESOURCES;
use crate::text::format_plural;

/// The formats that are text.
const FORMATS: [&str; 2] = ["csv", "jsonl"];

/// Where exports to stdout are made.
fn stdout_base() -> PathBuf {
    dirs::runs_home_dir().unwrap_or_else(std::env::temp_dir).join("stdout")
}

/// The table that goes to stdout.
#[derive(Debug, Clone)]
pub(crate) struct StdoutTable {
    pub(super) table: String,
    format: String,
    /// Where the export is made.
    pub(super) dir: PathBuf,
}

impl StdoutTable {
    /// Whether a path is that of stdout.
    pub(super) fn is_stdout(out: &Path) -> bool {
        out == Path::new("-")
    }

    /// The table that the arguments ask for.
    ///
    /// # Errors
    /// When the arguments ask for more than one table, or a format that is not text.
    pub(super) fn from_args(table: Option<&str>, formats: &[String]) -> Result<Self, CliError> {
        let format = match formats {
            [] => FORMATS[0].to_owned(),
            [one] if FORMATS.contains(&one.as_str()) => one.clone(),
            _ => {
                return Err(CliError::usage(
                    "`--out -` writes one table in one format: csv or jsonl",
                )
                .with_hint("choose with `--format csv` or `--format jsonl`"));
            }
        };
        let wanted = table.unwrap_or("contacts");
        let Some(resource) = RESOURCES.iter().find(|resource| resource.name == wanted) else {
            let names: Vec<_> = RESOURCES.iter().map(|resource| resource.name).collect();
            return Err(CliError::usage(format!("there is no table `{wanted}`"))
                .with_hint(format!("the tables are {}", names.join(", "))));
        };
        let dir = stdout_base().join(format!("{:016x}", fastrand::u64(..)));
        Ok(Self { table: resource.name.to_owned(), format, dir })
    }

    /// Removes the directory of an export that was killed before its table was copied.
    pub(crate) fn remove_leftover(request: &ExportRequest) {
        if request.stdout_table.is_some() && request.out.parent() == Some(&stdout_base()) {
            // Usually there is none.
            let _ = std::fs::remove_dir_all(&request.out);
        }
    }

    /// What has to be read for the table.
    pub(super) fn tables(&self) -> ExportTables {
        ExportTables {
            tasks: self.table == "tasks",
            notes: self.table == "notes",
            appointments: self.table == "appointments",
            businesses: self.table == "businesses",
        }
    }

    /// The format, as the request names it.
    pub(super) fn formats(&self) -> Vec<String> {
        vec![self.format.clone()]
    }

    /// The table of an export that is resumed.
    pub(crate) fn of_request(request: &ExportRequest) -> Option<Self> {
        let (table, format) = (request.stdout_table.clone()?, request.formats.first()?.clone());
        Some(Self { table, format, dir: request.out.clone() })
    }

    /// Copies the table of a finished export to stdout, removes the directory and reports how the export ended.
    ///
    /// # Errors
    /// When stdout cannot be written. A closed pipe is a reader that has seen enough.
    pub(crate) fn finish(
        &self,
        report: &ExportReport,
        screen: &CliReporter,
    ) -> Result<CliExitCode, CliError> {
        let file = report.files.iter().find(|file| file.table == self.table);
        let path = file.map(|file| report.out.join(&file.file));
        let copied = path.map(|path| {
            let mut file = std::fs::File::open(path)?;
            io::copy(&mut file, &mut io::stdout().lock())
        });
        // What was copied is not needed any more, and holds people's data.
        let _ = std::fs::remove_dir_all(&report.out);
        match copied.transpose() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(CliError::usage(format!("stdout cannot be written: {error}")));
            }
            _ => {}
        }
        let rows = report.rows.get(&self.table).copied().unwrap_or_default();
        let (rows, table) = (format_plural(rows, "row"), &self.table);
        screen.print_note(&format!("{rows} of `{table}` written to stdout"));
        screen.print_note(&export_report::requests_line(report));
        if report.unreadable > 0 {
            let (records, run) =
                (format_plural(report.unreadable, "record"), shorten_run_id(&report.run));
            screen.print_note(&format!(
                "{records} could not be read; `ghl-bulk runs show {run}` names them, and this writes the table \
                 again with them:\n  ghl-bulk resume {run} --retry-errors"
            ));
        }
        Ok(export_report::report_exit_code(report))
    }
}
