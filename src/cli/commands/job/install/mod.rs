//! `ghl-bulk job install`: what the system needs to run a job every day.

mod check;
mod cron;
mod launchd;
mod systemd;
mod task_scheduler;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::check_stdout;
use crate::cli::settings::Settings;

/// Have the system run a job every day: show the files that it needs for that, or write them
///
/// First, `doctor` checks whether the job will have its token, the network and its directories, in the environment that it
/// will have then.
#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    /// The job's name
    #[arg(value_name = "JOB")]
    job: String,

    /// When it runs, in local time
    #[arg(long, value_name = "HH:MM", value_parser = parse_time_of_day)]
    at: jiff::civil::Time,

    /// What runs it [default: what this system has]
    #[arg(long = "for", value_enum, value_name = "SCHEDULER")]
    scheduler: Option<Scheduler>,

    /// For the whole system, run by root, and not only for you (systemd and cron)
    #[arg(long)]
    system: bool,

    /// Write the files where they belong
    #[arg(long)]
    write: bool,

    /// Do not let `doctor` check it first
    #[arg(long)]
    no_check: bool,
}

/// What runs programs at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    Systemd,
    Launchd,
    #[value(name = "task-scheduler")]
    WindowsTask,
    Cron,
}

impl Scheduler {
    fn of_this_system() -> Self {
        if cfg!(windows) {
            Self::WindowsTask
        } else if cfg!(target_vendor = "apple") {
            Self::Launchd
        } else if Path::new("/run/systemd/system").is_dir() {
            Self::Systemd
        } else {
            Self::Cron
        }
    }
}

fn parse_time_of_day(text: &str) -> Result<jiff::civil::Time, String> {
    let well_formed = text.len() == 5 && text.as_bytes()[2] == b':';
    let time = jiff::civil::Time::strptime("%H:%M", text).ok().filter(|_| well_formed);
    time.ok_or_else(|| "not a time of day such as `02:30`".to_owned())
}

/// A job that is to be installed.
struct JobSchedule<'a> {
    job: &'a str,
    at: jiff::civil::Time,
    system: bool,
    program: PathBuf,
    /// Variables that the job needs; none of them is a secret.
    environment: Vec<(&'static str, String)>,
    user_home: Option<PathBuf>,
}

/// A file that a scheduler reads.
struct ScheduleFile {
    path: PathBuf,
    text: String,
}

/// What a scheduler needs.
struct Installation {
    files: Vec<ScheduleFile>,
    /// What the user must do afterwards.
    next: Vec<String>,
}

/// Variables of this program that are no secrets, and that the job would miss.
const VARIABLES: [&str; 8] = [
    "GHL_BULK_CONFIG",
    "GHL_BULK_HOME",
    "GHL_BULK_PROFILE",
    "GHL_BULK_REPOSITORY",
    "GHL_BULK_IDENTITY_FILE",
    "GHL_LOCATION_ID",
    "GHL_API_URL",
    "GHL_TOKEN_FILE",
];

/// Runs the command.
pub(super) fn run(args: &InstallArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    if !settings.config().jobs().iter().any(|job| job.value == args.job) {
        return Err(super::unknown_job_error(&args.job, settings));
    }
    let schedule = JobSchedule::new(args)?;
    check::check_paths(&args.job, settings, &schedule)?;
    let scheduler = args.scheduler.unwrap_or_else(Scheduler::of_this_system);
    if args.system && !matches!(scheduler, Scheduler::Systemd | Scheduler::Cron) {
        return Err(CliError::usage("`--system` is for systemd and cron only"));
    }
    if !args.no_check {
        check::run_doctor(&schedule, scheduler, settings, args.write)?;
    }
    let installation = match scheduler {
        Scheduler::Systemd => systemd::render(&schedule)?,
        Scheduler::Launchd => launchd::render(&schedule)?,
        Scheduler::WindowsTask => task_scheduler::render(&schedule),
        Scheduler::Cron => cron::render(&schedule),
    };
    if args.write { write_files(&installation) } else { print_files(&installation) }
}

impl<'a> JobSchedule<'a> {
    fn new(args: &'a InstallArgs) -> Result<Self, CliError> {
        let program = std::env::current_exe()
            .map_err(|error| CliError::usage(format!("the program's own path: {error}")))?;
        let environment = VARIABLES.iter().filter_map(|name| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
            // A repository may be a name from the configuration.
            let is_path = ["CONFIG", "HOME", "_FILE"].iter().any(|end| name.ends_with(end))
                || (name.ends_with("REPOSITORY") && value.contains(['/', '\\']));
            let absolute =
                || std::path::absolute(&value).ok().map(|path| path.display().to_string());
            Some((*name, if is_path { absolute()? } else { value }))
        });
        Ok(Self {
            job: &args.job,
            at: args.at,
            system: args.system,
            program,
            environment: environment.collect(),
            user_home: std::env::home_dir(),
        })
    }

    /// The command that the scheduler runs.
    fn command(&self) -> [String; 5] {
        let program = self.program.display().to_string();
        [program, "job".to_owned(), "run".to_owned(), self.job.to_owned(), "--quiet".to_owned()]
    }

    /// A path in the user's home.
    fn home_path(&self, path: &str) -> Result<PathBuf, CliError> {
        let home = self.user_home.as_ref();
        let home = home.ok_or_else(|| CliError::usage("you have no home directory (`HOME`)"))?;
        Ok(home.join(path))
    }
}

fn write_files(installation: &Installation) -> Result<CliExitCode, CliError> {
    for file in &installation.files {
        let failed = |error: io::Error| {
            CliError::usage(format!("`{}`: {error}", file.path.display()))
                .with_hint("leave out `--write` to see what would be written")
        };
        let dir = file.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(failed)?;
        let mut new = tempfile::Builder::new();
        // The scheduler may be another user.
        #[cfg(unix)]
        new.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut new = new.tempfile_in(dir).map_err(failed)?;
        new.write_all(&file.bytes()).map_err(failed)?;
        new.persist(&file.path).map_err(|error| failed(error.error))?;
        let mut out = io::stdout().lock();
        check_stdout(writeln!(out, "wrote {}", file.path.display()))?;
    }
    print_next(installation)
}

fn print_files(installation: &Installation) -> Result<CliExitCode, CliError> {
    let mut out = io::stdout().lock();
    for file in &installation.files {
        let text = file.text.trim_end();
        check_stdout(writeln!(out, "# {}\n{text}\n", file.path.display()))?;
    }
    drop(out);
    print_next(installation)
}

fn print_next(installation: &Installation) -> Result<CliExitCode, CliError> {
    let mut out = io::stdout().lock();
    for line in &installation.next {
        check_stdout(writeln!(out, "next: {line}"))?;
    }
    Ok(CliExitCode::Done)
}

impl ScheduleFile {
    fn bytes(&self) -> Vec<u8> {
        // The Task Scheduler takes files in UTF-16 only.
        if self.path.extension().is_some_and(|extension| extension == "xml") {
            let units = std::iter::once(0xfeff).chain(self.text.encode_utf16());
            return units.flat_map(u16::to_le_bytes).collect();
        }
        self.text.as_bytes().to_vec()
    }
}

/// Words of a command line as one text, for messages.
fn join_words(words: &[OsString]) -> String {
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
