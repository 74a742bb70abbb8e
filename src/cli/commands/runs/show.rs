//! `ghl-bulk runs show`: one run, with how far it came.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{fields, written};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::text_format::{count, safe, safe_json};
use crate::export;
use crate::id::RunId;
use crate::import::{self, Created, Standing};
use crate::run::{Reader, Summary};

/// Unreadable records that are shown.
const SHOWN: usize = 20;

/// Shows one run.
pub(super) fn run(id: &RunId, global: &Global) -> Result<Code, Failure> {
    let summary = dirs::home()?.show(id)?;
    let mut shown = fields(&summary);
    let lines = match &summary.known {
        Err(_) => Vec::new(),
        Ok((meta, state)) if meta.kind != export::KIND => {
            let standing = import::standing(&summary, meta, *state)?;
            if let (Value::Object(shown), Value::Object(more)) = (&mut shown, json!(standing)) {
                shown.extend(more);
            }
            of_import(&standing)
        }
        Ok(_) => of_export(&summary, &mut shown)?,
    };
    if let Err(error) = summary.known {
        return Err(error.into());
    }
    let mut out = io::stdout().lock();
    if global.json {
        return written(writeln!(out, "{}", safe_json(shown.to_string())));
    }
    let text = |key: &str| match &shown[key] {
        Value::String(text) => safe(text).into_owned(),
        other => other.to_string(),
    };
    let facts = ["run", "kind", "location", "state", "created", "dir"];
    let facts = facts.iter().map(|key| line(key, &text(key)));
    let mut all = facts.chain(lines);
    written(all.try_for_each(|line| writeln!(out, "{line}")))
}

fn line(key: &str, value: &str) -> String {
    format!("{key:<12} {value}")
}

fn of_export(summary: &Summary, shown: &mut Value) -> Result<Vec<String>, Failure> {
    let reader = Reader::open(&summary.dir.join("run.db"))?;
    let streams = reader.streams()?;
    let failures = reader.failures()?;
    let progress = streams.iter().map(|(name, progress)| {
        json!({"stream": name, "rows": progress.rows, "total": progress.total, "done": progress.done})
    });
    shown["streams"] = progress.collect();
    shown["unreadable"] = failures.len().into();
    let out = shown["options"]["out"].as_str().unwrap_or_default();
    let mut lines = vec![line("out", &safe(out))];
    for (name, progress) in &streams {
        let total = progress.total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
        let done = if progress.done { ", done" } else { "" };
        lines.push(format!("  {:<20} {}{total}{done}", safe(name), count(progress.rows)));
    }
    lines.push(line("unreadable", &failures.len().to_string()));
    for failure in failures.iter().take(SHOWN) {
        let line = format!("  {} {}: {}", failure.stream, failure.subject, failure.message);
        lines.push(safe(&line).into_owned());
    }
    Ok(lines)
}

fn created(what: Created) -> &'static str {
    match what {
        Created::Tag => "created ones get a tag",
        Created::Delete => "created ones are deleted",
        Created::Keep => "created ones are kept",
    }
}

fn of_import(standing: &Standing) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |key: &str, value: &str| lines.push(line(key, &safe(value)));
    if let Some(input) = &standing.input {
        say("file", &input.file.display().to_string());
        say("mapping", &input.mapping);
        if let Some(mode) = input.mode.as_ref().and_then(Value::as_str) {
            say("mode", mode);
        }
    }
    if let Some(back) = &standing.takes_back {
        say("takes back", &back.of.to_string());
        say("contacts", created(back.created));
    }
    say("stage", standing.stage);
    if let Some(undo) = &standing.undone_by {
        say("undone by", &undo.to_string());
    }
    say("out", &standing.out.display().to_string());
    let Some(rows) = standing.rows else { return lines };
    lines.push(line("rows", &count(rows.total())));
    let parts = [
        (rows.succeeded, "succeeded"),
        (rows.unchanged, "unchanged"),
        (rows.rejected, "rejected"),
        (rows.in_doubt, "in doubt"),
        (rows.pending, "pending"),
    ];
    let some = parts.into_iter().filter(|(rows, _)| *rows > 0);
    lines.extend(some.map(|(rows, what)| format!("  {what:<20} {}", count(rows))));
    lines
}
