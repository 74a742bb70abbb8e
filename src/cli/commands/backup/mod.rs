//! `ghl-bulk backup`: snapshots of locations, in a repository.

mod copy;
mod diff;
mod drill;
mod drill_comparison;
mod erase;
mod erase_lines;
mod forget;
mod init;
mod list;
mod live_check;
mod make;
pub(super) mod open_repository;
mod prune;
mod show;
pub(super) mod snapshot_arg;
mod snapshot_lines;
mod status;
mod verify;

use clap::Subcommand;

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;

/// Back up a location: sync, then write a snapshot into a repository
///
/// Each backup reads the whole account (a walk), and writes what has changed since the last snapshot into a repository:
/// a directory of plain files that never change. A night without a change adds a manifest and nothing else. Another
/// program can copy the repository elsewhere at any time. `ghl-bulk export --from` reads any snapshot without a request.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  ghl-bulk backup init --to /backup/ghl --new-key key.txt   an encrypted repository; keep key.txt elsewhere
  ghl-bulk backup --to /backup/ghl                          sync, then one snapshot
  ghl-bulk backup list --from /backup/ghl
  ghl-bulk export --from /backup/ghl --at 2026-11-01 --out november

The repository is `--to`, `GHL_BULK_REPOSITORY`, or a name from `[repositories.NAME]` in config.toml
(`default_repository = \"NAME\"`, or the only one there is)."
)]
pub(crate) struct BackupArgs {
    #[command(subcommand)]
    what: Option<BackupSubcommand>,

    #[command(flatten)]
    make: make::MakeArgs,
}

#[derive(Debug, Subcommand)]
enum BackupSubcommand {
    Init(init::InitArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Diff(diff::DiffArgs),
    Status(status::StatusArgs),
    Verify(verify::VerifyArgs),
    Forget(forget::ForgetArgs),
    /// Take back that a snapshot was forgotten, as long as it is not pruned
    Remember(forget::OneSnapshotArgs),
    /// Keep a snapshot until it is released, whatever the rules of `forget` say
    Hold(forget::OneSnapshotArgs),
    /// Let a snapshot go that was held
    ///
    /// After an alert (many deletions, many changes, an emptied field) the snapshot before is held, since it may be the last
    /// good one. Compare the two, restore what was lost, and then release it.
    Release(forget::OneSnapshotArgs),
    Prune(prune::PruneArgs),
    Copy(copy::CopyArgs),
    Erase(erase::EraseArgs),
}

/// Runs the command.
pub(crate) fn run(args: &BackupArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        None => make::run(&args.make, settings),
        Some(BackupSubcommand::Init(args)) => init::run(args, settings),
        Some(BackupSubcommand::List(args)) => list::run(args, settings),
        Some(BackupSubcommand::Show(args)) => show::run(args, settings),
        Some(BackupSubcommand::Diff(args)) => diff::run(args, settings),
        Some(BackupSubcommand::Status(args)) => status::run(args, settings),
        Some(BackupSubcommand::Verify(args)) => verify::run(args, settings),
        Some(BackupSubcommand::Forget(args)) => forget::run(args, settings),
        Some(BackupSubcommand::Remember(args)) => forget::remember(args, settings),
        Some(BackupSubcommand::Hold(args)) => forget::hold(args, settings),
        Some(BackupSubcommand::Release(args)) => forget::release(args, settings),
        Some(BackupSubcommand::Prune(args)) => prune::run(args, settings),
        Some(BackupSubcommand::Copy(args)) => copy::run(args, settings),
        Some(BackupSubcommand::Erase(args)) => erase::run(args, settings),
    }
}
