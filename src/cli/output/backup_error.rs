//! What the program says when a snapshot cannot be written, or a repository cannot be used.

use super::error::CliError;
use super::exit_code::CliExitCode;
use crate::backup::BackupError;
use crate::repository::RepositoryError;

impl From<BackupError> for CliError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Repository(error) => error.into(),
            BackupError::Mirror(error) => error.into(),
            BackupError::Run(error) => error.into(),
            BackupError::Locked { .. } => Self::new(CliExitCode::Locked, error.to_string())
                .with_hint("try again when it is done, or wait for it with `--lock-wait 30m`"),
            BackupError::NoMirror(_) => Self::new(CliExitCode::Missing, error.to_string())
                .with_hint("`ghl-bulk sync` makes one"),
            BackupError::Unmerged(_) => Self::usage(error.to_string()),
        }
    }
}

impl From<RepositoryError> for CliError {
    fn from(error: RepositoryError) -> Self {
        use RepositoryError as Error;
        let message = error.to_string();
        match error {
            Error::Missing { place } => Self::new(CliExitCode::Missing, message)
                .with_hint(format!("`ghl-bulk backup init --to {place}` creates one")),
            Error::NotARepository { .. } => Self::usage(message)
                .with_hint("name another directory; a new repository needs an empty one"),
            Error::AlreadyExists { .. } => Self::usage(message)
                .with_hint("`ghl-bulk backup --to` writes snapshots into it; nothing was changed"),
            Error::NewerFormat { .. } => Self::new(CliExitCode::Damaged, message)
                .with_hint("use the version of ghl-bulk that wrote it, or a newer one"),
            Error::Damaged { .. } => Self::new(CliExitCode::Damaged, message).with_hint(
                "`ghl-bulk backup verify --read all` says which snapshots can be used; the next backup is a full one",
            ),
            Error::NoSnapshots { .. } => Self::new(CliExitCode::Missing, message)
                .with_hint("`ghl-bulk backup` makes one; `ghl-bulk backup list` lists what there is"),
            Error::NoSuchSnapshot { .. } => Self::new(CliExitCode::Missing, message)
                .with_hint("`ghl-bulk backup list` lists the snapshots"),
            Error::AmbiguousSnapshot { ref candidates, .. } => {
                let lines = candidates.iter().map(ToString::to_string).collect();
                Self::usage(message).with_lines(lines).with_hint("give more of its id")
            }
            Error::NoIdentity { .. } => Self::new(CliExitCode::Access, message).with_hint(
                "give the file that `backup init --new-key` wrote: `--identity FILE`, or `identity_command` or \
                 `identity_file` in `[repositories.NAME]` of config.toml",
            ),
            Error::WrongIdentity { .. } => Self::new(CliExitCode::Access, message).with_hint(
                "give the identity of one of the recipients that the repository was encrypted for; \
                 `ghl-bulk backup list --json` shows them",
            ),
            Error::InvalidKey(_) => Self::usage(message),
            Error::NoEncryption => Self::usage(message)
                .with_hint("use a build with the feature `encrypted-logins`, which the default build has"),
            Error::Conflict { .. } => Self::new(CliExitCode::Locked, message)
                .with_hint("try again when it is done"),
            Error::Store { .. } => Self::usage(format!("the repository cannot be used: {message}"))
                .with_hint("check that it is mounted, that this user may write to it, and that it has free space"),
        }
    }
}
