//! `ghl-bulk backup prune`: deletes what no snapshot needs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::open_repository::{RepositoryArg, RepositoryRef, select_locations};
use crate::backup::{self, PrunePlan, PruneReport, SHORTEST_GRACE};
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::commands::sync::parse_long_duration;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_bytes;
use crate::cli::settings::Settings;
use crate::text::format_plural;

/// Delete the files of snapshots that were forgotten long enough ago
///
/// Only deletes, and needs no key. Files stay as long as a snapshot's chain needs them, or the chain of one that was
/// forgotten within the grace. What killed backups have left is deleted after a day.
#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// How long ago a snapshot must have been forgotten; at least `24h`
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = parse_grace)]
    grace: Duration,

    /// Only show what would be deleted
    #[arg(long)]
    dry_run: bool,
}

fn parse_grace(text: &str) -> Result<Duration, String> {
    let grace = parse_long_duration(text)?;
    if grace < SHORTEST_GRACE {
        return Err(
            "it must be at least 24h, so that no backup or restore that has begun loses its files"
                .to_owned(),
        );
    }
    Ok(grace)
}

/// Deletes what no snapshot needs.
pub(super) fn run(args: &PruneArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let screen = CliReporter::new(settings.output_style);
    let (mut all, mut pinned, now) = (PruneReport::default(), 0, Timestamp::now());
    for location in select_locations(&repository, settings)? {
        let list = repository.list_snapshots(&location)?;
        backup::refuse_damage(&list)?;
        let plan = PrunePlan::new(&list, &location, args.grace, now);
        pinned += plan.pinned.len() as u64;
        if args.dry_run {
            all.snapshots += plan.snapshots.len() as u64;
            all.files += (plan.snapshots.values().flatten().count() + plan.debris.len()) as u64;
            all.bytes += plan.bytes();
            continue;
        }
        let done = backup::prune_location(&repository, &location, args.grace, now)?;
        all.snapshots += done.snapshots;
        all.files += done.files;
        all.bytes += done.bytes;
        all.refused += done.refused;
    }
    let code = if all.refused > 0 { CliExitCode::Partial } else { CliExitCode::Done };
    if settings.json {
        let outcome = if all.refused > 0 { "partial" } else { "complete" };
        let summary = json!({"outcome": outcome, "kind": "backup_prune", "dry_run": args.dry_run,
            "snapshots": all.snapshots, "files": all.files, "bytes": all.bytes, "refused": all.refused,
            "pinned": pinned});
        emit_summary(&screen, code, summary);
        return Ok(code);
    }
    let verb = if args.dry_run { "would delete" } else { "deleted" };
    let (snapshots, files) =
        (format_plural(all.snapshots, "snapshot"), format_plural(all.files, "file"));
    screen.print_note(&format!(
        "{verb} {files} ({}) of {snapshots} and of killed backups",
        format_bytes(all.bytes)
    ));
    if pinned > 0 {
        let pinned = format_plural(pinned, "forgotten snapshot");
        screen.print_note(&format!(
            "kept the files of {pinned}, which later snapshots are read from"
        ));
    }
    if all.refused > 0 {
        let refused = format_plural(all.refused, "file");
        screen.print_note(&format!(
            "{refused} could not be deleted; they may be locked or not yours"
        ));
    }
    Ok(code)
}
