//! `export --out -`: one table to stdout, as CSV or JSON Lines.
//!
//! The export is made in a directory of the program's and copied when it is complete: a reader of the pipe never
//! takes half of a table for all of it.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::event::ExportReport;
use crate::export::ExportTables;
use crate::resource::RESOURCES;

/// The formats that are text.
const FORMATS: [&str; 2] = ["csv", "jsonl"];

/// The table that goes to stdout.
#[derive(Debug, Clone)]
pub(super) struct StdoutTable {
    table: &'static str,
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
        let dir = dirs::runs_home_dir().unwrap_or_else(std::env::temp_dir);
        let name = format!("{:016x}", fastrand::u64(..));
        Ok(Self { table: resource.name, format, dir: dir.join("stdout").join(name) })
    }

    /// What has to be read for the table.
    pub(super) fn tables(&self) -> ExportTables {
        ExportTables {
            tasks: self.table == "tasks",
            notes: self.table == "notes",
            appointments: self.table == "appointments",
        }
    }

    /// The format, as the request names it.
    pub(super) fn formats(&self) -> Vec<String> {
        vec![self.format.clone()]
    }

    /// Copies the table to stdout and removes the directory.
    pub(super) fn write(&self, report: &ExportReport) -> Result<(), CliError> {
        let file = report.files.iter().find(|file| file.table == self.table);
        let path = file.map(|file| report.out.join(&file.file));
        let copied = path.map(|path| {
            let mut file = std::fs::File::open(path)?;
            io::copy(&mut file, &mut io::stdout().lock())
        });
        // What was copied is not needed any more, and holds people's data.
        let _ = std::fs::remove_dir_all(&self.dir);
        match copied.transpose() {
            // A closed pipe is a reader that has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::usage(format!("stdout cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}
