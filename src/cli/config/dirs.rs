//! What the environment says: where runs live, and how long to wait for the search.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::output::error::Failure;
use crate::run::Home;

/// How long a record may be hidden from the search: up to 34 s were seen (api.md §2.10).
const SETTLE: Duration = Duration::from_secs(35);
/// How long a request whose answer was lost may still be applied, at least.
const SETTLE_WRITES: Duration = Duration::from_mins(1);

/// The directory of this program's runs.
pub(crate) fn home() -> Result<Home, Failure> {
    match home_dir() {
        Some(home) => Ok(Home::new(&home)),
        None => Err(Failure::usage("there is no place to keep runs in")
            .hint("set `GHL_BULK_HOME` to a directory")),
    }
}

/// The path of that directory; none where there is no place for it.
pub(crate) fn home_dir() -> Option<PathBuf> {
    let state = || {
        if cfg!(windows) {
            return path("LOCALAPPDATA");
        }
        let user = path("HOME");
        if cfg!(target_vendor = "apple") {
            return user.map(|user| user.join("Library/Application Support"));
        }
        path("XDG_STATE_HOME").or_else(|| user.map(|user| user.join(".local/state")))
    };
    path("GHL_BULK_HOME").or_else(|| state().map(|state| state.join("ghl-bulk")))
}

/// A path that a variable holds.
fn path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The configuration directory, absolute; it need not exist. None where there is no place for it.
pub(crate) fn config() -> Option<PathBuf> {
    let config = || {
        if cfg!(windows) {
            return path("APPDATA");
        }
        let user = path("HOME");
        if cfg!(target_vendor = "apple") {
            return user.map(|user| user.join("Library/Application Support"));
        }
        path("XDG_CONFIG_HOME").or_else(|| user.map(|user| user.join(".config")))
    };
    let dir = path("GHL_BULK_CONFIG").or_else(|| config().map(|config| config.join("ghl-bulk")))?;
    // A run may be resumed from another directory.
    std::path::absolute(dir).ok()
}

/// The directory of the user's presets, which need not exist; none where there is no place for it.
pub(crate) fn presets() -> Option<PathBuf> {
    Some(config()?.join("presets"))
}

/// The directory of stored tokens, which need not exist; none where there is no place for it.
pub(crate) fn credentials() -> Option<PathBuf> {
    Some(config()?.join("credentials"))
}

/// `GHL_BULK_SETTLE_S`, as far as it is about reading.
pub(crate) fn settle() -> Result<Duration, Failure> {
    Ok(given_settle()?.unwrap_or(SETTLE))
}

/// `GHL_BULK_SETTLE_S`, as far as it is about writing: how long after its sending a request may still
/// be applied. By default the time-out of a request, and a minute at least.
pub(crate) fn settle_writes(timeout: Duration) -> Result<Duration, Failure> {
    Ok(given_settle()?.unwrap_or_else(|| timeout.max(SETTLE_WRITES)))
}

fn given_settle() -> Result<Option<Duration>, Failure> {
    let Ok(text) = env::var("GHL_BULK_SETTLE_S") else { return Ok(None) };
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let wrong = || Failure::usage("`GHL_BULK_SETTLE_S` is no number of seconds");
    seconds.map(Some).ok_or_else(wrong)
}
