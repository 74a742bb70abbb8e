//! `ghl-bulk completions`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;

/// Print shell completions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk completions bash > ~/.local/share/bash-completion/completions/ghl-bulk
  ghl-bulk completions zsh > ~/.zfunc/_ghl-bulk")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Runs the command.
#[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
pub(crate) fn run(args: &CompletionsArgs) -> Result<CliExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ghl-bulk", &mut script);
    // A closed pipe: the reader has seen enough.
    let _ = io::stdout().lock().write_all(&script);
    Ok(CliExitCode::Done)
}
