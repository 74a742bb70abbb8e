//! Whether a job will run in the environment that it will have.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{JobSchedule, Scheduler, join_words};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;

/// Settings of a job that are paths: the flag's name in clap, and for a flag that is a table the key.
const PATHS: [(&str, Option<&str>); 5] = [
    ("repository", None),
    ("ping_file", None),
    ("metrics", None),
    ("export", Some("out=")),
    ("log", None),
];

/// Refuses relative paths: the scheduler runs the job in a directory of its own.
pub(super) fn check_paths(
    job: &str,
    settings: &Settings,
    schedule: &JobSchedule<'_>,
) -> Result<(), CliError> {
    for (name, values) in settings.config().job_settings(job) {
        let Some((_, key)) = PATHS.iter().find(|(path, _)| *path == name) else { continue };
        for value in values {
            let path = match key {
                Some(key) => value.strip_prefix(key),
                None => Some(value.as_str()),
            };
            // A repository can be a name from the configuration.
            let is_path = |path: &&str| name != "repository" || path.contains(['/', '\\']);
            let Some(path) = path.filter(is_path) else { continue };
            if Path::new(path).is_relative() && !path.contains("://") {
                let message = format!("`{path}` in the job `{job}` is a relative path");
                return Err(CliError::usage(message).with_hint(
                    "write the whole path: the scheduler runs the job in another directory",
                ));
            }
        }
    }
    if !schedule.program.is_absolute() {
        return Err(CliError::usage("the program's own path is not known")
            .with_hint("start it with its whole path"));
    }
    Ok(())
}

/// Lets `doctor` check the access in the environment that the scheduler gives the job. What it finds is shown; with `write`
/// a failure ends the installation.
pub(super) fn run_doctor(
    schedule: &JobSchedule<'_>,
    scheduler: Scheduler,
    settings: &Settings,
    write: bool,
) -> Result<(), CliError> {
    let mut words: Vec<OsString> = ["doctor", "--for", "export", "--quiet"].map(Into::into).into();
    words.extend(location_words(schedule.job, settings));
    words.extend(settings.layers.typed.iter().cloned());
    let mut command = Command::new(&schedule.program);
    command.args(&words).env_clear().envs(scheduler_environment(schedule, scheduler));
    let status = command.stdin(Stdio::null()).status();
    let status =
        status.map_err(|error| CliError::usage(format!("`doctor` did not start: {error}")))?;
    if let Some(warning) = linger_warning(schedule, scheduler) {
        eprintln_warning(&warning);
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
    if code == 0 {
        return Ok(());
    }
    let message = format!(
        "in the environment of the scheduler, `ghl-bulk {}` ends with {code}",
        join_words(&words)
    );
    let hint = "the variables of your shell are missing there: store the token with `ghl-bulk login --store encrypted`, or set \
                `token_file` in the profile; `--no-check` leaves this out";
    if write {
        return Err(CliError::new(CliExitCode::from_code(code), message).with_hint(hint));
    }
    eprintln_warning(&format!("{message}; {hint}"));
    Ok(())
}

/// The locations of a job, as `doctor` takes them. Profiles and patterns of names are checked when the job runs.
fn location_words(job: &str, settings: &Settings) -> Vec<OsString> {
    let mut all = settings.config().job_settings(job);
    let values = all.find(|(name, _)| *name == "locations").map(|(_, values)| values);
    let values = values.unwrap_or_default();
    let is_profile = |value: &str| settings.config().profile_names().any(|name| name == value);
    match values {
        [one] if one == "all" => vec!["--all-locations".into()],
        [one] if is_profile(one) => vec![format!("--profile={one}").into()],
        values if values.iter().any(|value| value.contains(['*', '?']) || is_profile(value)) => {
            Vec::new()
        }
        [] => Vec::new(),
        ids => vec![format!("--location={}", ids.join(",")).into()],
    }
}

/// The variables that a job has when its scheduler runs it.
fn scheduler_environment(
    schedule: &JobSchedule<'_>,
    scheduler: Scheduler,
) -> Vec<(String, OsString)> {
    // Only the manager of a user's own services has the session's keyring.
    let session: &[&str] = match scheduler {
        Scheduler::Systemd if !schedule.system => &["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"],
        Scheduler::WindowsTask => &["APPDATA", "LOCALAPPDATA", "SYSTEMROOT", "USERPROFILE"],
        _ => &[],
    };
    let kept = ["HOME", "LANG", "TZ"].iter().chain(session);
    let kept = kept.filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?)));
    let path = ("PATH".to_owned(), OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let own = schedule.environment.iter();
    let own = own.map(|(name, value)| ((*name).to_owned(), OsString::from(value)));
    std::iter::once(path).chain(kept).chain(own).collect()
}

/// A user's timers run only while the user is logged in, unless lingering is enabled.
fn linger_warning(schedule: &JobSchedule<'_>, scheduler: Scheduler) -> Option<String> {
    if scheduler != Scheduler::Systemd || schedule.system {
        return None;
    }
    let user = std::env::var("USER").ok()?;
    let lingers = Path::new("/var/lib/systemd/linger").join(&user).exists();
    (!lingers).then(|| {
        format!(
            "the timers of `{user}` run only while `{user}` is logged in; `loginctl enable-linger` changes that"
        )
    })
}

fn eprintln_warning(message: &str) {
    use std::io::Write as _;
    // When stderr is closed there is nothing to report to.
    let _ = writeln!(std::io::stderr().lock(), "warning: {message}");
}
