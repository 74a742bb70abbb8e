//! The command line: one file per command, each with its arguments and what it runs.
//!
//! Only this floor knows the terminal, the environment and exit codes. It translates: arguments into
//! options, events into bars or lines, errors into a message, a hint and a code.

mod account;
mod args;
mod commands;
mod config;
mod output;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use args::command_line::Refused;
use args::global::Global;

/// Moves contacts, with their tasks, notes, appointments, tags and custom fields, between a HighLevel
/// account and files
#[derive(Debug, Parser)]
#[command(name = "ghl-bulk", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk export --sandbox --out demo       try it on made-up data, without an account
  ghl-bulk login --location LOCATION         check a token and keep it, so that nothing asks again
  ghl-bulk export --out backup               everything, as Parquet
  ghl-bulk export --format csv --tag vip     the contacts tagged `vip`, for a spreadsheet
  ghl-bulk map leads.xlsx -o leads.toml      what goes where in a spreadsheet?
  ghl-bulk import leads.xlsx --map leads.toml --dry-run   what would happen
  ghl-bulk undo RUN                          take an import back
  ghl-bulk doctor                            what is wrong with access, network or disk?
  ghl-bulk resume                            go on with what was interrupted, or apply a dry run

Environment:
  GHL_TOKEN          a Private Integration Token of the location (never a flag)
  GHL_TOKEN_FILE     a file that holds it, instead; both go before what `login` has stored
  GHL_LOCATION_ID    the location, instead of `--location`
  GHL_API_URL        the API's address, instead of `--api-url`
  GHL_BULK_PROFILE   the profile, instead of `--profile`
  GHL_BULK_CONFIG    where `config.toml` and, in `presets`, presets of your own are kept [default:
                     ghl-bulk in the platform's configuration directory]
  GHL_BULK_HOME      where runs are kept [default: the platform's state directory]
  GHL_BULK_SETTLE_S  seconds that a record may be hidden from the search [default: 35], or that a
                     request whose answer was lost may still be applied [default: 60]

Exit codes: 0 done, 2 usage or environment, 3 done but some records unreadable or rows rejected,
4 file or plan refused, 5 stale plan, 6 rows in doubt, 7 too many errors, 8 token or scope,
9 paused (budget or deadline), 10 no such run, 11 held by another process, 12 damaged,
20 a dry run found changes, 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    Export(commands::export::Args),
    Import(Box<commands::import::Args>),
    Map(commands::map::Args),
    Undo(commands::undo::Args),
    Resume(commands::resume::Args),
    Doctor(commands::doctor::Args),
    Runs(commands::runs::Args),
    Login(commands::login::Args),
    Logout(commands::logout::Args),
    Whoami(commands::whoami::Args),
    Schema(commands::schema::Args),
    Sandbox(commands::sandbox::Args),
    Config(commands::config::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

/// Runs the program: parses the arguments, does what they say, and answers with the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match args::command_line::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(Refused::Usage(error)) => return output::exit_code::usage(&error),
        Err(Refused::Config(refused)) => return refused.failure.show(&refused.global).into(),
    };
    args::global::log(cli.global.verbose);
    let result = match &cli.command {
        Command::Export(args) => commands::export::run(args, &cli.global),
        Command::Import(args) => commands::import::run(args, &cli.global),
        Command::Map(args) => commands::map::run(args, &cli.global),
        Command::Undo(args) => commands::undo::run(args, &cli.global),
        Command::Resume(args) => commands::resume::run(args, &cli.global),
        Command::Doctor(args) => commands::doctor::run(args, &cli.global),
        Command::Runs(args) => commands::runs::run(args, &cli.global),
        Command::Login(args) => commands::login::run(args, &cli.global),
        Command::Logout(args) => commands::logout::run(args, &cli.global),
        Command::Whoami(args) => commands::whoami::run(args, &cli.global),
        Command::Schema(args) => commands::schema::run(args, &cli.global),
        Command::Sandbox(args) => commands::sandbox::run(args),
        Command::Config(args) => commands::config::run(args, &cli.global),
        Command::Completions(args) => commands::completions::run(args),
        Command::Man(args) => commands::man::run(args),
    };
    match result {
        Ok(code) => code.into(),
        Err(failure) => failure.show(&cli.global).into(),
    }
}
