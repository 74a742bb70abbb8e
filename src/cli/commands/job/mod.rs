//! `ghl-bulk job`: what runs at night, without anybody watching.

mod args;
mod hooks;
mod install;
mod job_log;
mod list;
mod metrics;
mod outcome;
mod ping;
mod run_job;
mod step_command;
mod step_process;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::mapping::closest_name;

use args::JobOptionArgs;

/// Run what is described in `config.toml`, and have the system run it
///
/// A job is a table in `config.toml`, and each of its keys is a flag of `job run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk job run nightly                           run the job `nightly` now
  ghl-bulk job run nightly --steps export            only one of its steps
  ghl-bulk job                                       every job, and how it last ended
  ghl-bulk job install nightly --at 02:30            show what the system needs to run it every night
  ghl-bulk job install nightly --at 02:30 --write    and put it in its place

In config.toml:
  [jobs.nightly]
  locations = \"all\"                    # or ids, profiles, patterns of names
  steps = [\"sync\", \"export\"]           # also backup, verify, forget, prune
  deadline = \"06:00\"
  max_requests = \"40%\"
  export = { out = \"/lake/ghl\", changes = true }
  ping_file = \"/etc/ghl-bulk/ping\"     # a secret URL, such as one of healthchecks.io
  metrics = \"/var/lib/node_exporter/ghl_bulk.prom\"
  hooks = { failure = [[\"notify\", \"ops\"]] }")]
pub(crate) struct JobArgs {
    #[command(subcommand)]
    what: Option<JobSubcommand>,
}

#[derive(Debug, Subcommand)]
enum JobSubcommand {
    /// List the jobs of `config.toml`, and how each last ended (the default)
    List,
    /// Run a job now
    ///
    /// The steps run one after the other, each as a command of its own, and one that fails does not stop the others;
    /// only `forget` and `prune` need a backup of the same run. The exit code is that of the first step that failed. The
    /// log is in `logs/JOB` in the directory of runs; it names no customer.
    Run(Box<JobRunArgs>),
    Install(install::InstallArgs),
}

#[derive(Debug, clap::Args)]
struct JobRunArgs {
    /// The job's name
    #[arg(value_name = "JOB")]
    job: String,

    #[command(flatten)]
    options: JobOptionArgs,
}

/// Runs the command.
pub(crate) fn run(args: &JobArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    match &args.what {
        None | Some(JobSubcommand::List) => list::run(settings),
        Some(JobSubcommand::Run(args)) => run_job::run(&args.job, &args.options, settings),
        Some(JobSubcommand::Install(args)) => install::run(args, settings),
    }
}

/// The directory of a job's logs.
fn logs_dir(home: &Path, job: &str) -> PathBuf {
    home.join("logs").join(job)
}

/// Refuses a job that `config.toml` does not have, unless its steps are given.
fn check_job(job: &str, options: &JobOptionArgs, settings: &Settings) -> Result<(), CliError> {
    if !crate::cli::config::is_plain_name(job) {
        return Err(CliError::usage(format!("`{job}` cannot be a job's name"))
            .with_hint("use letters, digits, `-` and `_`, at most 64 of them"));
    }
    let known = settings.config().jobs();
    if !options.steps.is_empty() || known.iter().any(|known| known.value == job) {
        return Ok(());
    }
    Err(unknown_job_error(job, settings))
}

fn unknown_job_error(job: &str, settings: &Settings) -> CliError {
    let names: Vec<&str> = settings.config().jobs().iter().map(|job| job.value.as_str()).collect();
    let failure = CliError::usage(format!("there is no job `{job}`"));
    match closest_name(job, names.iter().copied()) {
        Some(near) => failure.with_hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => failure.with_hint(format!(
            "add `[jobs.{job}]` to `config.toml`; `ghl-bulk job --help` shows an example, and `ghl-bulk config path` where it is"
        )),
        None => failure.with_hint(format!("there are `{}`", names.join("`, `"))),
    }
}
