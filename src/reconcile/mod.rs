//! Doubt: what became of an op whose answer nobody read.
//!
//! A request that was cut off may have been applied, may be applied still, or not. Here it is found out,
//! by reads alone: wait until the settle time after sending has passed, then probe by what the op's class
//! offers (the server's own search for duplicates, the marker, the number of equal children, the values
//! of the contact), again and again over the look-up window, then by a second, independent path. What was
//! absent before, was added since the op was sent and has its identity is its work. The doubt settles
//! nothing and sends nothing again: it returns a finding. It does not know lanes.

mod baseline;
mod classify;
mod count_duplicates;
mod deleted;
mod lookup;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::classify::CreationWindow;
use crate::api::{self, ApiClient, ApiErrorKind};
use crate::concurrency;
use crate::diagnostic::DiagnosticCode;
use crate::event::{CancelSignal, RunEvent, SharedObserver, WaitReason};
use crate::failpoint::{self, FailPoint};
use crate::id::ContactId;
use crate::model::verify::PropertyMismatch;
use crate::model::{IdempotencyClass, Op, OpChange};
use crate::run::{self, Ledger, LedgerReader};

pub use baseline::ChildBaseline;
pub use classify::{classify_applied, contact_gone, equals_child};

/// How far the server's clock and this one may run apart: where its answers tell the time, and where
/// they do not.
const CLOCKS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(2)];
/// The pause before a probe is repeated the first time; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// No look-up lasts longer than this behind the settle time, however much the search lags.
const LONGEST: Duration = Duration::from_mins(15);

/// A code for a contact that does not exist any more.
pub const CONTACT_GONE: DiagnosticCode = DiagnosticCode::R_CONTACT_GONE;
/// A code for a contact that somebody else has made since the plan.
pub const EXISTS_NOW: DiagnosticCode = DiagnosticCode::R_EXISTS_NOW;

/// What became of an op.
#[derive(Debug, Clone, PartialEq)]
pub enum OpResolution {
    /// It was applied.
    Applied {
        /// What it made: a contact, note or task.
        made: Option<String>,
    },
    /// It was applied, and what stands there now differs from what was sent.
    Differs {
        /// What it made.
        made: Option<String>,
        /// The differences.
        differences: Vec<PropertyMismatch>,
        /// How it came to that, where the differences alone do not say so.
        message: Option<String>,
    },
    /// There was nothing to do any more, and it was not this op that did it.
    Nothing {
        /// Why.
        message: String,
    },
    /// It was not applied, and will not be.
    NotApplied,
    /// It is not known, and need not be: doing it twice is doing it once.
    SendAgain,
    /// It was not applied, and sending it again would not help.
    Refused {
        /// A stable name.
        code: DiagnosticCode,
        /// Why.
        message: String,
        /// The contact that stands in the way.
        contact: Option<String>,
    },
    /// Somebody edited the record in between.
    Conflict {
        /// What was edited.
        fields: Vec<String>,
    },
    /// Nobody can find out.
    Undecidable {
        /// Why.
        message: String,
    },
}

impl OpResolution {
    /// Whether it says that the op was applied.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Differs { .. })
    }
}

/// Why a look-up ended without a finding. The op stays unsettled, and the next process looks again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A read failed for good.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The tap was closed.
    #[error("stopped while looking up what became of a request")]
    Stopped,
}

/// An op in doubt, and what is known of its attempts.
#[derive(Debug, Clone)]
pub struct InDoubtOp<'a> {
    /// The op.
    pub op: &'a Op,
    /// Its contact; nothing when it makes one.
    pub contact: Option<&'a ContactId>,
    /// When it was first sent, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it was last sent.
    pub at_ms: i64,
    /// What the last intent said about the children before.
    pub reference: Option<ChildBaseline>,
}

/// Looks up. Clones share seats, the measured lag and the claims.
#[derive(Clone)]
pub struct Reconciler {
    /// The API.
    pub client: ApiClient,
    /// The ledger and its database, to see whether another op has made a contact.
    pub ledger: Ledger,
    /// The database.
    pub db: PathBuf,
    /// How long after sending a request must have been applied or dead.
    pub settle: Duration,
    /// The id of the marker field.
    pub marker: Option<String>,
    /// Held while a request is in flight; shared with those who send.
    pub seats: Arc<Semaphore>,
    /// The tap.
    pub stop: CancelSignal,
    /// Who watches.
    pub observer: SharedObserver,
    /// What look-ups share.
    pub shared: Arc<ReconcilerShared>,
}

/// What look-ups share.
#[derive(Debug, Default)]
pub struct ReconcilerShared {
    /// The longest time from sending to being found by a search that had missed it before, in
    /// milliseconds. Only look-ups measure it: nothing else asks a search for what it has just written.
    lag_ms: AtomicU64,
    /// Pieces of work under way, and those of them that rest.
    open: AtomicU64,
    resting: AtomicU64,
    /// Contacts without identity that a look-up took for an op's work.
    claims: Mutex<HashMap<String, u64>>,
}

/// A piece of work under way; while all of them rest, the watcher is told.
#[derive(Debug)]
pub struct ActiveWorkGuard(Arc<ReconcilerShared>);

impl Drop for ActiveWorkGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ReconcilerShared {
    /// Counts a piece of work until the answer is dropped.
    #[must_use]
    pub fn begin_work(self: &Arc<Self>) -> ActiveWorkGuard {
        self.open.fetch_add(1, Ordering::Relaxed);
        ActiveWorkGuard(Arc::clone(self))
    }

    /// The op that a look-up has taken this contact for, when it was another one. It was wrong then.
    #[must_use]
    pub fn other_claiming_op(&self, contact: &str, op: u64) -> Option<u64> {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(contact).copied().filter(|claimed| *claimed != op)
    }

    /// Takes a contact for an op's work, unless another op has it.
    fn try_claim(&self, contact: &str, op: u64) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        *claims.entry(contact.to_owned()).or_insert(op) == op
    }

    fn release_claim(&self, contact: &str) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(contact);
    }
}

impl Reconciler {
    /// Finds out what became of an op that was sent and not answered.
    ///
    /// # Errors
    /// When a read fails for good or the tap is closed; the op stays in doubt then.
    pub async fn resolve_op(&self, case: &InDoubtOp<'_>) -> Result<OpResolution, ReconcileError> {
        match self.resolve_by_change(case).await {
            // To ask again would be refused again, and the run could never end.
            Err(ReconcileError::Api(error))
                if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) =>
            {
                let message = format!("what became of it cannot be looked up: {error}");
                Ok(OpResolution::Undecidable { message })
            }
            found => found,
        }
    }

    async fn resolve_by_change(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        match (&case.op.change, case.op.class) {
            (OpChange::Update { .. }, _) => self.resolve_update(case).await,
            (change, _) if change.is_deletion() => self.resolve_deletion(case).await,
            (_, IdempotencyClass::Replayable) => Ok(OpResolution::SendAgain),
            _ => {
                let settled = self.remaining_settle_time(case.at_ms);
                self.sleep_unless_cancelled(settled).await?;
                self.probe_until_window_ends(case).await
            }
        }
    }

    /// Finds out whether a create that the server refused was done all the same (api.md §5.9).
    ///
    /// A search by identity reads what the server itself checks, so it is asked at once and once more a
    /// little later; without an identity, or where several may have it, there is only the index, which lags.
    ///
    /// # Errors
    /// As for [`Self::resolve_op`].
    pub async fn resolve_refused_create(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let identified = lookup::sent_identity(&case.op.change).is_some();
        let by_index = !identified || case.op.class == IdempotencyClass::Marked;
        if identified && let Some(finding) = self.probe_refused_create(case).await? {
            return Ok(Some(finding));
        }
        self.sleep_unless_cancelled(if by_index {
            self.remaining_settle_time(case.at_ms)
        } else {
            self.first_probe_delay()
        })
        .await?;
        self.probe_refused_create(case).await
    }

    /// Whether the contact that stands in the way of a create that was sent before is its own work.
    ///
    /// # Errors
    /// As for [`Self::resolve_op`].
    pub async fn resolve_blocking_contact(
        &self,
        case: &InDoubtOp<'_>,
        id: &ContactId,
    ) -> Result<OpResolution, ReconcileError> {
        match self.fetch_contact(id).await? {
            Some(live) => self.classify_ownership(case, &live).await,
            None => Ok(OpResolution::NotApplied),
        }
    }

    /// What stands there, where it is known that the update was applied.
    ///
    /// # Errors
    /// As for [`Self::resolve_op`].
    pub async fn resolve_update(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        failpoint::kill_if_due(FailPoint::DuringLookup);
        let Some(id) = case.contact else { return Ok(OpResolution::SendAgain) };
        match self.fetch_contact(id).await? {
            Some(live) => Ok(classify::classify_updated(case.op, &live)),
            None => Ok(classify::contact_gone(id)),
        }
    }

    async fn probe_until_window_ends(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        let begun = Instant::now();
        let mut pause = self.first_probe_delay();
        let mut probes = 0;
        loop {
            failpoint::kill_if_due(FailPoint::DuringLookup);
            if let Some(finding) = self.probe_once(case).await? {
                if probes > 0 {
                    self.record_search_lag(case.at_ms);
                }
                return Ok(finding);
            }
            probes += 1;
            let left = self.lookup_window().saturating_sub(begun.elapsed());
            if pause.is_zero() || left.is_zero() {
                break;
            }
            // The last probe is at the window's end.
            self.sleep_unless_cancelled(pause.min(left)).await?;
            pause *= 2;
        }
        match self.probe_creation_window(case).await? {
            Some(finding) => {
                self.record_search_lag(case.at_ms);
                Ok(finding)
            }
            None if case.op.class == IdempotencyClass::Once => Ok(OpResolution::Undecidable {
                message: "the server gave no answer, and nothing tells whether the contact was \
                          created: it has neither e-mail address nor phone nor marker"
                    .to_owned(),
            }),
            None => Ok(OpResolution::NotApplied),
        }
    }

    /// How long until a request sent then must have been applied or dead.
    fn remaining_settle_time(&self, at_ms: i64) -> Duration {
        self.settle.saturating_sub(elapsed_since(at_ms))
    }

    fn first_probe_delay(&self) -> Duration {
        FIRST_PAUSE.min(self.settle / 8)
    }

    /// How long probes are repeated.
    fn lookup_window(&self) -> Duration {
        let lag = Duration::from_millis(self.shared.lag_ms.load(Ordering::Relaxed));
        self.settle.max(lag * 4).min(LONGEST.max(self.settle))
    }

    /// When the op's work can have been added, by the server's clock.
    fn creation_window(&self, case: &InDoubtOp<'_>) -> CreationWindow {
        let offset = self.client.server_time_offset();
        let slack = duration_millis(if offset.is_some() { CLOCKS[0] } else { CLOCKS[1] });
        let offset = offset.unwrap_or(0);
        CreationWindow {
            from: case.since_ms.saturating_add(offset).saturating_sub(slack),
            to: case.at_ms.saturating_add(offset + slack + duration_millis(self.settle)),
        }
    }

    fn record_search_lag(&self, at_ms: i64) {
        let lag = u64::try_from(elapsed_since(at_ms).as_millis()).unwrap_or(u64::MAX);
        self.shared.lag_ms.fetch_max(lag, Ordering::Relaxed);
    }

    /// Waits, unless the tap is closed.
    ///
    /// # Errors
    /// When it is.
    pub async fn sleep_unless_cancelled(&self, time: Duration) -> Result<(), ReconcileError> {
        if self.stop.is_cancelled() {
            return Err(ReconcileError::Stopped);
        }
        let resting = self.shared.resting.fetch_add(1, Ordering::Relaxed) + 1;
        if !time.is_zero() && resting >= self.shared.open.load(Ordering::Relaxed) {
            let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.observer.observe(&RunEvent::Waiting { reason: WaitReason::Reconciling, ms });
        }
        let rested = tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.wait_for_cancel() => Err(ReconcileError::Stopped),
        };
        self.shared.resting.fetch_sub(1, Ordering::Relaxed);
        rested
    }

    /// Whether no other op of the run has made this contact; if so, it is this op's from now on.
    async fn claim_contact(&self, contact: &str, op: u64) -> Result<bool, ReconcileError> {
        if !self.shared.try_claim(contact, op) {
            return Ok(false);
        }
        let taken = self.is_made_by_other_op(contact, op).await?;
        if taken {
            self.shared.release_claim(contact);
        }
        Ok(!taken)
    }

    /// Whether another op of the run has made this contact.
    async fn is_made_by_other_op(&self, contact: &str, op: u64) -> Result<bool, ReconcileError> {
        self.ledger.flush().await?;
        let (db, contact) = (self.db.clone(), contact.to_owned());
        let found = concurrency::run_blocking(move || {
            let mut taken = false;
            LedgerReader::open(&db)?.for_each_op(|other| {
                taken |= other.id != op && other.made.as_ref() == Some(&contact);
                Ok(())
            })?;
            Ok::<bool, run::RunError>(taken)
        });
        Ok(found.await?)
    }
}

fn duration_millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time since then.
fn elapsed_since(at_ms: i64) -> Duration {
    let now = jiff::Timestamp::now().as_millisecond();
    Duration::from_millis(u64::try_from(now.saturating_sub(at_ms)).unwrap_or(0))
}
