//! `ghl-bulk completions`.

use clap_complete::Shell;

use crate::cli::completion;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::print_stdout;

/// Print the script that sets up completion in a shell
///
/// It completes commands, flags and their values, and also the ids of runs, profiles, presets and templates: the
/// script asks the program. So read the script when the shell starts, rather than from a file that would outlive an
/// upgrade.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Set it up, once:
  bash        echo 'source <(ghl-bulk completions bash)' >> ~/.bashrc
  zsh         echo 'source <(ghl-bulk completions zsh)' >> ~/.zshrc        (after `compinit`)
  fish        echo 'ghl-bulk completions fish | source' >> ~/.config/fish/completions/ghl-bulk.fish
  elvish      echo 'eval (ghl-bulk completions elvish | slurp)' >> ~/.config/elvish/rc.elv
  powershell  'ghl-bulk completions powershell | Out-String | Invoke-Expression' >> $PROFILE")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &CompletionsArgs) -> Result<CliExitCode, CliError> {
    let script = completion::registration_script(&args.shell.to_string());
    print_stdout(&script)?;
    Ok(CliExitCode::Done)
}
