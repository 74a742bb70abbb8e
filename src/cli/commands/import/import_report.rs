//! The reports of an import: its plan, and how it ended.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::confirm_delete::{confirm_flag, deletion_count_text};
use crate::cli::output::error::NextCommand;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_duration;
use crate::cli::settings::Settings;
use crate::id::RunId;
use crate::import::{
    DeletionSummary, ImportPlan, ImportReport, ImportStatus, PlanSummary, RowOutcomeCounts,
};
use crate::plan::DeletedRecordKind;
use crate::run::RunKind;
use crate::text::{escape_for_terminal, format_count, format_plural, truncate_text};

/// Lines of a list that are shown.
const SHOWN: usize = 12;

/// Reports the result of a dry run.
pub(crate) fn report_dry_run(
    planned: &ImportPlan,
    detailed: bool,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let summary = &planned.summary;
    let rejected = summary.rejected.values().sum::<u64>();
    let code = match rejected {
        _ if detailed && summary.has_writes() => CliExitCode::Changes,
        0 => CliExitCode::Done,
        _ => CliExitCode::Partial,
    };
    if settings.json {
        let mut line = summary_header(code, "planned");
        line.insert("run".to_owned(), json!(planned.run_id()));
        line.insert("out".to_owned(), json!(planned.out));
        line.insert("plan".to_owned(), json!(summary));
        line.insert("apply".to_owned(), apply_command(planned).into());
        screen.emit_event(&line);
        return code;
    }
    print_plan(planned, screen);
    if summary.has_writes() {
        let apply = apply_command(planned);
        screen.print_note(&format!("nothing was sent; this applies the plan:\n  {apply}"));
    } else {
        screen.print_note("there is nothing to send");
    }
    code
}

/// The command that applies a plan.
fn apply_command(planned: &ImportPlan) -> String {
    let removal = planned.summary.removal.as_ref().filter(|removal| removal.count > 0);
    let flags = removal.map(confirm_flag).unwrap_or_default();
    NextCommand::apply(planned.run_id().clone(), &flags).to_string()
}

/// Reports that the user declined a plan.
pub(crate) fn report_declined(
    planned: &ImportPlan,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let code = CliExitCode::Done;
    if settings.json {
        let mut line = summary_header(code, "declined");
        line.insert("run".to_owned(), json!(planned.run_id()));
        line.insert("out".to_owned(), json!(planned.out));
        screen.emit_event(&line);
        return code;
    }
    screen.print_note("nothing was sent, and the plan is closed");
    code
}

/// Shows the totals of a plan.
pub(crate) fn print_plan(planned: &ImportPlan, screen: &CliReporter) {
    screen.print_note(&plan_lines(planned).join("\n"));
}

fn plan_lines(planned: &ImportPlan) -> Vec<String> {
    let summary = &planned.summary;
    let back = planned.undo_target();
    let rows = format_plural(summary.rows, "row");
    let mut lines = vec![match &back {
        Some(run) => format!("plan to take back run {run}, {rows}:"),
        None => format!("plan for {rows}:"),
    }];
    lines.extend(summary.actions.iter().map(|(action, rows)| {
        format!("  {:>10}  {}", format_count(*rows), action.name().replace('_', " "))
    }));
    let why = if back.is_some() { "left alone because" } else { "rejected because" };
    lines.extend(count_table(why, summary.rejected.iter().map(name_and_count)));
    lines.extend(count_table("warnings", summary.warnings.iter().map(name_and_count)));
    let mut fields: Vec<_> = summary.fields.iter().map(name_and_count).collect();
    fields.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    lines.extend(count_table("fields that change", fields.into_iter()));
    lines.extend(column_lines(summary));
    lines.extend(example_lines(summary));
    lines.extend(cost_lines(summary));
    lines.extend(summary.removal.as_ref().map(deletion_line));
    if !summary.tags.is_empty() {
        let tags: Vec<_> = summary
            .tags
            .iter()
            .map(|(tag, rows)| format!("{} ({})", escape_for_terminal(tag), format_count(*rows)))
            .collect();
        lines.push(format!("workflows may start on new tags: {}", tags.join(", ")));
    }
    if summary.once > 0 {
        lines.push(format!(
            "{} have nothing that identifies them: each is sent at most once and never retried",
            format_plural(summary.once, "row")
        ));
    }
    let plan = planned.out.join("plan.csv").display().to_string();
    lines.push(format!("row by row: {}", escape_for_terminal(&plan)));
    lines
}

/// What is deleted permanently, and what an undo can restore.
fn deletion_line(removal: &DeletionSummary) -> String {
    let what = deletion_count_text(removal);
    if removal.by_undo {
        return format!("this deletes {what} permanently; an undo cannot be undone");
    }
    if removal.what != DeletedRecordKind::Contacts {
        let one = removal.what.singular_name();
        return format!(
            "this deletes {what}, and no contacts; `ghl-bulk undo` recreates each {one} as a new one"
        );
    }
    let (notes, tasks) =
        (format_plural(removal.notes, "note"), format_plural(removal.tasks, "task"));
    let known = match removal.opportunities {
        0 => String::new(),
        count => format!(" ({count} found)"),
    };
    format!(
        "this deletes {what} with {notes} and {tasks}; `ghl-bulk undo` recreates them as new contacts. \
         Their appointments, conversations and opportunities{known} are lost permanently"
    )
}

fn name_and_count<'a>((name, rows): (&'a String, &'a u64)) -> (&'a str, u64) {
    (name, *rows)
}

fn count_table<'a>(title: &str, rows: impl Iterator<Item = (&'a str, u64)>) -> Vec<String> {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("{title}:")];
    let line = |(name, number): &(&str, u64)| {
        format!("  {:>10}  {}", format_count(*number), escape_for_terminal(name))
    };
    lines.extend(rows.iter().take(SHOWN).map(line));
    if rows.len() > SHOWN {
        lines.push(format!("  {:>10}  and {} more", "", rows.len() - SHOWN));
    }
    lines
}

fn column_lines(summary: &PlanSummary) -> Vec<String> {
    if summary.columns.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["columns:".to_owned()];
    let shown = |it: &crate::import::ColumnMapping| {
        format!("  {} -> {}", escape_for_terminal(&it.column), escape_for_terminal(&it.target))
    };
    lines.extend(summary.columns.iter().take(SHOWN).map(shown));
    if summary.columns.len() > SHOWN {
        lines.push(format!("  and {} more", summary.columns.len() - SHOWN));
    }
    lines
}

fn example_lines(summary: &PlanSummary) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, changes) in &summary.examples {
        lines.push(format!("row {n}:"));
        for change in changes.iter().take(SHOWN) {
            let (field, old) = (escape_for_terminal(&change.field), truncate_value(&change.old));
            let old = if old.is_empty() { String::new() } else { format!("{old} -> ") };
            lines.push(format!("  {field}: {old}{}", truncate_value(&change.new)));
        }
    }
    lines
}

/// A value's beginning, on one line.
fn truncate_value(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    escape_for_terminal(&truncate_text(&line, 60)).into_owned()
}

fn cost_lines(summary: &PlanSummary) -> Vec<String> {
    if !summary.has_writes() {
        return Vec::new();
    }
    let mut lines = count_table("requests", summary.requests.iter().map(name_and_count));
    let time = match summary.seconds {
        0 => "at once".to_owned(),
        seconds => format_duration(Duration::from_secs(seconds)),
    };
    lines.push(format!(
        "{} in total, {time} at the rate limit, {:.1}% of the daily request quota",
        format_plural(summary.total, "request"),
        summary.daily_share
    ));
    lines
}

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
        _ => (CliExitCode::Done, "complete"),
    };
    if settings.json {
        let mut line = summary_header(code, outcome);
        line.insert("run".to_owned(), json!(run));
        line.insert("out".to_owned(), json!(standing.out));
        line.insert("rows".to_owned(), json!(tally));
        screen.emit_event(&line);
        return code;
    }
    screen.print_note(&format!("run {run} is finished; there is nothing to do"));
    let out = escape_for_terminal(&standing.out.display().to_string()).into_owned();
    if let Some(undo) = &standing.undone_by {
        screen.print_note(&format!("it was undone by run {undo}"));
    }
    if tally.rejected > 0 {
        let rows = format_plural(tally.rejected, "row");
        screen.print_note(&format!("{rows} rejected, for the reasons in {out}/rejected.csv"));
    }
    if tally.in_doubt > 0 {
        let rows = format_plural(tally.in_doubt, "row");
        screen.print_note(&format!(
            "{rows} in doubt; fill in {out}/in_doubt.csv, then run:\n  ghl-bulk runs resolve {run} {out}/in_doubt.csv"
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
        _ if tally.rejected > 0 => CliExitCode::Partial,
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

fn summary_header(code: CliExitCode, outcome: &str) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    line.insert("outcome".to_owned(), outcome.into());
    line
}

fn result_lines(report: &ImportReport, summary: &PlanSummary) -> Vec<String> {
    let tally = report.tally;
    let mut lines = vec![format!("{}:", format_plural(summary.rows, "row"))];
    let parts = [
        (tally.succeeded, "succeeded", "succeeded.csv"),
        (tally.unchanged, "unchanged", "unchanged.csv"),
        (tally.rejected, "rejected", "rejected.csv"),
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
    let out = escape_for_terminal(&report.out.display().to_string()).into_owned();
    lines.push(format!("files in {out}"));
    lines.extend(next_step_lines(report, &out));
    lines
}

/// The next steps for the user.
fn next_step_lines(report: &ImportReport, out: &str) -> Vec<String> {
    let (run, tally) = (&report.run, report.tally);
    let mut lines = Vec::new();
    let undo = report.kind == RunKind::Undo;
    if tally.rejected > 0 && undo {
        lines.push(format!("{out}/rejected.csv lists what was not undone, and why"));
    } else if tally.rejected > 0 {
        lines.push(format!(
            "fix the rejected rows and import the file again:\n  ghl-bulk import {out}/rejected.csv"
        ));
    }
    if tally.in_doubt > 0 {
        lines.push(format!(
            "look up the rows in doubt in the account, fill in `_doubt_decision`, then run:\n  ghl-bulk runs resolve {run} {out}/in_doubt.csv"
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
        lines.push(format!("to undo this import:\n  ghl-bulk undo {run}"));
    }
    lines
}
