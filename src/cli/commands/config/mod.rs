//! `ghl-bulk config`.

pub(super) mod explain;
pub(super) mod show;

use std::io::{self, IsTerminal};

use clap::Subcommand;

use crate::cli::config::FILE;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::text::escape_for_terminal;

/// Show settings and where they come from; profiles and flag defaults
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct ConfigArgs {
    #[command(subcommand)]
    what: ConfigSubcommand,
}

#[derive(Debug, Subcommand)]
enum ConfigSubcommand {
    /// Show each setting's value and source, never a secret
    Explain {
        /// Also show the flags of a command, such as `export` or `runs publish`
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

A `config.toml`; everything in it is optional:

  default_profile = "main"

  [defaults]                           # flag defaults, by long name, for all profiles
  concurrency = 16
  [defaults.export]                    # for one command
  format = ["parquet", "csv"]

  [profiles.main]
  location = "..."
  api_url = "..."
  token_command = "pass show ghl"      # prints the token; or ["pass", "show", "ghl"]
  token_file = "~/secrets/ghl"         # or: holds the token
  store = "keyring"                    # where `login` stores one: keyring, file or age
  protected = true                     # changing the location requires its name
  [profiles.main.defaults]             # override the defaults of all profiles
  daily-reserve = "20%"
  [profiles.main.defaults.import]
  on_duplicate = "first"

Precedence: flag, environment, profile, `[defaults]`. A default is ignored if you give a flag that
conflicts with it; `--FLAG=false` turns off a default that is true. `--yes`, `--allow-http` and
`--confirm-...` cannot have defaults. The file must not contain a token."#;

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
        CliError::usage("there is no directory for a configuration")
            .with_hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let path = dir.join(FILE).display().to_string();
    // A program that is given it needs it as it is.
    let shown =
        if io::stdout().is_terminal() { escape_for_terminal(&path) } else { path.as_str().into() };
    print_stdout(format!("{shown}\n"))
}
