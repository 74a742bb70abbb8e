//! How an import ended: the counts, what is wrong with the rest, and what to do next.

use std::path::Path;

use serde_json::{Value, json};

use super::problem_sentences::problem_sentences;
use super::screen_lines::{ScreenSection, fit_sections};
use super::summary_header;
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_duration;
use crate::cli::settings::Settings;
use crate::id::RunId;
use crate::import::{
    FieldOutcome, FieldOutcomeKind, ImportReport, ImportStatus, PlanSummary, RowOutcomeCounts,
};
use crate::run::RunKind;
use crate::text::{
    escape_for_terminal, format_count, format_plural, quote_path_for_shell, select_plural,
};

/// The most lines about problems.
const PROBLEM_LINES: usize = 9;

/// Reports that an import is finished, and what is left for the user to decide.
pub(crate) fn report_finished(
    run: &RunId,
    standing: &ImportStatus,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let tally = standing.rows.unwrap_or_default();
    let (code, outcome) = match tally {
        RowOutcomeCounts { in_doubt: 1.., .. } => (CliExitCode::InDoubt, "in_doubt"),
        RowOutcomeCounts { rejected: 1.., .. } => (CliExitCode::Partial, "partial"),
        _ if standing.values_not_kept > 0 => (CliExitCode::Partial, "partial"),
        _ => (CliExitCode::Done, "complete"),
    };
    if settings.json {
        let mut line = summary_header(code, outcome);
        line.insert("run".to_owned(), json!(run));
        line.insert("out".to_owned(), json!(standing.out));
        line.insert("rows".to_owned(), json!(tally));
        line.insert("values_not_kept".to_owned(), json!(standing.values_not_kept));
        screen.emit_event(&line);
        return code;
    }
    screen.print_note(&format!("run {run} is finished; there is nothing to do"));
    let file = |name| result_path(&standing.out, name);
    if let Some(undo) = &standing.undone_by {
        screen.print_note(&format!("it was undone by run {undo}"));
    }
    if tally.rejected > 0 {
        let rows = format_plural(tally.rejected, "row");
        let file = file(standing.rejected_file);
        screen.print_note(&format!("{rows} rejected, for the reasons in {file}"));
    }
    if standing.values_not_kept > 0 {
        let sentence = not_kept_sentence(standing.values_not_kept, &file("warnings.csv"));
        screen.print_note(&sentence);
    }
    if tally.in_doubt > 0 {
        let rows = format_plural(tally.in_doubt, "row");
        let (run, file) = (shorten_run_id(run), file("in_doubt.csv"));
        screen.print_note(&format!(
            "{rows} in doubt; fill in {file}, then run:\n  ghl-bulk runs resolve {run} {file}"
        ));
    }
    code
}

/// Reports how an import ended.
pub(crate) fn report_applied(
    report: &ImportReport,
    summary: &PlanSummary,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let tally = report.tally;
    let code = match tally {
        _ if tally.in_doubt > 0 || report.duplicates > 0 => CliExitCode::InDoubt,
        _ if tally.rejected > 0 || !report.not_kept.is_empty() => CliExitCode::Partial,
        _ => CliExitCode::Done,
    };
    if settings.json {
        let outcome = match code {
            CliExitCode::Done if report.sampled => "sampled",
            CliExitCode::Done if tally.pending > 0 => "pending",
            CliExitCode::Done => "complete",
            CliExitCode::InDoubt => "in_doubt",
            _ => "partial",
        };
        let mut line = summary_header(code, outcome);
        if let Value::Object(fields) = json!(report) {
            line.extend(fields);
        }
        line.insert("plan".to_owned(), json!(summary));
        screen.emit_event(&line);
        return code;
    }
    screen.print_note(&result_lines(report, summary).join("\n"));
    code
}

fn result_lines(report: &ImportReport, summary: &PlanSummary) -> Vec<String> {
    let tally = report.tally;
    let mut lines = vec![format!("{}:", format_plural(summary.rows, "row"))];
    let parts = [
        (tally.succeeded, "succeeded", "succeeded.csv"),
        (tally.unchanged, "unchanged", "unchanged.csv"),
        (tally.rejected, "rejected", report.rejected_file()),
        (tally.in_doubt, "in doubt", "in_doubt.csv"),
        (tally.pending, "pending", "pending.csv"),
    ];
    for (rows, what, file) in parts {
        if rows > 0 || what == "succeeded" {
            lines.push(format!("  {:>10}  {what:<10}  {file}", format_count(rows)));
        }
    }
    let requests: u64 = report.requests.values().sum();
    let refused = match report.refused {
        0 => String::new(),
        n => format!(", {n} rejected by the rate limit"),
    };
    lines.push(format!(
        "{} in {}{refused}",
        format_plural(requests, "request"),
        format_duration(report.elapsed)
    ));
    lines.extend(report.custom_fields.iter().map(field_line));
    let out = escape_for_terminal(&report.out.display().to_string()).into_owned();
    lines.push(format!("files in {out}"));
    let problems = summary.rejected_by_column.iter().chain(&report.failures).cloned();
    let sentences = problem_sentences(&problems.collect::<Vec<_>>());
    let title = match report.kind {
        RunKind::Undo => "not undone:",
        RunKind::Restore => "not restored:",
        _ => "not imported:",
    };
    let list = ScreenSection::list(title.to_owned(), sentences, "the files", PROBLEM_LINES);
    let not_kept = ScreenSection::list(
        "accepted, but not kept by the account:".to_owned(),
        problem_sentences(&report.not_kept),
        "warnings.csv",
        PROBLEM_LINES,
    );
    lines.extend(fit_sections(&[list, not_kept], PROBLEM_LINES));
    lines.extend(next_step_lines(report));
    lines
}

/// What became of a custom field.
fn field_line(field: &FieldOutcome) -> String {
    let name = escape_for_terminal(&field.name);
    let what = match field.outcome {
        FieldOutcomeKind::Created => "was created",
        FieldOutcomeKind::Existing => "existed already when it was to be created",
        FieldOutcomeKind::Deleted => "was deleted",
        FieldOutcomeKind::Left => "was left",
        FieldOutcomeKind::Pending => "is still to be created or deleted",
    };
    let why = field.reason.as_deref().filter(|_| field.outcome == FieldOutcomeKind::Left);
    let why = why.map(|why| format!(": {}", escape_for_terminal(why))).unwrap_or_default();
    format!("the custom field `{name}` {what}{why}")
}

/// Says how many values the account did not keep, and which file has each of them.
fn not_kept_sentence(values: u64, file: &str) -> String {
    let verb = select_plural(values, "was", "were");
    format!("{} {verb} accepted, but not kept; {file} has each", format_plural(values, "value"))
}

/// A result file as an argument of a command to copy.
fn result_path(out: &Path, name: &str) -> String {
    quote_path_for_shell(&out.join(name).display().to_string())
}

/// The next steps for the user.
fn next_step_lines(report: &ImportReport) -> Vec<String> {
    let (run, tally) = (shorten_run_id(&report.run), report.tally);
    let file = |name| result_path(&report.out, name);
    let mut lines = Vec::new();
    let undo = report.kind == RunKind::Undo;
    if tally.rejected > 0 && undo {
        lines.push(format!("{} lists what was not undone, and why", file(report.rejected_file())));
    } else if tally.rejected > 0 && report.kind == RunKind::Restore {
        let file = file(report.rejected_file());
        lines.push(format!("{file} lists what was not restored, and why"));
    } else if tally.rejected > 0 {
        lines.push(format!(
            "fix the rejected rows and import the file again, with the same mapping and options:\n  \
             ghl-bulk import {}",
            file(report.rejected_file())
        ));
    }
    if !report.not_kept.is_empty() {
        lines.push(not_kept_sentence(report.count_not_kept(), &file("warnings.csv")));
    }
    if tally.in_doubt > 0 {
        lines.push(format!(
            "look up the rows in doubt in the account, fill in `_doubt_decision`, then run:\n  \
             ghl-bulk runs resolve {run} {}",
            file("in_doubt.csv")
        ));
    }
    if report.duplicates > 0 {
        lines.push(format!(
            "{} may exist twice in the location; see duplicates.csv",
            format_plural(report.duplicates, "contact")
        ));
    }
    if tally.pending > 0 {
        lines.push(format!("to apply the rest:\n  ghl-bulk resume {run}"));
    }
    if tally.succeeded > 0 && !undo {
        lines.push(format!("to undo this {}:\n  ghl-bulk undo {run}", report.kind));
    }
    lines
}
