//! Errors of runs on disk.

use std::io;
use std::path::{Path, PathBuf};

use super::lock_holder::LockConflict;
use crate::id::RunId;
use crate::text::format_plural;

/// A run that cannot be read, written or locked.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no such run.
    #[error("there is no run `{run}`")]
    Missing {
        /// What was typed, or an id.
        run: String,
        /// The run whose name is most similar.
        closest: Option<String>,
    },
    /// The name fits several runs.
    #[error("`{named}` names {} runs", .candidates.len())]
    Ambiguous {
        /// What was typed.
        named: String,
        /// The runs, oldest first.
        candidates: Vec<RunId>,
    },
    /// Another process has locked it.
    #[error("{0}")]
    Locked(Box<LockConflict>),
    /// The stored data have been damaged.
    #[error("`{}` is damaged: {why}", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The symptom.
        why: String,
    },
    /// The database has lost its last commits, and with them intents.
    #[error("`{}` has lost its last writes: {} that may have been sent {} missing in it",
        .path.display(), format_plural(*lost, "request"), if *lost == 1 { "is" } else { "are" })]
    LostTail {
        /// The database.
        path: PathBuf,
        /// How many intents it has lost.
        lost: u64,
    },
    /// It cannot be shown that the database has every intent.
    #[error("`{}` may have lost its last writes: {why}", .path.display())]
    UnprovenTail {
        /// The database.
        path: PathBuf,
        /// What is wrong with the proof.
        why: &'static str,
    },
    /// The run's directory was copied, moved or restored, and another copy of it may go on.
    #[error("run `{run}` was started {started}; it may be a copy, and the original may go on")]
    Elsewhere {
        /// The run.
        run: RunId,
        /// Where it was started, as far as that differs.
        started: String,
    },
    /// An op of the ledger is invalid.
    #[error("op {op} of the run is damaged: its {part} cannot be read: {why}")]
    DamagedOp {
        /// The op.
        op: u64,
        /// The invalid part.
        part: &'static str,
        /// The symptom.
        why: String,
    },
    /// Another version of this program wrote it, in a format that this one cannot read.
    #[error(
        "run `{run}` was written by ghl-bulk {written_by}, and this is {}, which cannot read it",
        env!("CARGO_PKG_VERSION")
    )]
    OtherVersion {
        /// The run.
        run: String,
        /// The version that wrote it.
        written_by: String,
        /// Whether that version is newer than this one.
        newer: bool,
    },
    /// A file or directory cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// The system error.
        source: io::Error,
    },
    /// The system gives the program no more threads.
    #[error("the system gives the program no thread: {source}")]
    NoThread {
        /// The system error.
        source: io::Error,
    },
    /// The ledger was asked to allow a forbidden send: a bug in this program.
    #[error("op {op} must not be sent: {why}")]
    Misuse {
        /// The op.
        op: u64,
        /// The reason why it is forbidden.
        why: &'static str,
    },
    /// The database cannot be written: most often the disk is full.
    #[error("`{}`: {source}", .path.display())]
    Store {
        /// The database.
        path: PathBuf,
        /// The SQLite error.
        source: rusqlite::Error,
    },
}

/// The kinds of errors that callers distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunErrorKind {
    /// No such run.
    Missing,
    /// A name that fits several runs.
    Ambiguous,
    /// Locked by another process.
    Locked,
    /// Damaged.
    Damaged,
    /// Its last writes may be lost: what was sent must be looked up first.
    LostTail,
    /// Of another machine or directory.
    Elsewhere,
    /// Written by another version of this program.
    OtherVersion,
    /// A system error: permissions, a full disk.
    System,
    /// A bug in this program that was stopped before it did harm.
    Bug,
}

impl RunError {
    /// The kind that callers distinguish.
    #[must_use]
    pub fn kind(&self) -> RunErrorKind {
        match self {
            Self::Missing { .. } => RunErrorKind::Missing,
            Self::Ambiguous { .. } => RunErrorKind::Ambiguous,
            Self::Locked(_) => RunErrorKind::Locked,
            Self::Damaged { .. } | Self::DamagedOp { .. } => RunErrorKind::Damaged,
            Self::LostTail { .. } | Self::UnprovenTail { .. } => RunErrorKind::LostTail,
            Self::Elsewhere { .. } => RunErrorKind::Elsewhere,
            Self::OtherVersion { .. } => RunErrorKind::OtherVersion,
            Self::File { .. } | Self::NoThread { .. } | Self::Store { .. } => RunErrorKind::System,
            Self::Misuse { .. } => RunErrorKind::Bug,
        }
    }

    /// Whether the run's directory was removed while the run was going on: nothing can continue it.
    #[must_use]
    pub fn is_of_removed_run(&self) -> bool {
        matches!(self, Self::Store { path, .. } if !path.exists())
    }

    /// A copy of the error, for every caller that waited for the operation.
    pub(super) fn copy_error(&self) -> Self {
        match self {
            Self::Missing { run, closest } => {
                Self::Missing { run: run.clone(), closest: closest.clone() }
            }
            Self::Ambiguous { named, candidates } => {
                Self::Ambiguous { named: named.clone(), candidates: candidates.clone() }
            }
            Self::Locked(conflict) => Self::Locked(conflict.clone()),
            Self::Damaged { path, why } => Self::damaged(path, why.clone()),
            Self::LostTail { path, lost } => Self::LostTail { path: path.clone(), lost: *lost },
            Self::UnprovenTail { path, why } => Self::UnprovenTail { path: path.clone(), why },
            Self::Elsewhere { run, started } => {
                Self::Elsewhere { run: run.clone(), started: started.clone() }
            }
            Self::DamagedOp { op, part, why } => {
                Self::DamagedOp { op: *op, part, why: why.clone() }
            }
            Self::OtherVersion { run, written_by, newer } => Self::OtherVersion {
                run: run.clone(),
                written_by: written_by.clone(),
                newer: *newer,
            },
            Self::File { path, source } => {
                Self::from_io(path, io::Error::new(source.kind(), source.to_string()))
            }
            Self::NoThread { source } => {
                Self::NoThread { source: io::Error::new(source.kind(), source.to_string()) }
            }
            Self::Misuse { op, why } => Self::Misuse { op: *op, why },
            Self::Store { path, source } => {
                Self::Store { path: path.clone(), source: copy_sqlite_error(source) }
            }
        }
    }

    /// A file or directory that cannot be read or written.
    #[must_use]
    pub fn from_io(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    /// Stored data that are damaged.
    #[must_use]
    pub fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }

    /// An SQLite error: damage if SQLite reports it or finds a schema that this program never
    /// writes.
    #[must_use]
    pub fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, SchemaChanged, TypeMismatch};
        let damage = match &source {
            rusqlite::Error::SqliteFailure(failure, text) => {
                matches!(
                    failure.code,
                    DatabaseCorrupt | NotADatabase | SchemaChanged | TypeMismatch
                ) || text.as_deref().is_some_and(|text| text.starts_with("no such"))
            }
            rusqlite::Error::SqliteSingleThreadedMode => false,
            _ => true,
        };
        if damage {
            Self::damaged(path, source.to_string())
        } else {
            Self::Store { path: path.to_owned(), source }
        }
    }
}

/// Only SQLite errors become [`RunError::Store`].
fn copy_sqlite_error(source: &rusqlite::Error) -> rusqlite::Error {
    match source {
        rusqlite::Error::SqliteFailure(failure, text) => {
            rusqlite::Error::SqliteFailure(*failure, text.clone())
        }
        _ => rusqlite::Error::SqliteSingleThreadedMode,
    }
}
