//! What the program says when a run cannot be read, written or locked.

use std::path::Path;

use super::error::CliError;
use super::exit_code::CliExitCode;
use crate::id::RunId;
use crate::run::{self, LockedResource};
use crate::text::format_plural;

/// How many runs are listed that an ambiguous name fits.
const CANDIDATES: usize = 10;

impl From<run::RunError> for CliError {
    fn from(error: run::RunError) -> Self {
        let code = match error.kind() {
            run::RunErrorKind::Missing => CliExitCode::Missing,
            run::RunErrorKind::Locked => CliExitCode::Locked,
            run::RunErrorKind::Damaged
            | run::RunErrorKind::LostTail
            | run::RunErrorKind::OtherVersion => CliExitCode::Damaged,
            run::RunErrorKind::Elsewhere => CliExitCode::Stale,
            run::RunErrorKind::Ambiguous | run::RunErrorKind::System => CliExitCode::Usage,
            run::RunErrorKind::Bug => CliExitCode::Bug,
        };
        let failure = Self::new(code, error.to_string());
        if let run::RunError::OtherVersion { written_by, newer, .. } = &error {
            let again = if *newer { "" } else { ", or start again with a new export or import" };
            return failure.with_hint(format!("finish it with ghl-bulk {written_by}{again}"));
        }
        match (&error, code) {
            (run::RunError::Missing { closest, .. }, _) => {
                let near = closest.as_ref().map(|run| format!("did you mean `{run}`? "));
                let near = near.unwrap_or_default();
                failure.with_hint(format!("{near}`ghl-bulk runs list` lists all runs"))
            }
            (run::RunError::Ambiguous { candidates, .. }, _) => {
                failure.with_lines(candidate_lines(candidates)).with_hint("use more of the id")
            }
            (run::RunError::Locked(conflict), _) => {
                failure.with_hint(locked_resource_hint(&conflict.resource))
            }
            (run::RunError::LostTail { path, .. } | run::RunError::UnprovenTail { path, .. }, _) => {
                let dir = path.parent().and_then(Path::file_name).unwrap_or_default();
                failure.with_hint(format!(
                    "`ghl-bulk resume {} --reconcile` looks up every write that may have been sent, then goes on",
                    dir.display()
                ))
            }
            (run::RunError::Elsewhere { run, .. }, _) => failure.with_hint(format!(
                "go on with the original, or, if that is given up, with this copy: `ghl-bulk resume {run} \
                 --adopt` looks up every write that the original may have sent"
            )),
            (run::RunError::NoThread { .. }, _) => failure.with_hint(
                "allow more (`ulimit -u`), or export fewer locations at a time (`--at-once`); what was read is saved",
            ),
            (_, CliExitCode::Damaged) => failure.with_hint(
                "nothing was sent from it; an export can be started again, but of an import, look up in the \
                 account which rows it has written before you import them again",
            ),
            (error, _) if error.is_of_removed_run() => failure.with_hint(
                "the run's directory was removed while the command ran; an export can be started again, but of \
                 an import, look up in the account which rows it has written before you import them again",
            ),
            _ => failure.with_hint("check permissions, free space and the limit of open files"),
        }
    }
}

/// The runs that a name fits, the latest ones if there are many.
fn candidate_lines(candidates: &[RunId]) -> Vec<String> {
    let older = candidates.len().saturating_sub(CANDIDATES);
    let more = (older > 0).then(|| format!("{} and", format_plural(older as u64, "older run")));
    more.into_iter().chain(candidates[older..].iter().map(ToString::to_string)).collect()
}

/// What to do about something that another process has locked.
fn locked_resource_hint(resource: &LockedResource) -> &'static str {
    match resource {
        LockedResource::OutputDir(_) => {
            "wait for it to finish, or choose another directory with `--out`"
        }
        LockedResource::Location(_) => {
            "wait for it to finish: only one run at a time writes to a location"
        }
        LockedResource::Run(_) | LockedResource::Job(_) => "wait for it to finish",
        LockedResource::Mirror(_) => {
            "wait for it to finish: only one sync of a location runs at a time"
        }
        LockedResource::Watch(_) => {
            "one `watch` can have several sinks: stop the other one and name its sinks here, too"
        }
    }
}
