//! `ghl-bulk runs show`: one run, with how far it came.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::ignore_broken_pipe;
use super::next_command::RunPosition;
use super::overview::RunOverview;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::export;
use crate::import::{self, CreatedContactRule, ImportStatus};
use crate::run::{RunKind, RunRef, RunSummary, SpoolReader};
use crate::text::{escape_for_terminal, escape_json_line, format_count};

/// Unreadable records that are shown.
const SHOWN: usize = 20;

/// Shows one run.
pub(super) fn run(named: &RunRef, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let summary = home.run_summary(&home.find_run(named)?)?;
    let overview = RunOverview::read(&summary, &home.short_ids());
    let mut shown = overview.to_json();
    let short_id = overview.short_id;
    let (meta, state) = match summary.known {
        Ok((ref meta, state)) => (meta, state),
        Err(error) => return Err(error.into()),
    };
    summary.check_contents()?;
    let mut import = None;
    let mut lines = if matches!(meta.kind, RunKind::Export | RunKind::Sync) {
        export_lines(&summary, &mut shown)?
    } else {
        let standing = import::read_status(&summary, meta, state)?;
        if let (Value::Object(shown), Value::Object(more)) = (&mut shown, json!(standing)) {
            shown.extend(more);
        }
        let lines = import_lines(&standing);
        import = Some(standing);
        lines
    };
    let position = RunPosition {
        id: &summary.id,
        short_id: &short_id,
        kind: meta.kind,
        state,
        to_stdout: meta.options["stdout_table"].is_string(),
        import: import.as_ref(),
    };
    let next = position.next_command().filter(|_| !summary.running);
    shown["next"] = json!(next);
    lines.extend(overview.why.map(|why| key_value_line("stopped", &escape_for_terminal(&why))));
    lines.extend(next.map(|next| format!("next: {}", escape_for_terminal(&next))));
    let mut out = io::stdout().lock();
    if settings.json {
        return ignore_broken_pipe(writeln!(out, "{}", escape_json_line(shown.to_string())));
    }
    let text = |key: &str| match &shown[key] {
        Value::String(text) => escape_for_terminal(text).into_owned(),
        other => other.to_string(),
    };
    let facts = ["run", "kind", "location", "state", "created", "dir"];
    let facts = facts.iter().map(|key| key_value_line(key, &text(key)));
    let mut all = facts.chain(lines);
    ignore_broken_pipe(all.try_for_each(|line| writeln!(out, "{line}")))
}

fn key_value_line(key: &str, value: &str) -> String {
    format!("{key:<12} {value}")
}

fn export_lines(summary: &RunSummary, shown: &mut Value) -> Result<Vec<String>, CliError> {
    let reader = SpoolReader::open(&summary.dir.join("run.db"))?;
    let streams = reader.streams_with_progress()?;
    let failures = reader.load_failures()?;
    let unreadable: u64 = failures.iter().map(|failure| failure.records).sum();
    let progress = streams.iter().map(|(name, progress)| {
        json!({"stream": name, "rows": progress.rows, "total": progress.total, "done": progress.done})
    });
    shown["streams"] = progress.collect();
    shown["unreadable"] = unreadable.into();
    let option = |name: &str| shown["options"][name].as_str();
    let out = match option("stdout_table") {
        Some(table) => format!("stdout, the table `{table}`"),
        None => option("out").unwrap_or_default().to_owned(),
    };
    let mut lines = Vec::new();
    if !out.is_empty() {
        lines.push(key_value_line("out", &escape_for_terminal(&out)));
    }
    for (name, progress) in &streams {
        let total =
            progress.total.map(|total| format!(" of {}", format_count(total))).unwrap_or_default();
        let done = if progress.done { ", done" } else { "" };
        lines.push(format!(
            "  {:<20} {}{total}{done}",
            escape_for_terminal(name),
            format_count(progress.rows)
        ));
    }
    lines.push(key_value_line("unreadable", &unreadable.to_string()));
    for failure in failures.iter().take(SHOWN) {
        let line = format!("  {} {}: {}", failure.stream, failure.subject, failure.message);
        lines.push(escape_for_terminal(&line).into_owned());
    }
    let warnings = export::stored_warnings(summary)?;
    lines.push(key_value_line("warnings", &warnings.len().to_string()));
    let messages = warnings.iter().map(|warning| format!("  {}", warning.message));
    lines.extend(messages.map(|line| escape_for_terminal(&line).into_owned()));
    shown["warnings"] = json!(warnings);
    Ok(lines)
}

fn created_text(what: CreatedContactRule) -> &'static str {
    match what {
        CreatedContactRule::Tag => "created ones get a tag",
        CreatedContactRule::Delete => "created ones are deleted",
        CreatedContactRule::Keep => "created ones are kept",
    }
}

fn import_lines(standing: &ImportStatus) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say =
        |key: &str, value: &str| lines.push(key_value_line(key, &escape_for_terminal(value)));
    if let Some(input) = &standing.input {
        say("file", &input.file.display().to_string());
        say("mapping", &input.mapping);
        if let Some(mode) = input.mode.as_ref().and_then(Value::as_str) {
            say("mode", mode);
        }
    }
    if let Some(back) = &standing.takes_back {
        say("takes back", &back.of.to_string());
        say("contacts", created_text(back.created));
    }
    say("stage", standing.stage);
    if let Some(undo) = &standing.undone_by {
        say("undone by", &undo.to_string());
    }
    say("out", &standing.out.display().to_string());
    let Some(rows) = standing.rows else { return lines };
    lines.push(key_value_line("rows", &format_count(rows.total())));
    let parts = [
        (rows.succeeded, "succeeded"),
        (rows.unchanged, "unchanged"),
        (rows.rejected, "rejected"),
        (rows.in_doubt, "in doubt"),
        (rows.pending, "pending"),
    ];
    let some = parts.into_iter().filter(|(rows, _)| *rows > 0);
    lines.extend(some.map(|(rows, what)| format!("  {what:<20} {}", format_count(rows))));
    lines
}
