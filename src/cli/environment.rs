//! What the environment says: where runs live, and how long to wait for the search.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use super::failure::Failure;
use crate::run::Home;

/// How long a record may be hidden from the search: up to 34 s were seen (api.md §2.10).
const SETTLE: Duration = Duration::from_secs(35);

/// The directory of this program's runs.
pub(super) fn home() -> Result<Home, Failure> {
    let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
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
    match path("GHL_BULK_HOME").or_else(|| state().map(|state| state.join("ghl-bulk"))) {
        Some(home) => Ok(Home::new(&home)),
        None => Err(Failure::usage("there is no place to keep runs in")
            .hint("set `GHL_BULK_HOME` to a directory")),
    }
}

/// `GHL_BULK_SETTLE_S`.
pub(super) fn settle() -> Result<Duration, Failure> {
    match env::var("GHL_BULK_SETTLE_S") {
        Err(_) => Ok(SETTLE),
        Ok(text) => text
            .parse()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .ok_or_else(|| Failure::usage("`GHL_BULK_SETTLE_S` is no number of seconds")),
    }
}
