//! Reconciliation: the outcome of an op whose response was never read.
//!
//! A request that was cut off may have been applied already, may still be applied, or never will
//! be. This room finds out with reads alone: wait until the settle time after sending has passed,
//! then look the result up by the means of the op's idempotency class (the server's own duplicate
//! search, the marker, the number of equal children, the values of the contact), repeatedly over
//! the look-up window, and finally by a second, independent look-up. A contact that was absent
//! before, was created after the op was sent, and matches its identity is taken as the op's result.
//! Nothing is settled or resent here: the caller gets an [`OpResolution`]. Serial groups are not
//! known here.

mod assumed;
mod baseline;
mod classify;
mod count_duplicates;
mod custom_fields;
mod deleted;
mod denied;
mod late_writes;
mod lookup;
mod shared_state;

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
pub use late_writes::{oldest_late_write, wait_for_late_writes};
pub use shared_state::{ActiveWorkGuard, ReconcilerShared};

/// How far the server's clock and ours may differ: with and without a known offset.
const CLOCKS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(2)];
/// The first pause between look-ups; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// No look-up lasts longer than this after the settle time, however much the search lags.
const LONGEST: Duration = Duration::from_mins(15);

/// The code for a contact that no longer exists.
pub const CONTACT_GONE: DiagnosticCode = DiagnosticCode::R_CONTACT_GONE;
/// The code for a contact that another writer has added since the plan.
pub const EXISTS_NOW: DiagnosticCode = DiagnosticCode::R_EXISTS_NOW;

/// What reconciliation found out about an op.
#[derive(Debug, Clone, PartialEq)]
pub enum OpResolution {
    /// It was applied.
    Applied {
        /// The id of the contact, note or task it created.
        made: Option<String>,
    },
    /// It was applied, and the current record differs from what was sent.
    Differs {
        /// The id of what it created.
        made: Option<String>,
        /// The differences.
        differences: Vec<PropertyMismatch>,
        /// Why it differs, if the differences alone do not say so.
        message: Option<String>,
    },
    /// There was nothing left to do, and not because of this op.
    Nothing {
        /// Why.
        message: String,
    },
    /// It was not applied, and will not be.
    NotApplied,
    /// Unknown, but the write is idempotent, so it can be sent again.
    SendAgain,
    /// It was not applied, and sending it again would not help.
    Refused {
        /// A stable name.
        code: DiagnosticCode,
        /// Why.
        message: String,
        /// The contact that blocks it.
        contact: Option<String>,
    },
    /// The record was edited in between.
    Conflict {
        /// The edited fields.
        fields: Vec<String>,
    },
    /// It cannot be determined.
    Undecidable {
        /// Why.
        message: String,
    },
}

impl OpResolution {
    /// Whether the op was applied.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Differs { .. })
    }
}

/// Why a look-up ended without a resolution. The op stays unsettled, and the next process looks it
/// up again.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// A read failed for good.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The run was cancelled.
    #[error("stopped while looking up what became of a request")]
    Stopped,
}

/// An op in doubt, and what is known about its attempts.
#[derive(Debug, Clone)]
pub struct InDoubtOp<'a> {
    /// The op.
    pub op: &'a Op,
    /// Its contact; None if it creates one.
    pub contact: Option<&'a ContactId>,
    /// When it was first sent, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it was last sent.
    pub at_ms: i64,
    /// The children that existed before, as the last intent recorded them.
    pub reference: Option<ChildBaseline>,
    /// If it is not recorded that it was sent: what tells its result from older records.
    pub assumed: Option<AssumedSend<'a>>,
}

impl<'a> InDoubtOp<'a> {
    /// An op that was sent once, at this time.
    #[must_use]
    pub fn sent_once(
        op: &'a Op,
        contact: Option<&'a ContactId>,
        at_ms: i64,
        reference: Option<ChildBaseline>,
    ) -> Self {
        Self { op, contact, since_ms: at_ms, at_ms, reference, assumed: None }
    }
}

/// What is known about an op of which it is not recorded that it was sent.
#[derive(Debug, Clone, Copy)]
pub struct AssumedSend<'a> {
    /// The notes and tasks that other ops of the run have created.
    pub created: &'a HashSet<String>,
    /// Whether the run has created its contact, so that everything in it is newer than the run.
    pub in_new_contact: bool,
}

/// Resolves ops in doubt. Clones share the permits, the measured lag and the claims.
#[derive(Clone)]
pub struct Reconciler {
    /// The API.
    pub client: ApiClient,
    /// The ledger, used to check whether another op has created a contact.
    pub ledger: Ledger,
    /// The run's database.
    pub db: PathBuf,
    /// The time after sending by which the server must have applied or dropped a request.
    pub settle: Duration,
    /// The id of the marker field.
    pub marker: Option<String>,
    /// Held while a request is in flight; shared with the senders.
    pub seats: Arc<Semaphore>,
    /// The cancellation signal.
    pub stop: CancelSignal,
    /// The observer of the run's events.
    pub observer: SharedObserver,
    /// The state that all look-ups share.
    pub shared: Arc<ReconcilerShared>,
}

impl Reconciler {
    /// Finds out the outcome of an op that was sent and not answered. On an error the op stays in
    /// doubt.
    pub async fn resolve_op(&self, case: &InDoubtOp<'_>) -> Result<OpResolution, ReconcileError> {
        match self.resolve_by_change(case).await {
            // Repeating it would be refused again, and the run could never end.
            Err(ReconcileError::Api(error))
                if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) =>
            {
                let message = format!("its outcome cannot be looked up: {error}");
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
            _ if let Some(assumed) = case.assumed => self.resolve_assumed(case, assumed).await,
            _ => {
                let settled = self.remaining_settle_time(case.at_ms);
                self.sleep_unless_cancelled(settled).await?;
                self.probe_until_window_ends(case).await
            }
        }
    }

    /// Finds out whether a create that the server refused was applied nevertheless (api.md §5.9).
    ///
    /// A search by identity reads what the server itself checks, so it is done at once and once
    /// more a little later; without an identity, or if several contacts may have it, there is only
    /// the index, which lags.
    pub async fn resolve_refused_create(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let identified = classify::sent_identity(&case.op.change).is_some();
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

    /// Whether the contact that blocks a create that was sent before is its own result.
    pub async fn resolve_blocking_contact(
        &self,
        case: &InDoubtOp<'_>,
        id: &ContactId,
    ) -> Result<OpResolution, ReconcileError> {
        match self.fetch_contact(id).await? {
            Some(remote) => self.classify_ownership(case, &remote).await,
            None => Ok(OpResolution::NotApplied),
        }
    }

    /// The resolution of an update that is known to be applied.
    pub async fn resolve_update(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, ReconcileError> {
        failpoint::kill_if_due(FailPoint::DuringLookup);
        let Some(id) = case.contact else { return Ok(OpResolution::SendAgain) };
        match self.fetch_contact(id).await? {
            Some(remote) => Ok(classify::classify_updated(case.op, &remote)),
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
            // The last look-up is at the window's end.
            self.sleep_unless_cancelled(pause.min(left)).await?;
            pause *= 2;
        }
        match self.probe_creation_window(case).await? {
            Some(finding) => {
                self.record_search_lag(case.at_ms);
                Ok(finding)
            }
            None if case.op.class == IdempotencyClass::Once => Ok(OpResolution::Undecidable {
                message: "the server gave no answer, and it is unknown whether the contact was \
                          created: it has neither e-mail address nor phone nor marker"
                    .to_owned(),
            }),
            None => Ok(OpResolution::NotApplied),
        }
    }

    /// How long until a request sent at that time must have been applied or dropped.
    fn remaining_settle_time(&self, at_ms: i64) -> Duration {
        remaining_time(at_ms, self.settle)
    }

    fn first_probe_delay(&self) -> Duration {
        FIRST_PAUSE.min(self.settle / 8)
    }

    /// How long look-ups are repeated.
    fn lookup_window(&self) -> Duration {
        let lag = Duration::from_millis(self.shared.lag_ms.load(Ordering::Relaxed));
        self.settle.max(lag * 4).min(LONGEST.max(self.settle))
    }

    /// The window in which the op's result can have been added.
    fn creation_window(&self, case: &InDoubtOp<'_>) -> CreationWindow {
        let offset = self.client.server_time_offset();
        let slack = duration_millis(CLOCKS[usize::from(offset.is_none())]);
        CreationWindow {
            from: *self.possible_record_times(case.since_ms, slack).start(),
            certain_from: case.since_ms.saturating_add(offset.unwrap_or(0)).saturating_sub(slack),
            to: self
                .possible_record_times(case.at_ms, slack)
                .end()
                .saturating_add(duration_millis(self.settle)),
        }
    }

    /// The times that the server may have put on a record that was written at this time, in milliseconds since 1970.
    /// Dates need not be by the same clock as the `Date` of a response, which another machine writes; so that clock and
    /// ours are both allowed for.
    fn possible_record_times(&self, our_ms: i64, slack: i64) -> RangeInclusive<i64> {
        let offset = self.client.server_time_offset().unwrap_or(0);
        let from = our_ms.saturating_add(offset.min(0)).saturating_sub(slack);
        from..=our_ms.saturating_add(offset.max(0)).saturating_add(slack)
    }

    fn record_search_lag(&self, at_ms: i64) {
        let lag = u64::try_from(elapsed_since(at_ms).as_millis()).unwrap_or(u64::MAX);
        self.shared.lag_ms.fetch_max(lag, Ordering::Relaxed);
    }

    /// Waits, unless the run is cancelled.
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

    /// Whether no other op of the run has created this contact; if so, it is claimed for this op.
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

    /// Whether another op of the run has created this contact.
    async fn is_made_by_other_op(&self, contact: &str, op: u64) -> Result<bool, ReconcileError> {
        self.ledger.flush().await?;
        self.shared.ledger_checked.get_or_try_init(|| self.check_ledger()).await?;
        let (db, contact) = (self.db.clone(), contact.to_owned());
        let found = concurrency::run_blocking(move || {
            LedgerReader::open(&db)?.is_made_by_other_op(&contact, op)
        });
        Ok(found.await?)
    }

    /// Reads every op with its checksum: a search finds no record whose id is damaged.
    async fn check_ledger(&self) -> Result<(), ReconcileError> {
        let db = self.db.clone();
        let check = move || LedgerReader::open(&db)?.for_each_op(|_| Ok(()));
        Ok(concurrency::run_blocking(check).await?)
    }
}

fn duration_millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// How long until this time has passed since then; no longer, if the clock was set back.
fn remaining_time(at_ms: i64, time: Duration) -> Duration {
    time.saturating_sub(elapsed_since(at_ms))
}

/// The time since then.
fn elapsed_since(at_ms: i64) -> Duration {
    let now = jiff::Timestamp::now().as_millisecond();
    Duration::from_millis(u64::try_from(now.saturating_sub(at_ms)).unwrap_or(0))
}
