//! What the program says when a sync fails, or its mirror cannot be used.

use super::error::CliError;
use super::exit_code::CliExitCode;
use crate::mirror::MirrorError;
use crate::sync::SyncError;
use crate::watch::WatchError;

impl From<SyncError> for CliError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Api(error) => error.into(),
            SyncError::Run(error) => error.into(),
            SyncError::Mirror(error) => error.into(),
            SyncError::Publish(error) => error.into(),
            SyncError::Store => Self::new(CliExitCode::Bug, error.to_string()),
            SyncError::Emptied { .. } | SyncError::Decimated { .. } => {
                Self::new(CliExitCode::Stale, error.to_string()).with_hint(
                    "nothing was changed in the mirror; check the token and the location, and if these contacts were \
                     deleted, say so with `ghl-bulk sync --accept-empty`",
                )
            }
            SyncError::Superseded { ref run } => {
                let hint = format!("`ghl-bulk sync` reads what has changed; `ghl-bulk runs rm {run}` removes it");
                Self::usage(error.to_string()).with_hint(hint)
            }
        }
    }
}

impl From<WatchError> for CliError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Mirror(error) => error.into(),
            WatchError::Layout(error) => error.into(),
            WatchError::NoMirror(_) => Self::usage(error.to_string()),
        }
    }
}

impl From<MirrorError> for CliError {
    fn from(error: MirrorError) -> Self {
        let message = error.to_string();
        let dir = match &error {
            MirrorError::Damaged { path, .. } | MirrorError::OtherVersion { path, .. } => {
                path.parent().unwrap_or(path).display().to_string()
            }
            MirrorError::Run(_) => String::new(),
        };
        match error {
            MirrorError::Run(error) => error.into(),
            MirrorError::Damaged { .. } => Self::new(CliExitCode::Damaged, message).with_hint(
                format!("it is only a copy: remove `{dir}`, and the next sync reads everything again"),
            ),
            MirrorError::OtherVersion { .. } => Self::new(CliExitCode::Damaged, message).with_hint(
                format!(
                    "use the version that wrote it, or remove `{dir}`, and the next sync reads everything again"
                ),
            ),
        }
    }
}
