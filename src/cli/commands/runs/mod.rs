//! `ghl-bulk runs`.

mod list;
mod next_command;
mod overview;
mod prune;
mod remove;
mod rewrite;
mod show;

use std::io;
use std::path::PathBuf;

use clap::Subcommand;

use super::export::OutputFormatArgs;
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::check_stdout;
use crate::cli::settings::Settings;
use crate::run::RunRef;

/// List, show, publish again or remove runs
///
/// RUN is the id of a run, a beginning of it, or its last part, such as `k3f9`, as long as that names one run.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk runs                               all runs
  ghl-bulk runs show k3f9                     the progress of one run, and the next command
  ghl-bulk runs publish k3f9 --format csv     write its files again, as CSV
  ghl-bulk runs publish k3f9 --template dext  the files that Dext imports
  ghl-bulk runs results k3f9                  write an import's result files again
  ghl-bulk runs rm k3f9                       remove it; its files stay
  ghl-bulk runs prune --keep-last 30          remove old exports")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    what: Option<RunsSubcommand>,
}

#[derive(Debug, Subcommand)]
enum RunsSubcommand {
    /// List all runs, oldest first (the default)
    ///
    /// A table with the short id, the time in UTC, the rows and records, the size on disk, and why a run
    /// stopped before its end. On a terminal it fits the width; in a pipe it is complete.
    List,
    /// Show one run: its kind, its progress, what could not be read, and the next command
    Show {
        /// The run
        run: RunRef,
    },
    /// Write the files of a finished export again, in other formats or elsewhere, without calling the API
    Publish {
        /// The run
        run: RunRef,
        #[command(flatten)]
        shape: OutputFormatArgs,
        /// The output directory [default: the run's]
        #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
        out: Option<PathBuf>,
    },
    /// Write the result files of an import again, without calling the API
    Results {
        /// The run
        run: RunRef,
        /// The directory of the result files [default: the run's]
        #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
        out: Option<PathBuf>,
    },
    /// Apply your decisions on rows in doubt: `in_doubt.csv` with `_doubt_decision` filled in
    ///
    /// A decision is `applied`, `not applied`, or the id of the contact that the row created. `ghl-bulk
    /// resume` sends the rows that were not applied.
    Resolve {
        /// The run
        run: RunRef,
        /// The file
        file: PathBuf,
    },
    /// Remove runs permanently; the files that they have written stay
    Rm {
        /// The runs
        #[arg(required = true)]
        run: Vec<RunRef>,
    },
    Prune(prune::PruneArgs),
}

/// Runs the command.
pub(crate) fn run(args: &RunsArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        None | Some(RunsSubcommand::List) => list::run(settings),
        Some(RunsSubcommand::Show { run }) => show::run(run, settings),
        Some(RunsSubcommand::Publish { run, shape, out }) => {
            rewrite::publish_run(run, shape, out.as_ref(), settings)
        }
        Some(RunsSubcommand::Results { run, out }) => {
            rewrite::write_results(run, out.as_ref(), settings)
        }
        Some(RunsSubcommand::Resolve { run, file }) => {
            rewrite::resolve_in_doubt(run, file, settings)
        }
        Some(RunsSubcommand::Rm { run }) => remove::run(run, settings),
        Some(RunsSubcommand::Prune(args)) => prune::run(args, settings),
    }
}

/// A closed pipe is a reader that has seen enough.
fn ignore_broken_pipe(result: io::Result<()>) -> Result<CliExitCode, CliError> {
    check_stdout(result).map(|()| CliExitCode::Done)
}
