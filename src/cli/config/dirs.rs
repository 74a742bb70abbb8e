//! Settings from the environment: where runs are stored, and how long to wait for the search.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::output::error::CliError;
use crate::id::RunId;
use crate::run::RunStore;

/// How long a record may be hidden from the search: up to 34 s were seen (api.md §2.10).
const SETTLE: Duration = Duration::from_secs(35);
/// How long a request whose answer was lost may still be applied, at least.
const SETTLE_WRITES: Duration = Duration::from_mins(1);

/// The directory of this program's runs.
pub(crate) fn runs_home() -> Result<RunStore, CliError> {
    match runs_home_dir() {
        Some(home) => Ok(RunStore::new(&home)),
        None => Err(CliError::usage("there is no directory to store runs in")
            .with_hint("set `GHL_BULK_HOME` to a directory")),
    }
}

/// The id of a run as it is printed in a command to copy: its last part, if that names no other run.
pub(crate) fn shorten_run_id(run: &RunId) -> String {
    runs_home().map_or_else(|_| run.to_string(), |home| home.short_ids().shorten(run))
}

/// The path of that directory; `None` without a home directory.
pub(crate) fn runs_home_dir() -> Option<PathBuf> {
    let state = || {
        if cfg!(windows) {
            return path_from_env("LOCALAPPDATA");
        }
        let user = path_from_env("HOME");
        if cfg!(target_vendor = "apple") {
            return user.map(|user| user.join("Library/Application Support"));
        }
        path_from_env("XDG_STATE_HOME").or_else(|| user.map(|user| user.join(".local/state")))
    };
    path_from_env("GHL_BULK_HOME").or_else(|| state().map(|state| state.join("ghl-bulk")))
}

/// A path from an environment variable.
fn path_from_env(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The configuration directory, absolute; it need not exist. `None` without a home directory.
pub(crate) fn config_dir() -> Option<PathBuf> {
    let config = || {
        if cfg!(windows) {
            return path_from_env("APPDATA");
        }
        let user = path_from_env("HOME");
        if cfg!(target_vendor = "apple") {
            return user.map(|user| user.join("Library/Application Support"));
        }
        path_from_env("XDG_CONFIG_HOME").or_else(|| user.map(|user| user.join(".config")))
    };
    let dir = path_from_env("GHL_BULK_CONFIG")
        .or_else(|| config().map(|config| config.join("ghl-bulk")))?;
    // A run may be resumed from another directory.
    std::path::absolute(dir).ok()
}

/// The directory of the user's presets, which need not exist; `None` without a home directory.
pub(crate) fn presets_dir() -> Option<PathBuf> {
    Some(config_dir()?.join("presets"))
}

/// The directory of stored tokens, which need not exist; `None` without a home directory.
pub(crate) fn credentials_dir() -> Option<PathBuf> {
    Some(config_dir()?.join("credentials"))
}

/// `GHL_BULK_SETTLE_S`, as far as it is about reading. The index of the embedded sandbox never lags.
pub(crate) fn read_settle_time(sandbox: bool) -> Result<Duration, CliError> {
    let usual = if sandbox { Duration::ZERO } else { SETTLE };
    Ok(settle_time_from_env()?.unwrap_or(usual))
}

/// `GHL_BULK_SETTLE_S`, as far as it is about writing: how long after its sending a request may still
/// be applied. By default the time-out of a request, and a minute at least.
pub(crate) fn write_settle_time(timeout: Duration) -> Result<Duration, CliError> {
    Ok(settle_time_from_env()?.unwrap_or_else(|| timeout.max(SETTLE_WRITES)))
}

fn settle_time_from_env() -> Result<Option<Duration>, CliError> {
    let Ok(text) = env::var("GHL_BULK_SETTLE_S") else { return Ok(None) };
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let wrong = || CliError::usage("`GHL_BULK_SETTLE_S` must be a number of seconds");
    seconds.map(Some).ok_or_else(wrong)
}
