//! What people read about a snapshot that was written.

use crate::backup::SnapshotReport;
use crate::cli::output::text_format::format_bytes;
use crate::repository::{SnapshotKind, TableTotals};
use crate::text::{format_count, format_plural};

/// One line about a snapshot.
pub(super) fn snapshot_line(report: &SnapshotReport) -> String {
    let kind = match report.kind {
        SnapshotKind::Full => "full",
        SnapshotKind::Changes if report.lines == 0 => "nothing has changed",
        SnapshotKind::Changes => "changes",
    };
    let size = format!("{} lines, {}", format_count(report.lines), format_bytes(report.bytes));
    format!("snapshot {} ({kind}): {size}", report.snapshot)
}

/// The lines about the only snapshot.
pub(super) fn report_lines(report: &SnapshotReport) -> Vec<String> {
    let mut lines = vec![snapshot_line(report)];
    if let Some(because) = report.full_because.as_ref().filter(|_| report.chain == 1) {
        lines.push(format!("  a full snapshot, because {because}"));
    }
    let tables = report.totals.iter().filter(|(table, _)| *table != "location");
    for (table, totals) in tables {
        lines.push(format!("  {:<14} {}", table.replace('_', " "), totals_text(totals)));
    }
    for alert in &report.alerts {
        lines.push(format!("  alert: {}", alert.message));
    }
    if report.unreadable > 0 {
        let records = format_plural(report.unreadable, "record");
        lines.push(format!("{records} could not be read; the next backup reads them again"));
    }
    lines
}

fn totals_text(totals: &TableTotals) -> String {
    let counts = [("new", totals.added), ("changed", totals.changed), ("deleted", totals.deleted)];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<_> =
        counts.map(|(what, count)| format!("{} {what}", format_count(*count))).collect();
    let live = format_count(totals.live);
    if counts.is_empty() { live } else { format!("{live} ({})", counts.join(", ")) }
}
