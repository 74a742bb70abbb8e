//! The events that an engine emits, and the signal that stops it.
//!
//! The engines emit [`RunEvent`]s to an [`EventObserver`] and return an [`ExportReport`]; they know
//! no terminal and print nothing. After a [`CancelSignal`] is cancelled, work in progress is
//! finished and stored, and no new work is started.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::diagnostic::EventWarningCode;
use crate::id::{LocationId, RunId};

/// The format version of the events in JSON. It moves when a field or word is renamed or removed or
/// changes its meaning; new fields and new events do not move it.
pub const VERSION: u32 = 2;

/// The most subjects that a warning names.
const MAX_SUBJECTS: usize = 100;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// It exports a location.
    Export,
    /// It imports a file.
    Import,
    /// It undoes an import or a restore.
    Undo,
    /// It restores contacts from a snapshot.
    Restore,
    /// It brings the mirror of a location up to date.
    Sync,
}

impl RunKind {
    /// The name, in the database, in lists and in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
            Self::Undo => "undo",
            Self::Restore => "restore",
            Self::Sync => "sync",
        }
    }

    /// Whether such a run plans writes and sends them, and has a ledger of them.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::Import | Self::Undo | Self::Restore)
    }
}

impl std::fmt::Display for RunKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// An event that users should see.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// A run was started or resumed.
    Started {
        /// The run.
        run: RunId,
        /// Its location.
        location: LocationId,
        /// The kind of run.
        kind: RunKind,
        /// Whether an earlier process began it.
        resumed: bool,
    },
    /// Something the user should know while the work goes on.
    Warning(RunWarning),
    /// A part of the work begins.
    Phase {
        /// Which one.
        phase: RunPhase,
    },
    /// A count changed. Counts are absolute, so losing an event does no harm.
    Progress {
        /// What is counted: a table name, or `contacts_done` for contacts whose children are read.
        what: &'static str,
        /// How many are stored so far.
        done: u64,
        /// How many there will be, if known.
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
    /// The mirror of a location is up to date.
    Synced(SyncedEvent),
    /// How old what the mirror of a location says may be, after a sync.
    Coverage(CoverageEvent),
    /// A snapshot stands.
    Snapshot(SnapshotEvent),
    /// Something about a snapshot is unusual, and a person should look at it.
    Alert(AlertEvent),
}

/// A snapshot that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotEvent {
    /// Its id.
    pub id: String,
    /// What it has: `full` or `changes`.
    pub kind: &'static str,
    /// The size of its files.
    pub bytes: u64,
    /// How many snapshots it is read from, itself included.
    pub chain: u64,
}

/// Something unusual about a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertEvent {
    /// What it is, such as `mass_deletion`.
    pub code: String,
    /// A sentence about it, without data of people.
    pub message: String,
    /// How many records it is about.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

/// How old what a mirror says of the records of a table may be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoverageEvent {
    /// The table.
    pub table: &'static str,
    /// How long ago the record was read that was read longest ago, in seconds; `None` if none was.
    pub oldest_s: Option<u64>,
    /// How long ago the record in the middle was read, in seconds.
    pub p50_s: Option<u64>,
    /// How long ago it may be, in seconds; `None` without a bound.
    pub bound_s: Option<u64>,
    /// The share of the records that were read within that time, from 0 to 1.
    pub within_bound: f64,
}

/// What a sync has changed in the mirror of a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncedEvent {
    /// The mirror's id: a mirror that is made again has another one.
    pub mirror: String,
    /// The number of the sync.
    pub seq: i64,
    /// The number of the last sync that changed anything.
    pub changed_seq: i64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// The changes among the contacts.
    pub contacts: ChangeCounts,
    /// The changes among the tasks.
    pub tasks: ChangeCounts,
    /// The changes among the notes.
    pub notes: ChangeCounts,
    /// The changes among the appointments, if they are kept up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointments: Option<ChangeCounts>,
    /// The changes among the businesses, if they are kept up to date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub businesses: Option<ChangeCounts>,
}

/// What a sync changed among the records of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ChangeCounts {
    /// Records that the mirror did not have, and deleted ones that came back.
    pub added: u64,
    /// Records with another content.
    pub changed: u64,
    /// Records that no longer exist.
    pub deleted: u64,
}

impl ChangeCounts {
    /// How many records there are in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.added + self.changed + self.deleted
    }
}

/// A warning about a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunWarning {
    /// A stable name for scripts.
    pub code: EventWarningCode,
    /// The files, columns or records that it is about, if it has any, sorted: the same in every run, while the
    /// numbers in the message change. May contain untrusted text.
    pub subjects: Vec<String>,
    /// A sentence for people. It may contain untrusted text from the server: print it through
    /// an escaping writer.
    pub message: String,
    /// The run before of the same request, if that had the warning, too.
    pub known_from: Option<RunId>,
}

impl RunWarning {
    /// A warning that no earlier run is known to have had.
    #[must_use]
    pub fn new(code: EventWarningCode, message: impl Into<String>) -> Self {
        Self { code, subjects: Vec::new(), message: message.into(), known_from: None }
    }

    /// Sets what the warning is about; of many, the first in the alphabet.
    #[must_use]
    pub fn about<S: Into<String>>(self, subjects: impl IntoIterator<Item = S>) -> Self {
        let subjects: BTreeSet<String> = subjects.into_iter().map(Into::into).collect();
        Self { subjects: subjects.into_iter().take(MAX_SUBJECTS).collect(), ..self }
    }
}

/// A part of the work of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPhase {
    /// An export reads the account.
    Reading,
    /// An export writes its files.
    Publishing,
    /// A sync merges what it has read into the mirror.
    Merging,
    /// A backup writes its snapshot.
    Snapshot,
    /// An import reads and validates its file.
    Validating,
    /// An import or undo reads what the account has.
    Comparing,
    /// An import or undo decides what each row does.
    Planning,
    /// A plan that was made earlier is compared with the account again.
    Checking,
    /// A plan is applied.
    Applying,
    /// Requests that got no answer are looked up.
    LookingUp,
    /// The result files are written.
    Results,
}

impl RunPhase {
    /// The name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading the account",
            Self::Publishing => "writing the files",
            Self::Merging => "updating the mirror",
            Self::Snapshot => "writing the snapshot",
            Self::Validating => "reading the file",
            Self::Comparing => "comparing with the account",
            Self::Planning => "planning",
            Self::Checking => "checking the plan",
            Self::Applying => "applying",
            Self::LookingUp => "looking up requests without an answer",
            Self::Results => "writing the results",
        }
    }
}

/// Why nothing is sent for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// The window of the rate limit is full.
    RateLimit,
    /// The server refused with 429; all requests wait for its window.
    RateLimited,
    /// The daily quota is used up and `--wait` was given.
    #[serde(rename = "budget")]
    DailyQuota,
    /// A request failed with a transient error and will be retried.
    Retry,
    /// The search may not show a record yet; it will be queried again.
    IndexLag,
    /// Requests got no response; they are looked up once the server must have applied or dropped
    /// them.
    Reconciling,
    /// Requests got no response and were sent again; the first copies may still be applied.
    LateWrites,
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
    /// Whether lists and JSON are strings of JSON text in it (`--jsonl flat`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flat: bool,
}

/// Receives events. Called often and from several threads, so it must return quickly.
pub trait EventObserver: Send + Sync {
    /// Receives one event.
    fn observe(&self, event: &RunEvent);

    /// Receives the counter of the requests that a client sends, for display.
    fn watch_requests(&self, _sent: Arc<AtomicU64>) {}
}

/// A shared observer.
pub type SharedObserver = Arc<dyn EventObserver>;

/// An observer that ignores all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullObserver;

impl EventObserver for NullObserver {
    fn observe(&self, _: &RunEvent) {}
}

/// Why work was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelCause {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
    /// `--deadline` is reached.
    Deadline,
    /// Another part of the same work failed.
    Failure,
}

/// A cancellation signal with a cause. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct CancelSignal {
    token: CancellationToken,
    cause: Arc<OnceLock<CancelCause>>,
    /// The cause of the parent.
    inherited: Option<Arc<OnceLock<CancelCause>>>,
}

impl CancelSignal {
    /// A signal that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A signal that is cancelled together with this one, and can be cancelled without cancelling
    /// this one.
    #[must_use]
    pub fn child_signal(&self) -> Self {
        Self {
            token: self.token.child_token(),
            cause: Arc::new(OnceLock::new()),
            inherited: Some(self.cause.clone()),
        }
    }

    /// Cancels the signal. The first cause is kept.
    pub fn cancel_with(&self, cause: CancelCause) {
        // The cause is set first: code that sees the cancellation must be able to read it.
        let _ = self.cause.set(cause);
        self.token.cancel();
    }

    /// Whether the signal is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Why this signal was cancelled; None if it is not, or if only its parent was.
    #[must_use]
    pub fn cause(&self) -> Option<CancelCause> {
        self.cause.get().copied()
    }

    /// Why the work stops: the parent's cause, which the user or the clock gave, before this signal's own.
    #[must_use]
    pub fn root_cause(&self) -> Option<CancelCause> {
        let inherited = self.inherited.as_ref().and_then(|cause| cause.get().copied());
        inherited.or_else(|| self.cause())
    }

    /// Waits until the signal is cancelled.
    pub async fn wait_for_cancel(&self) {
        self.token.cancelled().await;
    }
}

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportOutcome {
    /// Everything was exported.
    Complete,
    /// Everything was exported except the records in `errors.csv`.
    Partial,
}

/// The result of a finished run.
#[derive(Debug, Clone, Serialize)]
pub struct ExportReport {
    /// The run.
    pub run: RunId,
    /// Its location.
    pub location: LocationId,
    /// How the run ended.
    pub outcome: ExportOutcome,
    /// The output directory.
    pub out: PathBuf,
    /// The output files.
    pub files: Vec<WrittenFile>,
    /// Rows per table.
    pub rows: BTreeMap<String, u64>,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Requests sent, by endpoint, retries included.
    pub requests: BTreeMap<String, u64>,
    /// The number of 429 responses among them.
    pub refused: u64,
    /// The time this process spent on the run.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
