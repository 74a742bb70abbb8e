//! Which snapshot `export --from` reads.

use crate::cli::commands::backup::snapshot_arg::SnapshotArg;
use crate::cli::output::error::CliError;

/// Which snapshot is exported.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "From a backup")]
pub(super) struct FromSnapshotArgs {
    /// Export a snapshot of this backup repository, without a request: a directory, or a name from `[repositories.NAME]`
    /// in config.toml
    #[arg(
        long,
        value_name = "REPO",
        conflicts_with_all = ["incremental", "contacts", "estimate", "continue_run", "locations", "all_locations", "location_name", "tag", "updated_since", "added_since", "business", "query", "filter", "notes_by"]
    )]
    pub(super) from: Option<String>,

    #[command(flatten)]
    pub(super) snapshot: SnapshotArg,
}

impl FromSnapshotArgs {
    /// Refuses a choice of a snapshot without a repository.
    pub(super) fn check(&self) -> Result<(), CliError> {
        let SnapshotArg { at, snapshot, identity } = &self.snapshot;
        let given = [
            ("--at", at.is_some()),
            ("--snapshot", snapshot.is_some()),
            ("--identity", identity.identity.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given && self.from.is_none()) {
            Some((flag, _)) => Err(CliError::usage(format!("`{flag}` goes with `--from REPO`"))),
            None => Ok(()),
        }
    }
}
