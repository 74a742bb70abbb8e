//! What a sync came to, for people.

use super::note_lines;
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::text_format::format_duration;
use crate::event::ChangeCounts;
use crate::mirror::{NoteRefreshMode, RemovedCounts, SyncKind};
use crate::pull::changes::DeletionCheck;
use crate::sync::SyncReport;
use crate::text::{format_count, format_plural, select_plural};

/// The lines of the report.
pub(in crate::cli::commands) fn report_lines(report: &SyncReport) -> Vec<String> {
    let synced = &report.synced;
    let mut kinds =
        vec![("contacts", synced.contacts), ("tasks", synced.tasks), ("notes", synced.notes)];
    kinds.extend(synced.appointments.map(|counts| ("appointments", counts)));
    kinds.extend(synced.businesses.map(|counts| ("businesses", counts)));
    let changed: u64 = kinds.iter().map(|(_, counts)| counts.total()).sum();
    let mut lines = Vec::new();
    if let Some(export) = &report.export {
        lines.push(format!(
            "the first sync of this location began with what export {} has read",
            shorten_run_id(export)
        ));
    }
    match (changed, report.is_first) {
        (_, true) => lines.push(first_sync_line(report)),
        (0, _) => lines.push("nothing has changed".to_owned()),
        _ => {}
    }
    for (table, counts) in kinds {
        if counts.total() > 0 || report.is_first {
            lines.push(format!("  {table:<12} {}", counts_text(counts, report.rows[table])));
        }
    }
    lines.extend(removed_line(report));
    lines.push(requests_line(report));
    lines.extend(coverage_lines(report));
    lines
}

/// What a sync among many has changed; nothing if it has changed nothing.
pub(in crate::cli::commands) fn change_lines(report: &SyncReport) -> Vec<String> {
    let synced = &report.synced;
    if report.is_first {
        return vec![first_sync_line(report)];
    }
    let extra = |counts: Option<ChangeCounts>| counts.unwrap_or_default();
    let kinds = [
        (synced.contacts, "contact"),
        (synced.tasks, "task"),
        (synced.notes, "note"),
        (extra(synced.appointments), "appointment"),
        (extra(synced.businesses), "business"),
    ];
    let changed = kinds.iter().filter(|(counts, _)| counts.total() > 0);
    let changed: Vec<String> =
        changed.map(|(counts, what)| format_plural(counts.total(), what)).collect();
    let mut lines = Vec::new();
    if !changed.is_empty() {
        lines.push(format!("changed: {}", changed.join(", ")));
    }
    lines.extend(removed_line(report));
    lines
}

/// What the mirror no longer keeps.
fn removed_line(report: &SyncReport) -> Option<String> {
    let RemovedCounts { deleted_contents, former_versions } = report.removed;
    let parts = [
        (deleted_contents, "what {} said", "deleted record"),
        (former_versions, "{}", "former version"),
    ];
    let some = parts.into_iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<String> =
        some.map(|(count, text, what)| text.replace("{}", &format_plural(count, what))).collect();
    (!parts.is_empty()).then(|| format!("no longer kept, because of its age: {}", parts.join(", ")))
}

/// What a sync of one of several locations came to, in one line.
pub(super) fn report_line(report: &SyncReport) -> String {
    let contacts = format_plural(report.rows["contacts"], "contact");
    let unreadable = match report.unreadable {
        0 => String::new(),
        records => format!(", {} unreadable", format_plural(records, "record")),
    };
    let changed = change_lines(report).into_iter().next();
    let changed = changed.unwrap_or_else(|| "nothing has changed".to_owned());
    let changed = if report.is_first { "read everything".to_owned() } else { changed };
    format!("{changed}; {contacts}{unreadable}; {}", requests_line(report))
}

fn first_sync_line(report: &SyncReport) -> String {
    let what = if report.note_coverage.unread > 0 { "contacts and tasks" } else { "everything" };
    format!("the first sync of this location has read {what}")
}

fn counts_text(counts: ChangeCounts, all: u64) -> String {
    let parts = [(counts.added, "added"), (counts.changed, "changed"), (counts.deleted, "deleted")];
    let some = parts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<String> =
        some.map(|(count, what)| format!("{} {what}", format_count(count))).collect();
    parts.push(format!("{} in all", format_count(all)));
    parts.join(", ")
}

fn requests_line(report: &SyncReport) -> String {
    let requests = format_plural(report.requests.values().sum(), "request");
    let refused = match report.refused {
        0 => String::new(),
        n => format!(", {} rejected by the rate limit", format_count(n)),
    };
    format!("{requests} in {}{refused}", format_duration(report.elapsed))
}

/// What the sync could not see, and what is left.
fn coverage_lines(report: &SyncReport) -> Vec<String> {
    let mut lines = Vec::new();
    let due = report.walk_due.strftime("%Y-%m-%d %H:%M UTC");
    if report.kind == SyncKind::Newest {
        lines.push(match report.note_coverage.read_by {
            NoteRefreshMode::EachContact => format!(
                "tasks and notes were read for contacts that have changed; other changes of tasks and notes are found \
                 when everything is read again, after {due}"
            ),
            NoteRefreshMode::Search => format!(
                "tasks and notes were read for contacts that have changed, and new notes were searched for; other changes \
                 of tasks and notes are found when everything is read again, after {due}"
            ),
            NoteRefreshMode::Rotation => format!(
                "tasks were read for contacts that have changed; other changes of tasks are found when everything else is \
                 read again, after {due}"
            ),
        });
    }
    if report.deletions == DeletionCheck::Unknown && report.kind != SyncKind::Notes {
        lines.push(match report.kind {
            SyncKind::Newest => format!(
                "deleted contacts were not looked for, because the search's count cannot be relied on; they are found \
                 when everything is read again, after {due}"
            ),
            SyncKind::Walk | SyncKind::Notes => "some contacts could not be read; they stay as they were".to_owned(),
        });
    }
    if report.silent_changes > 0 {
        let contacts = format_plural(report.silent_changes, "contact");
        lines.push(format!(
            "{contacts} had changed without a new date of change; only a sync that reads everything finds such changes"
        ));
    }
    if report.hidden > 0 {
        let contacts = format_plural(report.hidden, "contact");
        let exist = select_plural(report.hidden, "exists", "exist");
        lines.push(format!("{contacts} {exist} although the search does not show them"));
    }
    if report.unconfirmed > 0 {
        let contacts = format_plural(report.unconfirmed, "contact");
        lines.push(format!(
            "{contacts} could not be looked up; whether they were deleted is checked again next time"
        ));
    }
    lines.extend(note_lines::note_lines(report));
    if report.unreadable == 0 && report.has_failures {
        lines.push(
            "a list could not be read as a whole; what the mirror has of it stays as it was"
                .to_owned(),
        );
    }
    if report.unreadable > 0 {
        lines.push(format!(
            "{} could not be read; the next sync reads them again",
            format_plural(report.unreadable, "record")
        ));
    }
    lines
}
