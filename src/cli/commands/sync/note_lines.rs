//! What people read of the notes that are read in rotation.

use crate::mirror::{NoteCoverage, NoteRefreshMode};
use crate::pull::changes::NoteListsEnd;
use crate::sync::SyncReport;
use crate::text::{format_count, format_plural};

const DAY_S: u64 = 24 * 3600;
/// So many contacts must have had other notes before anything is said about how such changes show.
const ENOUGH_FINDINGS: u64 = 200;

/// The lines about the notes; none unless they are read in rotation.
pub(super) fn note_lines(report: &SyncReport) -> Vec<String> {
    let notes = &report.note_coverage;
    if notes.read_by != NoteRefreshMode::Rotation {
        return Vec::new();
    }
    let mut lines = vec![describe_bound(report)];
    lines.extend(arrears_line(report));
    lines.extend(describe_evidence(notes));
    lines
}

/// What is not as new as it should be; `None` if nothing is.
pub(in crate::cli::commands) fn arrears_line(report: &SyncReport) -> Option<String> {
    let notes = &report.note_coverage;
    (!notes.keeps_bound()).then(|| describe_arrears(notes, report.note_lists))
}

fn describe_bound(report: &SyncReport) -> String {
    let Some(bound_s) = report.note_coverage.bound_s else {
        return "notes take a request for each contact; they are read for contacts that have changed, and others are not \
                read again (`--notes-max-age off`)"
            .to_owned();
    };
    let why = if report.has_longer_bound {
        ", since 7 days would take more than a quarter of the day's requests"
    } else {
        ""
    };
    format!(
        "notes take a request for each contact; those of each contact are read at least every {} (`--notes-max-age`){why}",
        format_age(bound_s)
    )
}

/// What is not as new as it should be, and why.
fn describe_arrears(notes: &NoteCoverage, end: NoteListsEnd) -> String {
    let parts = [
        (notes.unread, "were never read"),
        (notes.outdated, "were not read since the contact changed"),
        (notes.overdue, "were last read longer ago than that"),
    ];
    let some = parts.into_iter().filter(|(contacts, _)| *contacts > 0);
    let some: Vec<String> = some
        .map(|(contacts, what)| format!("{} {what}", format_plural(contacts, "contact")))
        .collect();
    let why = match end {
        NoteListsEnd::Complete => "some could not be read",
        NoteListsEnd::Budget => "the requests of the day are used up",
        NoteListsEnd::Deadline => "the deadline was reached",
        NoteListsEnd::Failing => "the endpoint of notes keeps failing",
    };
    format!("the notes of {}, because {why}; the next sync goes on", some.join(", and those of "))
}

/// Whether changes of notes show in their contacts, once enough of them were seen.
fn describe_evidence(notes: &NoteCoverage) -> Option<String> {
    let all = notes.announced + notes.silent;
    if all < ENOUGH_FINDINGS {
        return None;
    }
    let count = format_count(all);
    if notes.silent == 0 {
        return Some(format!(
            "each of {count} changes of a contact's notes showed in the contact: `--notes-max-age 30d` would do"
        ));
    }
    let percent = notes.silent.saturating_mul(100).div_ceil(all);
    Some(format!(
        "{percent} % of {count} changes of a contact's notes did not show in the contact: keep the rotation"
    ))
}

fn format_age(seconds: u64) -> String {
    match seconds {
        s if s.is_multiple_of(DAY_S) => format_plural(s / DAY_S, "day"),
        s if s.is_multiple_of(3600) => format_plural(s / 3600, "hour"),
        s if s.is_multiple_of(60) => format_plural(s / 60, "minute"),
        s => format_plural(s, "second"),
    }
}
