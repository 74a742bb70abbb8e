//! `ghl-bulk config`.

pub(super) mod explain;
pub(super) mod show;

use std::io::{self, IsTerminal};

use clap::Subcommand;

use crate::cli::commands::map::presets::print_stdout;
use crate::cli::config::FILE;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::text_format::escape_for_terminal;
use crate::cli::settings::Settings;

/// Tell where settings come from; profiles and defaults of flags
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct ConfigArgs {
    #[command(subcommand)]
    what: ConfigSubcommand,
}

#[derive(Debug, Subcommand)]
enum ConfigSubcommand {
    /// Show each setting's value and where it comes from, never a secret
    Explain {
        /// A command, such as `export` or `runs publish`, for its flags, too
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print the path of `config.toml`, whether it exists or not
    Path,
}

const AFTER_HELP: &str = r#"
Examples:
  ghl-bulk config path
  ghl-bulk config explain
  ghl-bulk config explain import --profile main

`config.toml`; all of it can be left out:

  default_profile = "main"

  [defaults]                           # of flags, by their long names, whatever the profile
  concurrency = 16
  [defaults.export]                    # of one command
  format = ["parquet", "csv"]

  [profiles.main]
  location = "..."
  api_url = "..."
  token_command = "pass show ghl"      # prints the token; or ["pass", "show", "ghl"]
  token_file = "~/secrets/ghl"         # or: holds the token
  store = "keyring"                    # where `login` keeps one: keyring, file or age
  protected = true                     # what changes the location needs its name
  [profiles.main.defaults]             # of flags, before those of all profiles
  daily-reserve = "20%"
  [profiles.main.defaults.import]
  on_duplicate = "first"

A flag goes before the environment, that before the profile, that before `[defaults]`. A default
gives way to a flag that excludes it; `--FLAG=false` takes back one that is true. `--yes`,
`--allow-http` and `--confirm-...` have none. A token must not stand in the file."#;

/// Runs the command.
pub(in crate::cli) fn run(args: &ConfigArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        ConfigSubcommand::Path => print_config_path()?,
        ConfigSubcommand::Explain { command } => {
            let words: Vec<&str> =
                command.iter().flat_map(|word| word.split_whitespace()).collect();
            let explained = explain::explain_settings(&words, settings)?;
            print_stdout(&if settings.json {
                show::render_json(&explained)
            } else {
                show::render_table(&explained)
            })?;
        }
    }
    Ok(CliExitCode::Done)
}

fn print_config_path() -> Result<(), CliError> {
    let dir = dirs::config_dir().ok_or_else(|| {
        CliError::usage("there is no place to keep a configuration in")
            .with_hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let path = dir.join(FILE).display().to_string();
    // A program that is given it needs it as it is.
    let shown =
        if io::stdout().is_terminal() { escape_for_terminal(&path) } else { path.as_str().into() };
    print_stdout(&format!("{shown}\n"))
}
