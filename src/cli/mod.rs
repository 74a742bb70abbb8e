//! The command line: one file per command, each with its arguments and what it runs.
//!
//! Only this floor knows the terminal, the environment and exit codes. It translates: arguments into
//! options, events into bars or lines, errors into a message, a hint and a code.

mod account;
mod args;
mod commands;
mod completion;
mod config;
mod machine_limits;
mod output;
mod service;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use args::command_line::{CommandLine, CommandLineError};
use args::global::GlobalArgs;
use config::dirs;
use output::error::CliError;
use output::exit_code::CliExitCode;
use output::stdout_failure;
use settings::Settings;

use crate::run::ShortRunIds;

/// Moves contacts, with their tasks, notes, appointments, tags and custom fields, between a HighLevel
/// account and files
#[derive(Debug, Parser)]
#[command(name = "ghl-bulk", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    #[command(flatten)]
    global: GlobalArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk export --sandbox --out demo       try it on made-up data, without an account
  ghl-bulk login --location LOCATION         check a token and store it for other commands
  ghl-bulk export --out backup               everything, as Parquet
  ghl-bulk export --format csv --tag vip     the contacts tagged `vip`, for a spreadsheet
  ghl-bulk map leads.xlsx -o leads.toml      propose where each column of a spreadsheet goes
  ghl-bulk import leads.xlsx --map leads.toml --dry-run   what would happen
  ghl-bulk apply RUN                         apply the plan of a dry run
  ghl-bulk undo RUN                          undo an import
  ghl-bulk show ada@example.com              one contact with its tasks, notes and appointments
  ghl-bulk sync                              keep a local copy of the account up to date
  ghl-bulk backup --to /backup/ghl           sync, then write a snapshot
  ghl-bulk watch --post https://example.com/hook   send changes to another system
  ghl-bulk job run nightly                   run a job of `config.toml`
  ghl-bulk doctor                            check access, network and disk
  ghl-bulk resume                            continue an interrupted run

Environment:
  GHL_TOKEN          a Private Integration Token of the location (never a flag)
  GHL_TOKEN_FILE     a file that holds it; both override what `login` has stored
  GHL_LOCATION_ID    the location, instead of `--location`
  GHL_API_URL        the API's address, instead of `--api-url`
  GHL_BULK_PROFILE   the profile, instead of `--profile`
  GHL_BULK_CONFIG    the directory of `config.toml` and, in `presets`, your own presets [default:
                     ghl-bulk in the platform's configuration directory]
  GHL_BULK_HOME      the directory of runs [default: the platform's state directory]
  GHL_BULK_SETTLE_S  seconds until a new record appears in the search [default: 35], or until a
                     request that got no answer can no longer be applied [default: 60]

Exit codes: 0 done, 2 usage or environment, 3 done but some records unreadable or rows rejected,
4 file or plan refused, 5 stale plan or backup, 6 rows in doubt, 7 too many errors,
8 token or scope, 9 paused (daily quota or deadline), 10 no such run, contact, local copy or
snapshot, 11 locked by another process, 12 damaged, 20 a dry run found changes,
130 interrupted, 143 terminated.";

#[derive(Debug, Subcommand)]
enum CliCommand {
    Export(Box<commands::export::ExportArgs>),
    Import(Box<commands::import::ImportArgs>),
    Map(commands::map::MapArgs),
    Apply(commands::apply::ApplyArgs),
    Undo(commands::undo::UndoArgs),
    Show(commands::show::ShowArgs),
    History(commands::history::HistoryArgs),
    Sync(commands::sync::SyncArgs),
    Mirror(commands::mirror::MirrorArgs),
    Watch(Box<commands::watch::WatchArgs>),
    Job(commands::job::JobArgs),
    Backup(Box<commands::backup::BackupArgs>),
    Restore(Box<commands::restore::RestoreArgs>),
    Resume(commands::resume::ResumeArgs),
    Doctor(commands::doctor::DoctorArgs),
    Runs(commands::runs::RunsArgs),
    Login(commands::login::LoginArgs),
    Logout(commands::logout::LogoutArgs),
    Whoami(commands::whoami::WhoamiArgs),
    Schema(commands::schema::SchemaArgs),
    Sandbox(commands::sandbox::SandboxArgs),
    Config(commands::config::ConfigArgs),
    Completions(commands::completions::CompletionsArgs),
    Man(commands::man::ManArgs),
}

/// Runs the program: parses the arguments, runs the command, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    disable_core_dumps();
    if let Some(answered) = completion::answer_shell() {
        return answered;
    }
    let CommandLine { command, settings } =
        match args::command_line::parse(std::env::args_os().collect()) {
            Ok(line) => line,
            Err(CommandLineError::Usage(error)) => {
                return output::exit_code::print_clap_error(&error);
            }
            Err(CommandLineError::Config(refused)) => {
                return refused.failure.print(refused.json, &ShortRunIds::default()).into();
            }
        };
    let code = args::global::init_logging(settings.verbose, settings.log.as_deref())
        .and_then(|()| run_command(&command, &settings));
    let code = code.unwrap_or_else(|failure| {
        let short_ids = dirs::runs_home().map(|home| home.short_ids()).unwrap_or_default();
        failure.print(settings.json, &short_ids)
    });
    report_stdout_failure(code).into()
}

/// Says on stderr, even with `--json`, what could not be written to stdout. Returns the exit code.
fn report_stdout_failure(code: CliExitCode) -> CliExitCode {
    let Some(sentence) = stdout_failure::take_failure() else { return code };
    let printed = CliError::usage(sentence).print(false, &ShortRunIds::default());
    if code == CliExitCode::Done { printed } else { code }
}

/// A core dump would hold the token. The limit that a user may raise again stays: the commands that this program starts
/// inherit it.
#[cfg(unix)]
fn disable_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    // Refused in a restricted environment, which is not worth ending for.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// Other systems write no core dumps.
#[cfg(not(unix))]
fn disable_core_dumps() {}

fn run_command(command: &CliCommand, settings: &Settings) -> Result<CliExitCode, CliError> {
    match command {
        CliCommand::Export(args) => commands::export::run(args, settings),
        CliCommand::Import(args) => commands::import::run(args, settings),
        CliCommand::Map(args) => commands::map::run(args, settings),
        CliCommand::Apply(args) => commands::apply::run(args, settings),
        CliCommand::Undo(args) => commands::undo::run(args, settings),
        CliCommand::Show(args) => commands::show::run(args, settings),
        CliCommand::History(args) => commands::history::run(args, settings),
        CliCommand::Mirror(args) => commands::mirror::run(args, settings),
        CliCommand::Sync(args) => commands::sync::run(args, settings),
        CliCommand::Backup(args) => commands::backup::run(args, settings),
        CliCommand::Restore(args) => commands::restore::run(args, settings),
        CliCommand::Watch(args) => commands::watch::run(args, settings),
        CliCommand::Job(args) => commands::job::run(args, settings),
        CliCommand::Resume(args) => commands::resume::run(args, settings),
        CliCommand::Doctor(args) => commands::doctor::run(args, settings),
        CliCommand::Runs(args) => commands::runs::run(args, settings),
        CliCommand::Login(args) => commands::login::run(args, settings),
        CliCommand::Logout(args) => commands::logout::run(args, settings),
        CliCommand::Whoami(args) => commands::whoami::run(args, settings),
        CliCommand::Schema(args) => commands::schema::run(args, settings),
        CliCommand::Sandbox(args) => commands::sandbox::run(args),
        CliCommand::Config(args) => commands::config::run(args, settings),
        CliCommand::Completions(args) => commands::completions::run(args),
        CliCommand::Man(args) => commands::man::run(args),
    }
}
