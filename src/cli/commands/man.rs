//! `ghl-bulk man`.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;

/// Write the manual pages into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ghl-bulk man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The directory; created if it does not exist
    #[arg(value_name = "DIR", value_parser = parse_output_dir)]
    dir: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &ManArgs) -> Result<CliExitCode, CliError> {
    let write = || {
        std::fs::create_dir_all(&args.dir)?;
        clap_mangen::generate_to(Cli::command(), &args.dir)
    };
    write().map_err(|error| CliError::usage(format!("`{}`: {error}", args.dir.display())))?;
    Ok(CliExitCode::Done)
}
