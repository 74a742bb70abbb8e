//! What people read about an erasure.

use crate::backup::{ErasePlan, EraseReport};
use crate::cli::output::text_format::format_bytes;
use crate::run::RunStore;
use crate::text::{escape_for_terminal, format_plural};

/// How many runs and directories are named.
const NAMED: usize = 20;

/// What an erasure changes in a location.
pub(super) fn plan_lines(
    location: &str,
    plan: &ErasePlan,
    still_there: Option<u64>,
    home: &RunStore,
) -> Vec<String> {
    let mut lines = Vec::new();
    for erased in plan.erased_before.values() {
        let day = erased.strftime("%Y-%m-%d");
        lines.push(format!("{location}: erased on {day}; nothing of this contact is left"));
    }
    if plan.is_empty() {
        if plan.erased_before.is_empty() {
            lines.push(format!("{location}: nothing to erase"));
        }
        return lines;
    }
    let people = format_plural(plan.contacts.len() as u64, "contact");
    lines.push(format!("{location}: {people} to erase"));
    if plan.is_resumed {
        lines.push("  an erasure that was interrupted is finished".to_owned());
    }
    lines.extend(snapshot_lines(plan));
    let rows = plan.rows;
    if rows.records + rows.versions + rows.events > 0 {
        lines.push(format!(
            "  local copy: {}, {}, {}",
            format_plural(rows.records, "record"),
            format_plural(rows.versions, "former version"),
            format_plural(rows.events, "event")
        ));
    }
    lines.extend(run_lines(plan, home));
    lines.extend(unreachable_lines(plan));
    lines.push(match still_there {
        Some(0) => "  the account no longer has them".to_owned(),
        Some(count) => format!(
            "  warning: the account still has {}: delete them in HighLevel first, or the next sync reads them again",
            format_plural(count, "contact")
        ),
        None => "  the account was not asked whether it still has them (that takes a token)".to_owned(),
    });
    lines
}

fn snapshot_lines(plan: &ErasePlan) -> Vec<String> {
    if plan.snapshots.is_empty() {
        return Vec::new();
    }
    let snapshots = format_plural(plan.snapshots.len() as u64, "snapshot");
    let (records, bytes) = (format_plural(plan.lines(), "line"), format_bytes(plan.bytes()));
    let mut lines = vec![format!("  {snapshots} written again ({bytes}) without {records}")];
    let count = |is_it: &dyn Fn(&crate::backup::ScannedSnapshot) -> bool| {
        plan.snapshots.values().filter(|snapshot| is_it(snapshot)).count() as u64
    };
    let held = count(&|snapshot| snapshot.is_held);
    if held > 0 {
        lines.push(format!("  held ones, too: {held}; they stay held"));
    }
    let forgotten = count(&|snapshot| snapshot.is_forgotten);
    if forgotten > 0 {
        lines.push(format!("  forgotten ones, too: {forgotten}; their grace begins again"));
    }
    lines
}

fn run_lines(plan: &ErasePlan, home: &RunStore) -> Vec<String> {
    let ids = home.short_ids();
    let line = |run: &crate::backup::RunWithTraces| {
        let kind = run.kind.map_or_else(|| "run".to_owned(), |kind| kind.to_string());
        format!("  run {} is removed ({kind}, {})", ids.shorten(&run.id), format_bytes(run.bytes))
    };
    let mut lines: Vec<String> = plan.runs.iter().take(NAMED).map(line).collect();
    if plan.runs.len() > NAMED {
        lines.push(format!(
            "  and {}",
            format_plural((plan.runs.len() - NAMED) as u64, "other run")
        ));
    }
    lines
}

/// Where people may be that this command does not reach.
fn unreachable_lines(plan: &ErasePlan) -> Vec<String> {
    let mut lines = Vec::new();
    let shown = |text: &str| escape_for_terminal(text).into_owned();
    for dir in plan.exports.iter().take(NAMED) {
        let dir = shown(&dir.display().to_string());
        lines.push(format!("  not reached: {dir} (exported files; export again)"));
    }
    for sink in plan.sinks.iter().take(NAMED) {
        lines.push(format!("  not reached: {} (events that were delivered)", shown(sink)));
    }
    for file in plan.other_files.iter().take(NAMED) {
        let file = shown(&file.display().to_string());
        lines.push(format!("  not reached: {file} (mentions them; remove it by hand)"));
    }
    lines.push("  not reached: copies of the repository that were made elsewhere".to_owned());
    lines
}

/// What was erased.
pub(super) fn result_lines(plan: &ErasePlan, report: Option<&EraseReport>) -> Vec<String> {
    let Some(report) = report else { return Vec::new() };
    let people = format_plural(plan.contacts.len() as u64, "contact");
    let snapshots = format_plural(report.snapshots, "snapshot");
    let runs = format_plural(report.runs, "run");
    let mut lines = vec![format!("erased {people}: {snapshots} written again, {runs} removed")];
    if report.other_repositories > 0 {
        let others = format_plural(report.other_repositories, "other repository");
        lines.push(format!(
            "the local copy has made snapshots in {others}, too: erase them there as well; the next snapshots there are full ones"
        ));
    }
    lines
}
