//! The report at the end of an export.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::command_start::EarlierExport;
use super::reading_hint;
use crate::cli::commands::several_locations::{
    LocationReport, LocationResult, combined_exit_code, emit_summary, outcome_name,
    print_location_error, report_locations, result_json,
};
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::stdout_failure;
use crate::cli::output::text_format::{format_bytes, format_duration, wrap_line};
use crate::cli::settings::Settings;
use crate::event::{ExportOutcome, ExportReport};
use crate::export::ExportEstimate;
use crate::text::{escape_for_terminal, format_count, format_plural, select_plural};

/// A finished export, or only its price.
pub(crate) enum ExportOrEstimate {
    Report(Box<ExportReport>),
    Earlier(EarlierExport),
    Estimate(ExportEstimate),
}

impl LocationReport for ExportOrEstimate {
    fn exit_code(&self) -> CliExitCode {
        match self {
            Self::Report(report) => report_exit_code(report),
            Self::Earlier(EarlierExport { is_partial: true, .. }) => CliExitCode::Partial,
            Self::Earlier(_) | Self::Estimate(_) => CliExitCode::Done,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Report(report) => json!(report),
            Self::Earlier(export) => {
                json!({ "outcome": outcome_name(self.exit_code()), "run": export.run, "earlier": true })
            }
            Self::Estimate(estimate) => json!(estimate),
        }
    }

    fn summary_line(&self) -> Option<String> {
        match self {
            Self::Report(report) => Some(location_line(report)),
            Self::Earlier(_) | Self::Estimate(_) => None,
        }
    }

    const GO_ON: &str =
        "the same command with `--continue` goes on with them, and leaves out those that are done";
}

/// Reports how the exports ended, and returns the exit code.
pub(crate) fn report_exports(
    mut ended: Vec<LocationResult<ExportOrEstimate>>,
    many: bool,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    if many {
        let is_earlier =
            |ended: &&LocationResult<_>| matches!(ended.1, Ok(ExportOrEstimate::Earlier(_)));
        let earlier = ended.iter().filter(is_earlier).count() as u64;
        if earlier > 0 {
            let (locations, were) =
                (format_plural(earlier, "location"), select_plural(earlier, "was", "were"));
            screen.print_note(&format!("{locations} {were} exported before the interruption"));
        }
        let none = Value::Object(Map::new());
        return Ok(report_locations(&ended, "exported", none, settings, screen));
    }
    let (_, result) = ended.pop().expect("one account was asked for");
    match result? {
        ExportOrEstimate::Report(report) => Ok(report_export(&report, settings, screen)),
        ExportOrEstimate::Earlier(_) | ExportOrEstimate::Estimate(_) => {
            unreachable!(
                "an estimate is reported by `report_estimates`, and a command for one location leaves out none"
            )
        }
    }
}

/// The exit code of a finished export.
pub(super) fn report_exit_code(report: &ExportReport) -> CliExitCode {
    match report.outcome {
        ExportOutcome::Complete => CliExitCode::Done,
        ExportOutcome::Partial => CliExitCode::Partial,
    }
}

/// Reports how one export ended.
pub(crate) fn report_export(
    report: &ExportReport,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let code = report_exit_code(report);
    if settings.json {
        emit_summary(screen, code, json!(report));
        return code;
    }
    for line in report_lines(report) {
        screen.print_note(&line);
    }
    code
}

/// What became of one of several locations: its rows, how long it took, and where they are.
pub(super) fn location_line(report: &ExportReport) -> String {
    let rows = report.rows.get("contacts").map(|rows| format_plural(*rows, "contact"));
    let rows = rows.unwrap_or_else(|| format_plural(report.rows.values().sum(), "row"));
    let unreadable = match report.unreadable {
        0 => String::new(),
        n => format!(", {} unreadable (errors.csv)", format_plural(n, "record")),
    };
    let out = escape_for_terminal(&report.out.display().to_string()).into_owned();
    format!("{rows} in {}{unreadable} -> {out}", format_duration(report.elapsed))
}

/// The files of an export, and what it cost.
pub(super) fn file_lines(report: &ExportReport) -> Vec<String> {
    let out = escape_for_terminal(&report.out.display().to_string()).into_owned();
    let mut lines = vec![format!("exported to {out}")];
    let width = report.files.iter().map(|file| file.file.len()).max().unwrap_or_default().max(22);
    for file in &report.files {
        let (rows, bytes) = (format_count(file.rows), format_bytes(file.bytes));
        let noun = select_plural(file.rows, "row", "rows");
        lines.push(format!("  {:<width$} {rows:>12} {noun:<4}  {bytes:>10}", file.file));
    }
    lines.push(requests_line(report));
    lines
}

fn report_lines(report: &ExportReport) -> Vec<String> {
    let mut lines = file_lines(report);
    if report.unreadable == 0 && report.outcome == ExportOutcome::Partial {
        lines.push(format!(
            "the export is not what was requested; errors.csv says why, and this asks again for what is missing:\n  \
             ghl-bulk resume {} --retry-errors",
            shorten_run_id(&report.run)
        ));
    }
    if report.unreadable > 0 {
        lines.push(format!(
            "{} could not be read; errors.csv says which or why, and this asks for just those:\n  ghl-bulk resume {} --retry-errors",
            format_plural(report.unreadable, "record"),
            shorten_run_id(&report.run)
        ));
    }
    lines.extend(reading_hint::reading_hint(report));
    lines
}

/// What an export has cost: `307 requests in 3.1 s`.
pub(super) fn requests_line(report: &ExportReport) -> String {
    let requests: u64 = report.requests.values().sum();
    let refused = match report.refused {
        0 => String::new(),
        n => format!(", {n} rejected by the rate limit"),
    };
    let (requests, time) = (format_plural(requests, "request"), format_duration(report.elapsed));
    format!("{requests} in {time}{refused}")
}

/// Reports what exports would cost.
pub(crate) fn report_estimates(
    ended: Vec<LocationResult<ExportOrEstimate>>,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let (many, code) = (ended.len() > 1, combined_exit_code(&ended));
    let mut all = Map::new();
    let mut out = io::stdout().lock();
    for (location, end) in ended {
        let shown = escape_for_terminal(location.as_str());
        match end {
            Err(failure) if !many => return Err(failure),
            end if settings.json => drop(all.insert(location.to_string(), result_json(&end))),
            Err(failure) => print_location_error(&shown, &failure),
            Ok(ExportOrEstimate::Report(_) | ExportOrEstimate::Earlier(_)) => {}
            Ok(ExportOrEstimate::Estimate(estimate)) => {
                stdout_failure::remember_failure(if many {
                    writeln!(out, "{shown}")
                } else {
                    Ok(())
                });
                stdout_failure::remember_failure(write_estimate(&mut out, &estimate));
            }
        }
    }
    drop(out);
    if settings.json {
        let outcome = if code == CliExitCode::Done { "estimate" } else { outcome_name(code) };
        emit_summary(screen, code, json!({ "outcome": outcome, "locations": all }));
    }
    Ok(code)
}

fn write_estimate(out: &mut impl Write, estimate: &ExportEstimate) -> io::Result<()> {
    for (what, requests) in &estimate.requests {
        writeln!(out, "{:>12} requests  {what}", format_count(*requests))?;
    }
    writeln!(
        out,
        "{:>12} requests  in all, for {}",
        format_count(estimate.total),
        format_plural(estimate.contacts, "contact")
    )?;
    let time = match estimate.seconds {
        0 => "at once".to_owned(),
        seconds => format_duration(std::time::Duration::from_secs(seconds)),
    };
    writeln!(out, "{time:>12}           at the limit")?;
    let left = estimate
        .daily_left
        .map(|left| format!(", {} left now", format_count(left)))
        .unwrap_or_default();
    let limit = format_count(estimate.daily_limit);
    writeln!(
        out,
        "{:>11.1}%           of the daily request quota of {limit}{left}",
        estimate.daily_share
    )?;
    for assumption in &estimate.assumptions {
        let line = format!("Assumed: {}.", escape_for_terminal(assumption));
        writeln!(out, "{}", wrap_line(&line, Some(80)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::progress::documented_fields;

    #[test]
    fn every_field_of_the_summary_is_documented() {
        let report = ExportReport {
            run: "r".parse().unwrap(),
            location: "l".parse().unwrap(),
            outcome: ExportOutcome::Complete,
            out: "out".into(),
            files: Vec::new(),
            rows: std::collections::BTreeMap::new(),
            unreadable: 0,
            requests: std::collections::BTreeMap::new(),
            refused: 0,
            elapsed: std::time::Duration::ZERO,
        };
        let failure = CliError::usage("x").summary_fields();
        let report = json!(report);
        let known = documented_fields("summary");
        for field in report.as_object().unwrap().keys().chain(failure.keys()) {
            assert!(known.contains(field), "{field} is not in {known:?}");
        }
    }
}
