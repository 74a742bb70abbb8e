//! `ghl-bulk config`.

pub(super) mod explain;
pub(super) mod show;

use std::io::{self, IsTerminal};

use clap::Subcommand;

use crate::cli::args::global::Global;
use crate::cli::commands::map::presets::print;
use crate::cli::config::FILE;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::text_format::safe;

/// Tell where settings come from; profiles and defaults of flags
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
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
pub(in crate::cli) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    match &args.what {
        What::Path => path()?,
        What::Explain { command } => {
            let words: Vec<&str> =
                command.iter().flat_map(|word| word.split_whitespace()).collect();
            let explained = explain::explain(&words, global)?;
            print(&if global.json { show::json(&explained) } else { show::text(&explained) })?;
        }
    }
    Ok(Code::Done)
}

fn path() -> Result<(), Failure> {
    let dir = dirs::config().ok_or_else(|| {
        Failure::usage("there is no place to keep a configuration in")
            .hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let path = dir.join(FILE).display().to_string();
    // A program that is given it needs it as it is.
    let shown = if io::stdout().is_terminal() { safe(&path) } else { path.as_str().into() };
    print(&format!("{shown}\n"))
}
