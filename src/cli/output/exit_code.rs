//! The exit codes: the contract of the README's table.

use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub(crate) enum CliExitCode {
    /// Everything done, or nothing to do.
    Done = 0,
    /// A bug: an internal check failed.
    Bug = 1,
    /// Usage, configuration or environment: an unreachable host, a full disk.
    Usage = 2,
    /// Finished, some records unreadable, rows rejected, values not kept, or locations failed. For Nagios: unknown.
    Partial = 3,
    /// The file or the plan is refused; nothing was sent.
    Refused = 4,
    /// The sheet, the mapping or the account has changed since the plan, or backups are too old.
    Stale = 5,
    /// Rows in doubt remain: a person must decide.
    InDoubt = 6,
    /// Stopped by `--max-errors`; resumable.
    TooManyErrors = 7,
    /// Authentication or permission.
    Access = 8,
    /// Paused by the daily request quota, a long wait or the deadline; resumable.
    Paused = 9,
    /// No such run, contact, local copy, repository or snapshot.
    Missing = 10,
    /// Locked by another process.
    Locked = 11,
    /// Stored data is damaged.
    Damaged = 12,
    /// A dry run with `--detailed-exit-code` found something to change.
    Changes = 20,
    /// Ended by SIGHUP, when its terminal was closed; resumable.
    HungUp = 129,
    /// Interrupted by Ctrl-C; resumable.
    Interrupted = 130,
    /// Terminated by SIGTERM; resumable.
    Terminated = 143,
}

impl CliExitCode {
    /// The meaning of a code that this program ended with; of another, a bug.
    pub(crate) fn from_code(code: u8) -> Self {
        let all = [
            Self::Done,
            Self::Usage,
            Self::Partial,
            Self::Refused,
            Self::Stale,
            Self::InDoubt,
            Self::TooManyErrors,
            Self::Access,
            Self::Paused,
            Self::Missing,
            Self::Locked,
            Self::Damaged,
            Self::Changes,
            Self::HungUp,
            Self::Interrupted,
            Self::Terminated,
        ];
        all.into_iter().find(|known| *known as u8 == code).unwrap_or(Self::Bug)
    }
}

impl From<CliExitCode> for u8 {
    fn from(code: CliExitCode) -> Self {
        code as Self
    }
}

impl From<CliExitCode> for ExitCode {
    fn from(code: CliExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// Shows help, version or a usage error.
pub(crate) fn print_clap_error(error: &clap::Error) -> ExitCode {
    let printed = error.print().and_then(|()| std::io::stdout().flush());
    // A closed pipe is not an error: the reader has seen enough.
    if printed.is_err_and(|error| error.kind() != std::io::ErrorKind::BrokenPipe) {
        return CliExitCode::Usage.into();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(CliExitCode::Usage as u8))
}
