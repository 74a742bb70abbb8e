//! `ghl-bulk man`.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;

/// Write the manual pages into a directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ghl-bulk man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// The directory, made if need be
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Code, Failure> {
    let write = || {
        std::fs::create_dir_all(&args.dir)?;
        clap_mangen::generate_to(Cli::command(), &args.dir)
    };
    write().map_err(|error| Failure::usage(format!("`{}`: {error}", args.dir.display())))?;
    Ok(Code::Done)
}
