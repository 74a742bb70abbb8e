//! What an import has to say: its plan, and how it ended.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::confirm_delete::counted;
use crate::cli::args::global::Global;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::{count, duration, plural, safe};
use crate::id::RunId;
use crate::import::{self, Planned, Removal, Report, Standing, Summary, Tally};
use crate::plan::Removed;

/// Lines of a list that are shown.
const SHOWN: usize = 12;

/// Tells what a dry run found.
pub(crate) fn dry_run(planned: &Planned, detailed: bool, global: &Global, screen: &Screen) -> Code {
    let summary = &planned.summary;
    let rejected = summary.rejected.values().sum::<u64>();
    let code = match rejected {
        _ if detailed && summary.changes() => Code::Changes,
        0 => Code::Done,
        _ => Code::Partial,
    };
    if global.json {
        let mut line = envelope(code, "planned");
        line.insert("run".to_owned(), json!(planned.run()));
        line.insert("out".to_owned(), json!(planned.out));
        line.insert("plan".to_owned(), json!(summary));
        line.insert("resume".to_owned(), resume(planned).into());
        screen.emit(&line);
        return code;
    }
    show_plan(planned, screen);
    if summary.changes() {
        let resume = resume(planned);
        screen.line(&format!("nothing was sent; this applies the plan:\n  {resume}"));
    } else {
        screen.line("there is nothing to send");
    }
    code
}

/// The command that applies a plan.
fn resume(planned: &Planned) -> String {
    let number = planned.summary.removal.as_ref().map(|it| it.count).filter(|count| *count > 0);
    let number = number.map(|count| format!(" --confirm-delete {count}")).unwrap_or_default();
    format!("ghl-bulk resume {}{number}", planned.run())
}

/// Shows what a plan comes to.
pub(crate) fn show_plan(planned: &Planned, screen: &Screen) {
    screen.line(&plan_lines(planned).join("\n"));
}

fn plan_lines(planned: &Planned) -> Vec<String> {
    let summary = &planned.summary;
    let back = planned.takes_back();
    let rows = plural(summary.rows, "row");
    let mut lines = vec![match &back {
        Some(run) => format!("plan to take back run {run}, {rows}:"),
        None => format!("plan for {rows}:"),
    }];
    lines.extend(
        summary
            .actions
            .iter()
            .map(|(action, rows)| format!("  {:>10}  {}", count(*rows), action.replace('_', " "))),
    );
    let why = if back.is_some() { "left alone because" } else { "rejected because" };
    lines.extend(table(why, summary.rejected.iter().map(pair)));
    lines.extend(table("warnings", summary.warnings.iter().map(pair)));
    let mut fields: Vec<_> = summary.fields.iter().map(pair).collect();
    fields.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    lines.extend(table("fields that change", fields.into_iter()));
    lines.extend(columns(summary));
    lines.extend(examples(summary));
    lines.extend(cost(summary));
    lines.extend(summary.removal.as_ref().map(removed));
    if !summary.tags.is_empty() {
        let tags: Vec<_> = summary
            .tags
            .iter()
            .map(|(tag, rows)| format!("{} ({})", safe(tag), count(*rows)))
            .collect();
        lines.push(format!("workflows may start on new tags: {}", tags.join(", ")));
    }
    if summary.once > 0 {
        lines.push(format!(
            "{} have nothing to be found by: each is sent at most once, whatever becomes of it",
            plural(summary.once, "row")
        ));
    }
    let plan = planned.out.join("plan.csv").display().to_string();
    lines.push(format!("row by row: {}", safe(&plan)));
    lines
}

/// What goes for good, and what an undo can bring back.
fn removed(removal: &Removal) -> String {
    let what = counted(removal);
    if removal.what != Removed::Contacts {
        let one = removal.what.one();
        return format!(
            "this deletes {what}, and no contact; `ghl-bulk undo` brings each {one} back as a new one"
        );
    }
    let (notes, tasks) = (plural(removal.notes, "note"), plural(removal.tasks, "task"));
    let known = match removal.opportunities {
        0 => String::new(),
        count => format!(" ({count} are known)"),
    };
    format!(
        "this deletes {what} with {notes} and {tasks}; `ghl-bulk undo` brings them back, as new contacts. \
         Appointments, conversations and opportunities{known} that hang on them are lost for good"
    )
}

fn pair<'a>((name, rows): (&'a String, &'a u64)) -> (&'a str, u64) {
    (name, *rows)
}

fn table<'a>(title: &str, rows: impl Iterator<Item = (&'a str, u64)>) -> Vec<String> {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("{title}:")];
    let line = |(name, number): &(&str, u64)| format!("  {:>10}  {}", count(*number), safe(name));
    lines.extend(rows.iter().take(SHOWN).map(line));
    if rows.len() > SHOWN {
        lines.push(format!("  {:>10}  and {} more", "", rows.len() - SHOWN));
    }
    lines
}

fn columns(summary: &Summary) -> Vec<String> {
    if summary.columns.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["columns:".to_owned()];
    let shown =
        |it: &crate::import::Shown| format!("  {} -> {}", safe(&it.column), safe(&it.target));
    lines.extend(summary.columns.iter().take(SHOWN).map(shown));
    if summary.columns.len() > SHOWN {
        lines.push(format!("  and {} more", summary.columns.len() - SHOWN));
    }
    lines
}

fn examples(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    for (n, changes) in &summary.examples {
        lines.push(format!("row {n}:"));
        for change in changes.iter().take(SHOWN) {
            let (field, old) = (safe(&change.field), short(&change.old));
            let old = if old.is_empty() { String::new() } else { format!("{old} -> ") };
            lines.push(format!("  {field}: {old}{}", short(&change.new)));
        }
    }
    lines
}

/// A value's beginning, on one line.
fn short(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ");
    let cut: String = line.chars().take(60).collect();
    let more = if cut.len() < line.len() { "…" } else { "" };
    format!("{}{more}", safe(&cut))
}

fn cost(summary: &Summary) -> Vec<String> {
    if !summary.changes() {
        return Vec::new();
    }
    let mut lines = table("requests", summary.requests.iter().map(pair));
    let time = match summary.seconds {
        0 => "at once".to_owned(),
        seconds => duration(Duration::from_secs(seconds)),
    };
    lines.push(format!(
        "{} in all, {time} at the limit, {:.1}% of the daily budget",
        plural(summary.total, "request"),
        summary.daily_share
    ));
    lines
}

/// Tells of a finished import that there is nothing to go on with, and what is left for a person.
pub(crate) fn finished(run: &RunId, standing: &Standing, global: &Global, screen: &Screen) -> Code {
    let tally = standing.rows.unwrap_or_default();
    let (code, outcome) = match tally {
        Tally { in_doubt: 1.., .. } => (Code::InDoubt, "in_doubt"),
        Tally { rejected: 1.., .. } => (Code::Partial, "partial"),
        _ => (Code::Done, "complete"),
    };
    if global.json {
        let mut line = envelope(code, outcome);
        line.insert("run".to_owned(), json!(run));
        line.insert("out".to_owned(), json!(standing.out));
        line.insert("rows".to_owned(), json!(tally));
        screen.emit(&line);
        return code;
    }
    screen.line(&format!("run {run} is finished; there is nothing to do"));
    let out = safe(&standing.out.display().to_string()).into_owned();
    if let Some(undo) = &standing.undone_by {
        screen.line(&format!("it was taken back by run {undo}"));
    }
    if tally.rejected > 0 {
        let rows = plural(tally.rejected, "row");
        screen.line(&format!("{rows} rejected, for the reasons in {out}/rejected.csv"));
    }
    if tally.in_doubt > 0 {
        let rows = plural(tally.in_doubt, "row");
        screen.line(&format!(
            "{rows} in doubt; fill in {out}/in_doubt.csv, and then:\n  ghl-bulk runs resolve {run} {out}/in_doubt.csv"
        ));
    }
    code
}

/// Tells how an import ended.
pub(crate) fn applied(
    report: &Report,
    summary: &Summary,
    global: &Global,
    screen: &Screen,
) -> Code {
    let tally = report.tally;
    let code = match tally {
        _ if tally.in_doubt > 0 || report.duplicates > 0 => Code::InDoubt,
        _ if tally.rejected > 0 => Code::Partial,
        _ => Code::Done,
    };
    if global.json {
        let outcome = match code {
            Code::Done if report.sampled => "sampled",
            Code::Done if tally.pending > 0 => "pending",
            Code::Done => "complete",
            Code::InDoubt => "in_doubt",
            _ => "partial",
        };
        let mut line = envelope(code, outcome);
        if let Value::Object(fields) = json!(report) {
            line.extend(fields);
        }
        line.insert("plan".to_owned(), json!(summary));
        screen.emit(&line);
        return code;
    }
    screen.line(&lines(report, summary).join("\n"));
    code
}

fn envelope(code: Code, outcome: &str) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    line.insert("outcome".to_owned(), outcome.into());
    line
}

fn lines(report: &Report, summary: &Summary) -> Vec<String> {
    let tally = report.tally;
    let mut lines = vec![format!("{}:", plural(summary.rows, "row"))];
    let parts = [
        (tally.succeeded, "succeeded", "succeeded.csv"),
        (tally.unchanged, "unchanged", "unchanged.csv"),
        (tally.rejected, "rejected", "rejected.csv"),
        (tally.in_doubt, "in doubt", "in_doubt.csv"),
        (tally.pending, "pending", "pending.csv"),
    ];
    for (rows, what, file) in parts {
        if rows > 0 || what == "succeeded" {
            lines.push(format!("  {:>10}  {what:<10}  {file}", count(rows)));
        }
    }
    let requests: u64 = report.requests.values().sum();
    let refused = match report.refused {
        0 => String::new(),
        n => format!(", {n} refused by the limit"),
    };
    lines.push(format!("{} in {}{refused}", plural(requests, "request"), duration(report.elapsed)));
    let out = safe(&report.out.display().to_string()).into_owned();
    lines.push(format!("files in {out}"));
    lines.extend(next_steps(report, &out));
    lines
}

/// What the user can do now.
fn next_steps(report: &Report, out: &str) -> Vec<String> {
    let (run, tally) = (&report.run, report.tally);
    let mut lines = Vec::new();
    let undo = report.kind == import::UNDO;
    if tally.rejected > 0 && undo {
        lines.push(format!("what stays, and why, is in {out}/rejected.csv"));
    } else if tally.rejected > 0 {
        lines.push(format!(
            "repair the rejected rows and feed the file back:\n  ghl-bulk import {out}/rejected.csv"
        ));
    }
    if tally.in_doubt > 0 {
        lines.push(format!(
            "look the rows in doubt up in the account, fill in `_doubt_decision`, and then:\n  ghl-bulk runs resolve {run} {out}/in_doubt.csv"
        ));
    }
    if report.duplicates > 0 {
        lines.push(format!(
            "{} may stand in the location twice; see duplicates.csv",
            plural(report.duplicates, "contact")
        ));
    }
    if tally.pending > 0 {
        lines.push(format!("this applies the rest:\n  ghl-bulk resume {run}"));
    }
    if tally.succeeded > 0 && !undo {
        lines.push(format!("this takes it back:\n  ghl-bulk undo {run}"));
    }
    lines
}
