//! `ghl-bulk backup copy`: snapshots into another repository.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::open_repository::{RepositoryArg, RepositoryRef, select_locations};
use crate::backup::{self, CopyReport};
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_bytes;
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::repository::{self, SnapshotChoice};
use crate::text::{escape_for_terminal, format_plural};

/// Copy snapshots into another repository, such as one on another disk
///
/// Copies what the other one lacks, each snapshot with everything that it is read from, and compares every file with its
/// hash; needs no key. The copy has the same id and recipients, and is created if there is nothing. It only adds: what was
/// forgotten or erased since stays in the copy. A copy that was interrupted goes on. Ends with 12 if a file is damaged;
/// such snapshots are not copied.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk backup copy --from /backup/ghl --into /mnt/disk/ghl
  ghl-bulk backup copy --from main --into offsite --snapshot latest")]
pub(super) struct CopyArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// The repository that they are copied into: a directory, or a name from `[repositories.NAME]` in config.toml
    #[arg(long, value_name = "REPO2")]
    into: String,

    /// Only this snapshot: `latest`, `latest~1`, or its id, its beginning or its last four characters
    #[arg(long, value_name = "ID", value_parser = str::parse::<SnapshotChoice>)]
    snapshot: Option<SnapshotChoice>,
}

/// Copies snapshots.
pub(super) fn run(args: &CopyArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?;
    let from = place.open()?;
    let into = RepositoryRef::resolve(Some(&args.into), settings)?;
    refuse_same_place(place.dir(), into.dir())?;
    let locations = select_locations(&from, settings)?;
    if let Some(choice) = &args.snapshot {
        // A mistake creates nothing.
        for location in &locations {
            from.list_snapshots(location)?.choose(choice)?;
        }
    }
    let store = repository::open_local_store(into.dir());
    let to = from.open_or_create_copy(store, &into.dir().display().to_string())?;
    from.copy_erasures(&to)?;
    let mut reports: BTreeMap<&LocationId, CopyReport> = BTreeMap::new();
    for location in &locations {
        let report = backup::copy_location((&from, &to), location, args.snapshot.as_ref())?;
        reports.insert(location, report);
    }
    let is_damaged = reports.values().any(|report| !report.damaged.is_empty());
    let code = if is_damaged { CliExitCode::Damaged } else { CliExitCode::Done };
    let screen = CliReporter::new(settings.output_style);
    if settings.json {
        let outcome = if is_damaged { "failed" } else { "complete" };
        let summary = json!({"outcome": outcome, "kind": "backup_copy", "locations": reports});
        emit_summary(&screen, code, summary);
        return Ok(code);
    }
    for (location, report) in &reports {
        for line in report_lines(location, report) {
            screen.print_note(&line);
        }
    }
    if reports.is_empty() {
        screen.print_note("the repository has no snapshots");
    }
    if is_damaged {
        return Err(CliError::new(
            CliExitCode::Damaged,
            "some snapshots were not copied (see above)",
        )
        .with_hint("`ghl-bulk backup verify --read all` says what is damaged"));
    }
    Ok(code)
}

/// A repository is no copy of itself.
fn refuse_same_place(from: &Path, into: &Path) -> Result<(), CliError> {
    let real = |dir: &Path| dir.canonicalize().or_else(|_| std::path::absolute(dir));
    match (real(from), real(into)) {
        (Ok(from), Ok(into)) if into.starts_with(&from) || from.starts_with(&into) => {
            Err(CliError::usage("one of the two repositories is in the other")
                .with_hint("give another directory with `--into DIR`"))
        }
        _ => Ok(()),
    }
}

fn report_lines(location: &LocationId, report: &CopyReport) -> Vec<String> {
    let location = escape_for_terminal(location.as_str());
    let snapshots = format_plural(report.snapshots, "snapshot");
    let files = format_plural(report.files, "file");
    let present = match report.present {
        0 => String::new(),
        count => format!("; {} there already", format_plural(count, "snapshot")),
    };
    let bytes = format_bytes(report.bytes);
    let mut lines = vec![format!("{location}: copied {snapshots} ({files}, {bytes}){present}")];
    for (id, why) in &report.damaged {
        lines.push(format!("  not copied: {id}: {}", escape_for_terminal(why)));
    }
    if !report.not_erased.is_empty() {
        let count = format_plural(report.not_erased.len() as u64, "snapshot");
        lines.push(format!(
            "  the copy still has {count} from before people were erased; `ghl-bulk backup erase` there removes them"
        ));
    }
    lines
}
