//! The plan of an import: what it does and what it costs, which columns and values it leaves out, and what it rejects.

use std::time::Duration;

use serde_json::json;

use super::super::confirm_delete::{confirm_flag, deletion_count_text};
use super::problem_sentences::{left_out_sentence, problem_sentences, shorten};
use super::screen_lines::{ScreenSection, fit_sections};
use super::summary_header;
use crate::choice::Choice as _;
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::error::NextCommand;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_duration;
use crate::cli::settings::Settings;
use crate::import::{ColumnMapping, DeletionSummary, ImportPlan, PlanSummary, RestoreSummary};
use crate::plan::DeletedRecordKind;
use crate::plan::diff::FieldChange;
use crate::run::RowAction;
use crate::text::{escape_for_terminal, format_count, format_plural, select_plural};

/// Changes of an example row that are shown.
const SHOWN: usize = 12;
/// Characters of a value or name that are shown.
const LONGEST_VALUE: usize = 40;
/// The lines of a plan below its heading. With the heading, the question or the next command, and the prompt after
/// them, they fill a terminal of 24 lines.
const PLAN_LINES: usize = 20;

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
        line.insert("apply".to_owned(), apply_command(planned).to_string().into());
        screen.emit_event(&line);
        return code;
    }
    print_plan(planned, screen);
    if summary.has_writes() {
        let apply = apply_command(planned).command_line(&shorten_run_id(planned.run_id()));
        screen.print_note(&format!("nothing was sent; this applies the plan:\n  {apply}"));
    } else {
        screen.print_note("there is nothing to send");
    }
    code
}

/// The command that applies a plan.
fn apply_command(planned: &ImportPlan) -> NextCommand {
    let removal = planned.summary.removal.as_ref().filter(|removal| removal.count > 0);
    let flags = removal.map(confirm_flag).unwrap_or_default();
    NextCommand::apply(planned.run_id().clone(), &flags)
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
    let rows = format_plural(planned.summary.rows, "row");
    let heading = match (planned.undo_target(), &planned.summary.restore) {
        (Some(run), _) => format!("plan to take back run {run}, {rows}:"),
        (None, Some(restore)) => restore_heading(restore, planned.summary.rows),
        (None, None) => format!("plan for {rows}:"),
    };
    let mut lines = vec![heading];
    lines.extend(fit_sections(&plan_sections(planned), PLAN_LINES));
    lines
}

/// The parts of a plan, the most important last.
fn plan_sections(planned: &ImportPlan) -> Vec<ScreenSection> {
    let summary = &planned.summary;
    let mut sections = Vec::new();
    let mut add = |text: Option<String>, most| {
        sections.extend(text.map(|text| ScreenSection::text(text, most)));
    };
    add(columns_text(summary), 3);
    for example in example_texts(summary) {
        add(Some(example), 2);
    }
    add(changed_fields_text(summary), 2);
    add(requests_text(summary), 2);
    let warnings = problem_sentences(&summary.warnings_by_column);
    let title = "warnings:".to_owned();
    sections.push(ScreenSection::list(title, warnings, "warnings.csv", 7));
    let rejections = problem_sentences(&summary.rejected_by_column);
    let is_undo = planned.undo_target().is_some();
    let is_restore = summary.restore.is_some();
    let title = if is_undo { "left alone:" } else { "rejected:" };
    let title = if is_restore { "not restored:" } else { title };
    sections.push(ScreenSection::list(title.to_owned(), rejections, planned.rejected_file(), 9));
    let consequences = [
        left_out_sentence(&summary.left_out),
        new_fields_text(summary),
        unused_fields_text(summary),
        summary.removal.as_ref().map(deletion_line),
        workflow_text(summary),
        once_text(summary),
    ];
    let restore = summary.restore.as_ref().map(|restore| restore_texts(restore, summary));
    let consequences = consequences.into_iter().chain(restore.into_iter().flatten().map(Some));
    let texts = consequences.flatten();
    sections.extend(texts.map(|text| ScreenSection::text(text, 5)));
    let plan = planned.out.join("plan.csv").display().to_string();
    let plan = format!("row by row: {}", escape_for_terminal(&plan));
    sections.push(ScreenSection::literal(plan));
    let last = [cost_text(summary), Some(action_counts(summary))];
    sections.extend(last.into_iter().flatten().map(|text| ScreenSection::text(text, 2)));
    sections
}

/// From which snapshot contacts are restored.
fn restore_heading(restore: &RestoreSummary, rows: u64) -> String {
    let contacts = format_plural(rows, "contact");
    let as_of = restore.as_of.strftime("%Y-%m-%d %H:%M UTC");
    match &restore.later {
        None => {
            format!("plan to restore {contacts} from snapshot {} of {as_of}:", restore.snapshot)
        }
        Some(later) => format!(
            "plan to take back what changed between snapshots {} and {later}, {contacts}:",
            restore.snapshot
        ),
    }
}

/// What a restore does not bring back, and what it may set off.
fn restore_texts(restore: &RestoreSummary, summary: &PlanSummary) -> Vec<String> {
    let recreated = summary.actions.get(&RowAction::Recreate).copied().unwrap_or(0);
    let mut texts = Vec::new();
    if !restore.without.is_empty() {
        let names = restore.without.iter().map(|(name, count)| {
            format!("{} ({})", shorten(name, LONGEST_VALUE), format_count(*count))
        });
        let names: Vec<_> = names.collect();
        texts.push(format!(
            "restored without, because the location lacks them: {}",
            names.join(", ")
        ));
    }
    if restore.erased > 0 {
        let contacts = format_plural(restore.erased, "contact");
        texts.push(format!("{contacts} of the snapshot were erased, and stay away"));
    }
    if restore.added_since > 0 {
        let contacts = format_plural(restore.added_since, "contact");
        texts.push(format!("left alone: {contacts} that only the later snapshot has"));
    }
    if restore.losses > 0 {
        let values = format_plural(restore.losses, "value");
        texts.push(format!("cannot be brought back: {values}, each in losses.csv"));
    }
    if recreated > 0 {
        let contacts = format_plural(recreated, "contact");
        texts.push(format!(
            "{contacts} {}; their appointments, conversations, opportunities and places in workflows are not \
             brought back. New contacts may start workflows: `--tag` marks them so that triggers can leave them out",
            select_plural(recreated, "gets a new id", "get new ids")
        ));
    }
    if restore.unconfirmed > 0 {
        texts.push(format!(
            "before anything is sent, each of the {} contacts is asked for by its id, because a search can hide one \
             that exists",
            format_count(restore.unconfirmed)
        ));
    }
    texts
}

/// What becomes of the rows: `18 rows: 7 create, 11 rejected`.
fn action_counts(summary: &PlanSummary) -> String {
    let count = |(action, rows): (&RowAction, &u64)| {
        format!("{} {}", format_count(*rows), action.name().replace('_', " "))
    };
    let counts: Vec<_> = summary.actions.iter().map(count).collect();
    let rows = format_plural(summary.rows, "row");
    if counts.is_empty() { rows } else { format!("{rows}: {}", counts.join(", ")) }
}

/// The custom fields that the plan creates: `creates 1 custom field: `Shoe size` (NUMERICAL)`.
fn new_fields_text(summary: &PlanSummary) -> Option<String> {
    let shown = summary.new_fields.iter().map(|field| {
        format!("`{}` ({})", shorten(&field.name, LONGEST_VALUE), field.data_type.word())
    });
    let shown: Vec<_> = shown.collect();
    let count = format_plural(shown.len() as u64, "custom field");
    (!shown.is_empty()).then(|| format!("creates {count}: {}", shown.join(", ")))
}

/// The custom fields that an undo deletes.
fn unused_fields_text(summary: &PlanSummary) -> Option<String> {
    let shown = summary.unused_fields.iter();
    let shown: Vec<_> = shown.map(|name| format!("`{}`", shorten(name, LONGEST_VALUE))).collect();
    let count = format_plural(shown.len() as u64, "custom field");
    let names = shown.join(", ");
    (!shown.is_empty()).then(|| {
        format!("deletes {count} that the import created, unless a contact has a value: {names}")
    })
}

fn workflow_text(summary: &PlanSummary) -> Option<String> {
    let tag = |(tag, rows): &(String, u64)| {
        format!("{} ({})", shorten(tag, LONGEST_VALUE), format_count(*rows))
    };
    let tags: Vec<_> = summary.tags.iter().map(tag).collect();
    (!tags.is_empty()).then(|| format!("workflows may start on new tags: {}", tags.join(", ")))
}

fn once_text(summary: &PlanSummary) -> Option<String> {
    let rows = format_plural(summary.once, "row");
    let text = || {
        format!(
            "{rows} {} nothing to be identified by: each is sent at most once and never retried",
            select_plural(summary.once, "has", "have")
        )
    };
    (summary.once > 0).then(text)
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

fn columns_text(summary: &PlanSummary) -> Option<String> {
    let shown = |it: &ColumnMapping| {
        format!("{} -> {}", shorten(&it.column, LONGEST_VALUE), shorten(&it.target, LONGEST_VALUE))
    };
    let mut columns: Vec<_> = summary.columns.iter().map(shown).collect();
    // Several rules may read a column for the same target, each for rows of its own.
    columns.dedup();
    (!columns.is_empty()).then(|| format!("columns: {}", columns.join(", ")))
}

fn changed_fields_text(summary: &PlanSummary) -> Option<String> {
    let mut fields: Vec<_> = summary.fields.iter().collect();
    fields.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    let shown = fields.into_iter().map(|(field, rows)| {
        format!("{} ({})", shorten(field, LONGEST_VALUE), format_count(*rows))
    });
    let fields: Vec<_> = shown.collect();
    (!fields.is_empty()).then(|| format!("fields that change: {}", fields.join(", ")))
}

/// The first rows that change something.
fn example_texts(summary: &PlanSummary) -> Vec<String> {
    let change_text = |change: &FieldChange| {
        let old = shorten(&change.old, LONGEST_VALUE);
        let old = if old.is_empty() { String::new() } else { format!("{old} -> ") };
        let field = shorten(&change.field, LONGEST_VALUE);
        let new = match change.new.as_str() {
            "" => "(empty)".to_owned(),
            new => shorten(new, LONGEST_VALUE),
        };
        format!("{field}: {old}{new}")
    };
    let example = |(n, changes): &(u64, Vec<FieldChange>)| {
        let changes: Vec<_> = changes.iter().take(SHOWN).map(change_text).collect();
        format!("row {n}: {}", changes.join(", "))
    };
    summary.examples.iter().map(example).collect()
}

fn requests_text(summary: &PlanSummary) -> Option<String> {
    let purpose = |(name, count): (&String, &u64)| format!("{} {name}", format_count(*count));
    let purposes: Vec<_> = summary.requests.iter().map(purpose).collect();
    (!purposes.is_empty()).then(|| format!("requests: {}", purposes.join(", ")))
}

/// What the plan costs in requests and time.
fn cost_text(summary: &PlanSummary) -> Option<String> {
    if !summary.has_writes() {
        return None;
    }
    let time = match summary.seconds {
        0 => "sent at once".to_owned(),
        seconds => {
            format!("{} at the rate limit", format_duration(Duration::from_secs(seconds)))
        }
    };
    Some(format!(
        "{} in total, {time}, {:.1}% of the daily request quota",
        format_plural(summary.total, "request"),
        summary.daily_share
    ))
}
