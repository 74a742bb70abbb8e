//! `ghl-bulk runs list`.

use std::io::{self, Write as _};

use serde_json::Value;

use super::ignore_broken_pipe;
use super::overview::{RunOverview, RunSubject, shorten_path};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::text_format::format_bytes;
use crate::cli::output::text_table::{ColumnShrink, TextColumn, stdout_width, table_lines};
use crate::cli::settings::Settings;
use crate::run::ShortRunIds;
use crate::text::{escape_for_terminal, escape_json_line, format_count};

/// Lists all runs, oldest first.
pub(super) fn run(settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let (runs, short_ids) = (home.list_runs()?, home.short_ids());
    let runs: Vec<_> = runs.iter().map(|run| RunOverview::read(run, &short_ids)).collect();
    let mut out = io::stdout().lock();
    if settings.json {
        let runs: Vec<Value> = runs.iter().map(RunOverview::to_json).collect();
        let line = escape_json_line(Value::Array(runs).to_string());
        return ignore_broken_pipe(writeln!(out, "{line}"));
    }
    if runs.is_empty() {
        if settings.quiet {
            return Ok(CliExitCode::Done);
        }
        return ignore_broken_pipe(writeln!(io::stderr().lock(), "no runs yet"));
    }
    let width = stdout_width();
    let mut lines =
        table_lines(list_columns(&runs, &short_ids, width.is_some()), width).into_iter();
    ignore_broken_pipe(lines.try_for_each(|line| writeln!(out, "{line}")))
}

/// The columns. `shorten` is whether paths are shown as a person would write them here.
fn list_columns<'a>(
    runs: &[RunOverview<'a>],
    short_ids: &ShortRunIds,
    shorten: bool,
) -> Vec<TextColumn> {
    let column =
        |header, importance, shrink, right_aligned, text: &dyn Fn(&RunOverview<'a>) -> String| {
            let cells =
                runs.iter().map(|run| escape_for_terminal(&text(run)).into_owned()).collect();
            TextColumn { header, shrink, right_aligned, importance, cells }
        };
    let subject = |run: &RunOverview<'_>| match &run.subject {
        Some(RunSubject::Path(path)) if shorten => shorten_path(path).display().to_string(),
        Some(RunSubject::Path(path)) => path.display().to_string(),
        Some(RunSubject::Import(id)) => format!("run {}", short_ids.shorten(id)),
        None => String::new(),
    };
    let location = |run: &RunOverview<'_>| match &run.summary.known {
        Ok((meta, _)) => meta.location.to_string(),
        Err(_) => String::new(),
    };
    let kind = |run: &RunOverview<'_>| run.kind().map(|kind| kind.to_string()).unwrap_or_default();
    let (never, middle, end) = (ColumnShrink::Never, ColumnShrink::CutMiddle, ColumnShrink::CutEnd);
    vec![
        column("RUN", 9, never, false, &|run| run.short_id.clone()),
        column("WHEN (UTC)", 6, never, false, &RunOverview::created_text),
        column("WHAT", 5, never, false, &kind),
        column("STATE", 8, never, false, &|run| run.state.replace('_', " ")),
        column("ROWS", 3, never, true, &|run| run.rows.map(format_count).unwrap_or_default()),
        column("SIZE", 2, never, true, &|run| format_bytes(run.bytes)),
        column("LOCATION", 1, never, false, &location),
        column("PATH", 7, middle, false, &subject),
        column("REASON", 4, end, false, &|run| run.why.clone().unwrap_or_default()),
    ]
}
