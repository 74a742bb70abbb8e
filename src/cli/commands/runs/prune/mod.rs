//! `ghl-bulk runs prune`: removes old runs, and says what is lost with them.

mod select;

use std::io::Write as _;

use serde_json::{Value, json};

use self::select::{KeepReason, PruneCandidate, PruneRules};
use super::ignore_broken_pipe;
use super::overview::{RunOverview, RunSubject};
use super::remove::remove_run;
use crate::cli::args::time_arg;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::output::text_format::format_bytes;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::run::{LedgerReader, OpState, RunErrorKind, RunKind, RunStore};
use crate::text::{escape_for_terminal, escape_json_line, format_plural};

/// Remove old runs; the files that they have written stay
///
/// Removes runs that are finished, declined, refused or failed. With both conditions, a run is removed only if both
/// allow it. Runs in progress always stay.
///
/// A removed import cannot be undone. And its ledger is how a later import of the same file knows which notes,
/// tasks and contacts without e-mail address and phone exist already: without it, they are created again.
/// So imports and undos are removed only by age (`--older-than`), an undo not before its import, and an import
/// with writes in doubt only with `--all`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk runs prune --keep-last 30 --dry-run              what would be removed
  ghl-bulk runs prune --keep-last 30 --yes                  all but the latest 30 exports
  ghl-bulk runs prune --older-than 90d --keep-last 5 --yes  old imports, too")]
pub(super) struct PruneArgs {
    /// Keep the latest N runs of each location, whatever their state
    #[arg(long, value_name = "N", required_unless_present = "older_than")]
    keep_last: Option<usize>,

    /// Remove only runs older than this: `30d`, `12h`, or a date such as `2026-11-21` (UTC)
    #[arg(long, visible_alias = "keep", value_name = "AGE", value_parser = time_arg::parse_past_time)]
    older_than: Option<jiff::Timestamp>,

    /// Also remove runs that could still be resumed or applied, that have writes in doubt, or that this version
    /// cannot read
    #[arg(long)]
    all: bool,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before removing
    #[arg(short, long)]
    yes: bool,
}

/// Runs the command.
pub(super) fn run(args: &PruneArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let (runs, short_ids) = (home.list_runs()?, home.short_ids());
    let runs: Vec<_> = runs.iter().map(|run| RunOverview::read(run, &short_ids)).collect();
    let rules =
        PruneRules { keep_last: args.keep_last, older_than: args.older_than, all: args.all };
    let candidates: Vec<_> = runs.iter().map(prune_candidate).collect();
    let kept = rules.reasons_to_keep(&candidates);
    let chosen = runs.iter().zip(&kept).filter(|(_, reason)| reason.is_none());
    let chosen: Vec<&RunOverview<'_>> = chosen.map(|(run, _)| run).collect();
    let screen = CliReporter::new(settings.output_style);
    let pruning = Pruning { home: &home, chosen, kept: &kept, settings, screen: &screen };
    if args.dry_run || pruning.chosen.is_empty() {
        return pruning.report(&pruning.chosen, args.dry_run);
    }
    if !args.yes && !pruning.confirm()? {
        screen.print_note("nothing was removed");
        return Ok(CliExitCode::Done);
    }
    pruning.remove_and_report()
}

fn prune_candidate<'a>(run: &'a RunOverview<'_>) -> PruneCandidate<'a> {
    let known = run.summary.known.as_ref().ok();
    PruneCandidate {
        id: &run.summary.id,
        location: known.map(|(meta, _)| &meta.location),
        kind: run.kind(),
        state: known.map(|(_, state)| *state),
        running: run.summary.running,
        created: run.summary.created(),
        takes_back: match &run.subject {
            Some(RunSubject::Import(id)) => Some(id),
            _ => None,
        },
        in_doubt: has_writes_in_doubt(run),
    }
}

/// Whether it is not known of some writes if they were applied. A ledger that cannot be read counts as such.
fn has_writes_in_doubt(run: &RunOverview<'_>) -> bool {
    let has_ledger = run.kind().is_some_and(RunKind::writes);
    if !has_ledger || run.summary.running {
        return false;
    }
    let counts = LedgerReader::open(&run.summary.dir.join("run.db"))
        .and_then(|ledger| ledger.count_by_state());
    let unsettled = [OpState::Sent, OpState::InDoubt];
    counts.map_or(true, |counts| {
        unsettled.iter().any(|state| counts.get(state).is_some_and(|n| *n > 0))
    })
}

/// What is removed, and what is not.
struct Pruning<'a> {
    home: &'a RunStore,
    chosen: Vec<&'a RunOverview<'a>>,
    kept: &'a [Option<KeepReason>],
    settings: &'a Settings,
    screen: &'a CliReporter,
}

impl Pruning<'_> {
    /// Asks whether to remove the runs.
    fn confirm(&self) -> Result<bool, CliError> {
        let runs = format_plural(self.chosen.len() as u64, "run");
        let size = format_bytes(total_bytes(&self.chosen));
        if !can_ask() {
            return Err(CliError::usage(format!(
                "nothing was removed: removing {runs} ({size}) requires confirmation, and there is no terminal to ask on"
            ))
            .with_hint("look with `--dry-run`, then use `--yes`"));
        }
        let imports = self.chosen.iter().filter(|run| run.kind() == Some(RunKind::Import)).count();
        let loss = match imports {
            0 => String::new(),
            imports => format!(
                "{} can then not be undone, and importing the same files again may create their notes and tasks twice.\n",
                format_plural(imports as u64, "import")
            ),
        };
        let question = format!("{loss}Remove {runs} ({size})? [y/N] ");
        signals::block_on(self.settings.deadline, self.screen, |stop| async move {
            match ask_question(&question, &stop, self.screen).await {
                QuestionAnswer::Line(line) => {
                    Ok(matches!(line.to_lowercase().as_str(), "y" | "yes"))
                }
                QuestionAnswer::EndOfInput => Ok(false),
                QuestionAnswer::Cancelled => {
                    Err(CliError::new(CliExitCode::Interrupted, "interrupted; nothing was removed"))
                }
            }
        })
    }

    /// Removes the runs. One that another process has begun to use meanwhile stays.
    fn remove_and_report(&self) -> Result<CliExitCode, CliError> {
        let mut removed = Vec::new();
        for run in &self.chosen {
            match remove_run(self.home, &run.summary.id) {
                Ok(()) => removed.push(*run),
                Err(error) if error.kind() == RunErrorKind::Missing => {}
                Err(error) if error.kind() == RunErrorKind::Locked => {
                    self.screen.print_note(&format!("kept: {error}"));
                }
                Err(error) => {
                    self.report(&removed, false)?;
                    return Err(error.into());
                }
            }
        }
        self.report(&removed, false)
    }

    fn report(&self, removed: &[&RunOverview<'_>], dry_run: bool) -> Result<CliExitCode, CliError> {
        if self.settings.json {
            return self.report_json(removed, dry_run);
        }
        let verb = if dry_run { "would remove" } else { "removed" };
        for run in removed {
            self.screen.print_note(&format!("{verb} {}", describe_run(run)));
        }
        let freed = format_bytes(total_bytes(removed));
        let runs = format_plural(removed.len() as u64, "run");
        self.screen.print_note(&match (removed.len(), dry_run) {
            (0, _) => "nothing to remove".to_owned(),
            (_, true) => format!("would remove {runs} and free {freed}"),
            (_, false) => format!("removed {runs} and freed {freed}"),
        });
        for (reason, count) in self.kept_by_rule() {
            let runs = format_plural(count, "run");
            self.screen.print_note(&format!("kept {runs}: {}", reason.explain()));
        }
        Ok(CliExitCode::Done)
    }

    fn report_json(
        &self,
        removed: &[&RunOverview<'_>],
        dry_run: bool,
    ) -> Result<CliExitCode, CliError> {
        let runs = removed.iter().map(|run| json!({"run": run.summary.id, "bytes": run.bytes}));
        let kept =
            self.kept_by_rule().map(|(reason, count)| json!({"reason": reason, "runs": count}));
        let report = json!({
            "dry_run": dry_run,
            "removed": runs.collect::<Value>(),
            "freed_bytes": total_bytes(removed),
            "kept": kept.collect::<Value>(),
        });
        let line = escape_json_line(report.to_string());
        ignore_broken_pipe(writeln!(std::io::stdout().lock(), "{line}"))
    }

    /// How many runs were kept although the conditions allow to remove them, by reason.
    fn kept_by_rule(&self) -> impl Iterator<Item = (KeepReason, u64)> {
        KeepReason::REPORTED.into_iter().filter_map(|reason| {
            let count = self.kept.iter().filter(|kept| **kept == Some(reason)).count();
            (count > 0).then_some((reason, count as u64))
        })
    }
}

fn total_bytes(runs: &[&RunOverview<'_>]) -> u64 {
    runs.iter().map(|run| run.bytes).sum()
}

/// A run in a line: `k3f9, export of 2026-11-21 06:15 UTC, complete, 1.2 MB`.
fn describe_run(run: &RunOverview<'_>) -> String {
    let kind = run.kind().map_or_else(|| "run".to_owned(), |kind| kind.to_string());
    let (state, size) = (run.state.replace('_', " "), format_bytes(run.bytes));
    let text = format!("{}, {kind} of {} UTC, {state}, {size}", run.short_id, run.created_text());
    escape_for_terminal(&text).into_owned()
}
