//! `ghl-bulk mirror`: the local copies of locations.

mod find_mirror;
mod remove;
mod status;

use clap::Subcommand;

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;

pub(super) use find_mirror::open_only_mirror;

/// Show or remove the local copies that `sync` keeps
///
/// A local copy (mirror) has the current state of every contact, task, note, custom field, user and tag of a location, on
/// request also of appointments and businesses, and for a time what they said before each sync that saw a change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk mirror status                     every local copy on this machine
  ghl-bulk mirror status --location ID --json
  ghl-bulk mirror rm --location ID           remove the copy of a location")]
pub(crate) struct MirrorArgs {
    #[command(subcommand)]
    what: Option<MirrorSubcommand>,
}

#[derive(Debug, Subcommand)]
enum MirrorSubcommand {
    /// Show the local copies: size, last sync, records, how long what is kept, and who reads them (the default)
    ///
    /// Without `--location`, all of them. Reads only, and waits for no sync.
    Status,
    /// Remove the local copy of a location
    ///
    /// The former versions of its records, which only the copy has, are lost; the next sync reads everything again.
    /// Exported files, runs and the account stay as they are.
    Rm {
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: &MirrorArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        None | Some(MirrorSubcommand::Status) => status::run(settings),
        Some(MirrorSubcommand::Rm { yes }) => remove::run(*yes, settings),
    }
}
