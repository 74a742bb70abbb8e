//! `ghl-bulk runs`.

mod show;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::export::OutputFormatArgs;
use super::export::{export_report, export_templates};
use super::import::import_report;
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::RunId;
use crate::publish::OutputDir;
use crate::run::{RunError, RunKind, RunSummary};
use crate::text::{escape_for_terminal, escape_json_line, format_plural};
use crate::{export, import};

/// List, show, publish again or remove runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk runs                                              all runs
  ghl-bulk runs show 20261121-061512-k3f9                    the progress of one run
  ghl-bulk runs publish 20261121-061512-k3f9 --format csv    write its files again, as CSV
  ghl-bulk runs publish 20261121-061512-k3f9 --template dext  the files that Dext imports
  ghl-bulk runs results 20261121-061512-k3f9                 write an import's result files again
  ghl-bulk runs rm 20261121-061512-k3f9                      remove it; its files stay")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    what: Option<RunsSubcommand>,
}

#[derive(Debug, Subcommand)]
enum RunsSubcommand {
    /// List all runs, oldest first (the default)
    List,
    /// Show one run: its kind, its progress, and what could not be read
    Show {
        /// The run
        run: RunId,
    },
    /// Write the files of a finished export again, in other formats or elsewhere, without calling the API
    Publish {
        /// The run
        run: RunId,
        #[command(flatten)]
        shape: OutputFormatArgs,
        /// The output directory [default: the run's]
        #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
        out: Option<PathBuf>,
    },
    /// Write the result files of an import again, without calling the API
    Results {
        /// The run
        run: RunId,
        /// The directory of the result files [default: the run's]
        #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
        out: Option<PathBuf>,
    },
    /// Apply your decisions on rows in doubt: `in_doubt.csv` with `_doubt_decision` filled in
    ///
    /// A decision is `applied`, `not applied`, or the id of the contact that the row created. `ghl-bulk
    /// resume` sends the rows that were not applied.
    Resolve {
        /// The run
        run: RunId,
        /// The file
        file: PathBuf,
    },
    /// Remove runs permanently; the files that they have written stay
    Rm {
        /// The runs
        #[arg(required = true)]
        run: Vec<RunId>,
    },
}

/// Runs the command.
pub(crate) fn run(args: &RunsArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        None | Some(RunsSubcommand::List) => list_runs(settings),
        Some(RunsSubcommand::Show { run }) => show::run(run, settings),
        Some(RunsSubcommand::Publish { run, shape, out }) => {
            publish_run(run, shape, out.as_ref(), settings)
        }
        Some(RunsSubcommand::Results { run, out }) => write_results(run, out.as_ref(), settings),
        Some(RunsSubcommand::Resolve { run, file }) => resolve_in_doubt(run, file, settings),
        Some(RunsSubcommand::Rm { run }) => remove_runs(run, settings),
    }
}

fn list_runs(settings: &Settings) -> Result<CliExitCode, CliError> {
    let runs = dirs::runs_home()?.list_runs()?;
    let mut out = io::stdout().lock();
    if settings.json {
        let runs: Vec<Value> = runs.iter().map(run_json).collect();
        return ignore_broken_pipe(writeln!(
            out,
            "{}",
            escape_json_line(Value::Array(runs).to_string())
        ));
    }
    if runs.is_empty() && !settings.quiet {
        return ignore_broken_pipe(writeln!(io::stderr().lock(), "no runs yet"));
    }
    for summary in &runs {
        let line = match &summary.known {
            Ok((meta, state)) => {
                let (state, location) = (state.name(summary.running), meta.location.to_string());
                format!(
                    "{}  {:<8} {state:<11} {}",
                    summary.id,
                    meta.kind,
                    escape_for_terminal(&location)
                )
            }
            Err(RunError::OtherVersion { written_by, .. }) => {
                let written_by = escape_for_terminal(written_by);
                format!(
                    "{}  written by ghl-bulk {written_by}, not readable by this version",
                    summary.id
                )
            }
            Err(error) => format!("{}  {}", summary.id, escape_for_terminal(&error.to_string())),
        };
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(CliExitCode::Done)
}

fn run_json(summary: &RunSummary) -> Value {
    let base = json!({"run": summary.id, "dir": summary.dir, "running": summary.running});
    let more = match &summary.known {
        Ok((meta, state)) => json!({
            "kind": meta.kind, "location": meta.location, "created": meta.created,
            "tool": meta.tool, "state": state.name(summary.running), "options": meta.options,
        }),
        Err(error @ RunError::OtherVersion { written_by, .. }) => {
            json!({"tool": written_by, "state": "other_version", "error": error.to_string()})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    match (base, more) {
        (Value::Object(mut base), Value::Object(more)) => {
            base.extend(more);
            Value::Object(base)
        }
        (base, _) => base,
    }
}

fn publish_run(
    id: &RunId,
    shape: &OutputFormatArgs,
    out: Option<&PathBuf>,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let run = home.open_run(id)?;
    if run.meta.kind != RunKind::Export {
        return Err(CliError::usage(format!("run `{id}` is not an export"))
            .with_hint(format!("`ghl-bulk runs results {id}` writes its result files again")));
    }
    let mut request = export::stored_request(&run)?;
    let templates = export_templates::select_templates(&shape.template, Some(request.tables))?;
    request.formats = shape.selected_formats();
    request.csv_safe = shape.csv_safe;
    request.csv_bom = shape.csv_bom;
    request.jsonl = shape.jsonl;
    request.replace = shape.replace;
    request.file_mode = shape.file_mode.unwrap_or(request.file_mode);
    if let Some(out) = out {
        request.out.clone_from(out);
    }
    let screen = CliReporter::new(settings.output_style);
    templates.report_missing(&screen);
    request.templates = templates.chosen;
    let report = export::republish_files(&home, &run, &request, &screen.location_observer(None));
    screen.finish();
    Ok(export_report::report_export(&report?, settings, &screen))
}

fn write_results(
    id: &RunId,
    out: Option<&PathBuf>,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let run = dirs::runs_home()?.open_run(id)?;
    if run.meta.kind == RunKind::Export {
        return Err(CliError::usage(format!("run `{id}` is an export"))
            .with_hint(format!("`ghl-bulk runs publish {id}` writes its files again")));
    }
    let out = out.map(std::path::absolute).transpose();
    let out = out.map_err(|error| CliError::usage(format!("`--out`: {error}")))?;
    let (report, summary) = import::rewrite_results(&run, out)?;
    let screen = CliReporter::new(settings.output_style);
    Ok(import_report::report_applied(&report, &summary, settings, &screen))
}

fn resolve_in_doubt(id: &RunId, file: &Path, settings: &Settings) -> Result<CliExitCode, CliError> {
    let screen = CliReporter::new(settings.output_style);
    let run = dirs::runs_home()?.open_run(id)?;
    signals::block_on(settings.deadline, &screen, |_| async {
        let resolved = import::resolve_in_doubt(&run, file).await?;
        let (report, summary) = import::rewrite_results(&run, None)?;
        let code = import_report::report_applied(&report, &summary, settings, &screen);
        let again = match resolved.again {
            0 => String::new(),
            rows => {
                format!("; {} will be sent by `ghl-bulk resume {id}`", format_plural(rows, "row"))
            }
        };
        let open = match resolved.open {
            0 => String::new(),
            rows => format!("; {} without a decision", format_plural(rows, "row")),
        };
        screen.print_note(&format!(
            "{} settled{again}{open}",
            format_plural(resolved.settled, "row")
        ));
        Ok(code)
    })
}

fn remove_runs(runs: &[RunId], settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    for run in runs {
        // Of a damaged run only the run itself is known.
        let request = home.open_run(run).ok().and_then(|run| export::stored_request(&run).ok());
        home.remove_run(run)?;
        if let Some(place) = request.and_then(|request| OutputDir::new(&request.out).ok()) {
            place.remove_stale_staging(run);
        }
        if !settings.quiet {
            // When stderr is closed the run is gone all the same.
            let _ = writeln!(io::stderr().lock(), "removed {run}");
        }
    }
    Ok(CliExitCode::Done)
}

/// A closed pipe is a reader that has seen enough.
fn ignore_broken_pipe(result: io::Result<()>) -> Result<CliExitCode, CliError> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::usage(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(CliExitCode::Done),
    }
}
