//! `ghl-bulk mirror`: the local copies of locations.

mod find_mirror;
mod forget;
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
  ghl-bulk mirror rm --location ID           remove the copy of a location
  ghl-bulk mirror forget old/lake            a directory that is no longer exported to holds nothing back")]
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
    /// Forget an output directory or a sink that no longer reads the local copy of a location
    ///
    /// What it has not got yet is then no longer kept for it. Events that wait for a sink are lost, and the sink starts again
    /// when it is watched again; if the directory is exported to again, its changes may lack what deleted records said.
    Forget {
        /// The directory, or the name that `mirror status` shows
        #[arg(value_name = "READER")]
        reader: String,
    },
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
        Some(MirrorSubcommand::Forget { reader }) => forget::run(reader, settings),
        Some(MirrorSubcommand::Rm { yes }) => remove::run(*yes, settings),
    }
}
