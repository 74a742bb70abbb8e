//! The report at the end of an export.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::reading_hint;
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::stdout_failure;
use crate::cli::output::text_format::{format_bytes, format_duration, wrap_line};
use crate::cli::settings::Settings;
use crate::event::{ExportOutcome, ExportReport};
use crate::export::ExportEstimate;
use crate::id::LocationId;
use crate::text::{escape_for_terminal, format_count, format_plural, select_plural};

/// The result of one location.
pub(crate) type LocationResult<T> = (LocationId, Result<T, CliError>);

/// A finished export, or only its price.
pub(crate) enum ExportOrEstimate {
    Report(Box<ExportReport>),
    Estimate(ExportEstimate),
}

/// Reports how the exports ended, and returns the exit code.
pub(crate) fn report_exports(
    mut ended: Vec<LocationResult<ExportOrEstimate>>,
    many: bool,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    if !many {
        let (_, result) = ended.pop().expect("one account was asked for");
        return match result? {
            ExportOrEstimate::Report(report) => Ok(report_export(&report, settings, screen)),
            ExportOrEstimate::Estimate(_) => {
                unreachable!("an estimate is reported by `report_estimates`")
            }
        };
    }
    let code = combined_exit_code(&ended);
    if settings.json {
        let locations: Map<_, _> =
            ended.iter().map(|(id, end)| (id.to_string(), result_json(end))).collect();
        emit_summary(
            screen,
            code,
            json!({ "outcome": outcome_name(code), "locations": locations }),
        );
        return Ok(code);
    }
    for (location, end) in &ended {
        let location = escape_for_terminal(location.as_str()).into_owned();
        match end {
            Ok(ExportOrEstimate::Report(report)) => {
                screen.print_note(&format!("{location}: {}", summary_line(report)));
            }
            Ok(ExportOrEstimate::Estimate(_)) => {}
            Err(failure) => print_location_error(&location, failure),
        }
    }
    let failed = ended.iter().filter(|(_, end)| end.is_err()).count();
    let done = format_plural((ended.len() - failed) as u64, "location");
    let failed = if failed == 0 { String::new() } else { format!(", {failed} failed (see above)") };
    screen.print_note(&format!("{done} exported{failed}"));
    Ok(code)
}

/// One code for several locations: the failure's own where they all ended alike, else 3.
fn combined_exit_code(ended: &[LocationResult<ExportOrEstimate>]) -> CliExitCode {
    let codes: Vec<CliExitCode> = ended
        .iter()
        .map(|(_, end)| match end {
            Ok(ExportOrEstimate::Report(report)) => report_exit_code(report),
            Ok(ExportOrEstimate::Estimate(_)) => CliExitCode::Done,
            Err(failure) => failure.code,
        })
        .collect();
    match codes.split_first() {
        Some((first, rest)) if rest.iter().all(|code| code == first) => *first,
        _ if codes.contains(&CliExitCode::Interrupted) => CliExitCode::Interrupted,
        _ if codes.contains(&CliExitCode::Terminated) => CliExitCode::Terminated,
        _ => CliExitCode::Partial,
    }
}

/// Failures are printed even with `--quiet`.
pub(crate) fn print_location_error(location: &str, failure: &CliError) {
    let mut err = io::stderr().lock();
    // When stderr is closed there is nothing to report to.
    let _ = writeln!(err, "error: {location}: {}", escape_for_terminal(&failure.message));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(err, "  hint: {}", escape_for_terminal(hint));
    }
    if let Some(next) = &failure.next {
        let _ = writeln!(err, "  next: {}", next.command_line(&shorten_run_id(&next.run)));
    }
}

/// The exit code of a finished export.
pub(super) fn report_exit_code(report: &ExportReport) -> CliExitCode {
    match report.outcome {
        ExportOutcome::Complete => CliExitCode::Done,
        ExportOutcome::Partial => CliExitCode::Partial,
    }
}

fn outcome_name(code: CliExitCode) -> &'static str {
    match code {
        CliExitCode::Done => "complete",
        CliExitCode::Partial => "partial",
        _ => "failed",
    }
}

fn result_json(end: &Result<ExportOrEstimate, CliError>) -> Value {
    match end {
        Ok(ExportOrEstimate::Report(report)) => json!(report),
        Ok(ExportOrEstimate::Estimate(estimate)) => json!(estimate),
        Err(failure) => {
            let mut fields = failure.summary_fields();
            fields.insert("exit_code".to_owned(), (failure.code as u8).into());
            Value::Object(fields)
        }
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

fn emit_summary(screen: &CliReporter, code: CliExitCode, rest: Value) {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    if let Value::Object(rest) = rest {
        line.extend(rest);
    }
    screen.emit_event(&line);
}

fn summary_line(report: &ExportReport) -> String {
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
            Ok(ExportOrEstimate::Report(_)) => {}
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
