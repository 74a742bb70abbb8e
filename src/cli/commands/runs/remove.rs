//! `ghl-bulk runs rm`, and how a run is removed.

use std::io::{self, Write as _};

use crate::cli::commands::export::stdout_table::StdoutTable;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::export::ExportRequest;
use crate::id::RunId;
use crate::publish::OutputDir;
use crate::run::{RunError, RunKind, RunRef, RunStore};

/// Removes runs.
pub(super) fn run(named: &[RunRef], settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    // All are found before the first is removed, so that a mistake removes nothing.
    let runs = named.iter().map(|named| home.find_run(named)).collect::<Result<Vec<_>, _>>()?;
    for run in runs {
        remove_run(&home, &run)?;
        if !settings.quiet {
            // When stderr is closed the run is gone all the same.
            let _ = writeln!(io::stderr().lock(), "removed {run}");
        }
    }
    Ok(CliExitCode::Done)
}

/// Removes a run, and what it has left next to its output directory if it was killed.
pub(super) fn remove_run(home: &RunStore, id: &RunId) -> Result<(), RunError> {
    // Of a damaged run only the run itself is known.
    let known = home.run_summary(id)?.known.ok().filter(|(meta, _)| meta.kind == RunKind::Export);
    let request = known.and_then(|(meta, _)| serde_json::from_value(meta.options).ok());
    home.remove_run(id)?;
    let Some(request): Option<ExportRequest> = request else { return Ok(()) };
    if let Ok(place) = OutputDir::new(&request.out) {
        place.remove_stale_staging(id);
    }
    StdoutTable::remove_leftover(&request);
    Ok(())
}
