//! What a verb tells whoever watches it, and how it is told to stop.
//!
//! The engines emit [`RunEvent`]s to an [`EventObserver`] and return a [`ExportReport`]; they know no terminal and
//! print nothing. A [`CancelSignal`] closes the tap: work that has begun is finished and stored, nothing new
//! is begun.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::id::{LocationId, RunId};

/// The version of the events' JSON form. It moves when a field is renamed or removed, or changes its
/// meaning; new fields and new events do not move it.
pub const VERSION: u32 = 1;

/// Something that happened, as the user should know it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// A run began, or was taken up again.
    Started {
        /// The run.
        run: RunId,
        /// Its location.
        location: LocationId,
        /// What is done: `export`, `import` or `undo`.
        kind: &'static str,
        /// Whether an earlier process began it.
        resumed: bool,
    },
    /// Something the user should know, while the work goes on.
    Warning {
        /// A stable name for scripts, such as `tasks_per_contact`.
        code: &'static str,
        /// A sentence for people. It may hold text of the server's: show it through an escaping writer.
        message: String,
    },
    /// A count moved. Counts are absolute, so a lost event costs nothing.
    Progress {
        /// What is counted: a table's name, or `contacts_done` for contacts whose children are read.
        what: &'static str,
        /// How many are stored.
        done: u64,
        /// How many there will be, where that is known.
        total: Option<u64>,
    },
    /// Nothing is sent for a while.
    Waiting {
        /// Why.
        reason: WaitReason,
        /// How long, in milliseconds.
        ms: u64,
    },
    /// An output file is complete under its final name.
    Written(WrittenFile),
}

/// Why nothing is sent for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The server refused with 429; everyone waits for its window.
    Refused,
    /// The day's requests are used up and `--wait` was given.
    Budget,
    /// A request failed in a way that passes; it is sent again.
    Retry,
    /// The search hides a record for a moment; it is asked again.
    Index,
    /// Requests got no answer; what became of them is looked up once they must have been applied or dead.
    Settle,
}

/// An output file.
#[derive(Debug, Clone, Serialize, serde::Deserialize, PartialEq, Eq)]
pub struct WrittenFile {
    /// The table, such as `contacts`.
    pub table: String,
    /// The format's name, such as `parquet`.
    pub format: String,
    /// The file's name in the output directory.
    pub file: String,
    /// Rows.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in lower-case hex.
    pub sha256: String,
}

/// Takes events. Called from several threads, often: it must be quick.
pub trait EventObserver: Send + Sync {
    /// Takes one event.
    fn observe(&self, event: &RunEvent);
}

/// A shared observer.
pub type SharedObserver = Arc<dyn EventObserver>;

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullObserver;

impl EventObserver for NullObserver {
    fn observe(&self, _: &RunEvent) {}
}

/// Why work is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelCause {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// `--deadline` is reached.
    Deadline,
    /// Another part of the same work failed.
    Failure,
}

/// The tap: open until somebody closes it. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct CancelSignal {
    token: CancellationToken,
    cause: Arc<OnceLock<CancelCause>>,
}

impl CancelSignal {
    /// An open tap.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A tap that closes when this one does, and can be closed without closing this one.
    #[must_use]
    pub fn child_signal(&self) -> Self {
        Self { token: self.token.child_token(), cause: Arc::new(OnceLock::new()) }
    }

    /// Closes the tap. The first cause stays.
    pub fn cancel_with(&self, cause: CancelCause) {
        // The cause goes first: whoever sees the tap closed must be able to say why.
        let _ = self.cause.set(cause);
        self.token.cancel();
    }

    /// Whether the tap is closed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Why this tap was closed; nothing while it is open or when only its parent was closed.
    #[must_use]
    pub fn cause(&self) -> Option<CancelCause> {
        self.cause.get().copied()
    }

    /// Waits until the tap is closed.
    pub async fn wait_for_cancel(&self) {
        self.token.cancelled().await;
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportOutcome {
    /// Everything is done.
    Complete,
    /// Everything is done but for the records in `errors.csv`.
    Partial,
}

/// What a finished run did.
#[derive(Debug, Clone, Serialize)]
pub struct ExportReport {
    /// The run.
    pub run: RunId,
    /// Its location.
    pub location: LocationId,
    /// How it ended.
    pub outcome: ExportOutcome,
    /// Where the files are.
    pub out: PathBuf,
    /// The files.
    pub files: Vec<WrittenFile>,
    /// Rows per table.
    pub rows: BTreeMap<String, u64>,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Requests sent, by route, retries included.
    pub requests: BTreeMap<String, u64>,
    /// Answers 429 among them.
    pub refused: u64,
    /// Time this process spent on the run.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
