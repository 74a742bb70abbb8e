//! The push: applies a plan's ops from the ledger to the account, each exactly once.
//!
//! First the custom fields are created that the ops need, alone, so that nothing is written if one cannot be.
//! Phase 1 runs the serial groups: the ops of a group run one after the other, groups run concurrently, and a group
//! that waits for a look-up holds no send permit and blocks no other group. Phase 2 sends the changes that many contacts
//! share (tags, businesses) in batches. Every op takes the same path: a durable intent, the request, the verdict on its
//! response, and without a usable response a look-up; only then is it sent again. After cancellation nothing new starts;
//! what was sent is settled, or left for the next process to look up. The push does not know sheets, mappings or result
//! files.

mod batch;
mod batch_response;
mod bulk;
mod difference_check;
mod duplicate_check;
mod failure_budget;
mod give_up;
mod location_fields;
mod notes_and_tasks;
mod op_request;
mod serial;
mod server_reply;
mod single_tags;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};

use self::difference_check::DifferenceCheck;
use self::failure_budget::{FailureBudget, PendingFailure};
use self::single_tags::SingleTags;
use crate::api::{self, ApiClient, ApiEndpoint, ApiErrorKind, HaltReason};
use crate::concurrency;
use crate::event::{CancelCause, CancelSignal, RunEvent, SharedObserver};
use crate::reconcile::{self, Reconciler};
use crate::run::{self, Ledger, LedgerReader, OpRecord, OpState};

/// The maximum number of open serial groups. Most of them wait for the rate limit, some for a look-up.
const OPEN_GROUPS: NonZeroUsize = NonZeroUsize::new(1_024).expect("a constant");
/// The number of serial groups read from the ledger at once.
const LOT: usize = 256;
/// How often one process sends an op that gets no response.
const ATTEMPTS: u32 = 8;
/// The delay before an op without a response is sent again: the first and the longest; it doubles each time.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// A push, ready to run.
pub struct Push {
    /// The API of the location.
    pub client: ApiClient,
    /// The ledger, for writing. The caller, who opened it, closes it.
    pub ledger: Ledger,
    /// The ledger's database, for reading.
    pub db: PathBuf,
    /// The observer of the run's events.
    pub observer: SharedObserver,
    /// The cancellation signal.
    pub stop: CancelSignal,
    /// The maximum number of requests in flight.
    pub concurrency: NonZeroUsize,
    /// The time after which a request that was sent has either been applied or is lost.
    pub settle: Duration,
    /// The id of the marker field, if the location has one.
    pub marker: Option<String>,
    /// How many rows may fail in this process; the push stops when more do.
    pub max_errors: Option<u64>,
    /// The rows to send; `None` for all.
    pub only: Option<BTreeSet<u64>>,
    /// The initial number of contacts in one change of tags.
    pub tag_batch: usize,
}

/// The result of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// The number of ops in each state, including those of earlier processes.
    pub states: BTreeMap<OpState, u64>,
    /// The records known to be in the account more than once.
    pub duplicates: Vec<DuplicatedRow>,
}

/// A row whose record is in the account more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicatedRow {
    /// The row.
    pub row: u64,
    /// The contacts, notes or tasks.
    pub ids: Vec<String>,
}

/// Why a push ended early. What was sent is in the ledger; another push continues from there.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The API: the token, a scope, the daily quota, no connection, or cancellation.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The ledger.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// More rows failed than `--max-errors` allows; their number.
    #[error("{0} rows failed, more than `--max-errors` allows")]
    MaxErrors(u64),
    /// The server refused to create a custom field that ops of the plan need.
    #[error("the API refused to create the custom field `{name}`: {reason}")]
    FieldRefused {
        /// The field's name.
        name: String,
        /// What the server answered.
        reason: String,
    },
    /// The location has a custom field by now that has the name of one to be created, and another type.
    #[error("the location has a custom field `{name}` now, of type {data_type}")]
    FieldDiffers {
        /// The field's name.
        name: String,
        /// Its type.
        data_type: String,
    },
    /// The ledger contains something that no plan of this program contains.
    #[error("{0}")]
    Bug(String),
}

impl From<reconcile::ReconcileError> for PushError {
    fn from(error: reconcile::ReconcileError) -> Self {
        match error {
            reconcile::ReconcileError::Api(error) => Self::Api(error),
            reconcile::ReconcileError::Run(error) => Self::Run(error),
            reconcile::ReconcileError::Stopped => Self::stopped(),
        }
    }
}

impl PushError {
    /// Cancellation between two requests, as the error that the next request would have returned.
    fn stopped() -> Self {
        Self::Api(api::ApiError {
            kind: ApiErrorKind::Halted(HaltReason::Cancelled),
            route: ApiEndpoint::CreateContact,
            status: None,
            body: Box::default(),
            foreign: None,
            message: "not sent".to_owned(),
            trace_id: None,
            attempts: 0,
            elapsed: Duration::ZERO,
        })
    }

    fn is_stopped(&self) -> bool {
        matches!(self, Self::Api(error) if error.kind == ApiErrorKind::Halted(HaltReason::Cancelled))
    }
}

/// The context that all serial groups and batches share.
struct PushContext {
    client: ApiClient,
    ledger: Ledger,
    db: PathBuf,
    observer: SharedObserver,
    /// Cancelled by the user's signal, by an error that ends the run, and by too many failed rows.
    stop: CancelSignal,
    doubt: Reconciler,
    differences: DifferenceCheck,
    /// A permit is held while a request is in flight, from its intent on, and never while a group waits.
    seats: Arc<Semaphore>,
    only: Option<BTreeSet<u64>>,
    errors: Option<FailureBudget>,
    settled: AtomicU64,
    ops: u64,
    tag_batch: AtomicUsize,
    business_batch: AtomicUsize,
    single_tags: SingleTags,
    at_once: NonZeroUsize,
}

impl Push {
    /// Sends every op that is still pending, and looks up those whose response was never read.
    ///
    /// # Errors
    /// When the run cannot continue now. What was sent is in the ledger, and another call continues from there.
    pub async fn run(self) -> Result<PushReport, PushError> {
        let work = Arc::new(self.prepare().await?);
        let pushed = work.run_phases().await;
        // Also after a failure, so that the outcomes of earlier responses are stored.
        work.ledger.flush().await?;
        let duplicates = pushed?;
        let states = work.read_ledger(LedgerReader::count_by_state).await?;
        Ok(PushReport { states, duplicates })
    }

    async fn prepare(self) -> Result<PushContext, PushError> {
        let db = self.db.clone();
        let states =
            concurrency::run_blocking(move || LedgerReader::open(&db)?.count_by_state()).await?;
        let count = |open: bool| {
            let states = states.iter().filter(|(state, _)| is_unsettled(**state) == open);
            states.map(|(_, count)| count).sum::<u64>()
        };
        let seats = Arc::new(Semaphore::new(self.concurrency.get()));
        let stop = self.stop.child_signal();
        let doubt = Reconciler {
            client: self.client.clone(),
            ledger: self.ledger.clone(),
            db: self.db.clone(),
            settle: self.settle,
            marker: self.marker,
            seats: Arc::clone(&seats),
            stop: stop.clone(),
            observer: Arc::clone(&self.observer),
            shared: Arc::default(),
        };
        Ok(PushContext {
            client: self.client,
            ledger: self.ledger,
            db: self.db,
            observer: self.observer,
            stop,
            doubt,
            differences: DifferenceCheck::default(),
            seats,
            only: self.only,
            errors: self.max_errors.map(FailureBudget::with_limit),
            settled: AtomicU64::new(count(false)),
            ops: count(false) + count(true),
            tag_batch: AtomicUsize::new(self.tag_batch.max(1)),
            business_batch: AtomicUsize::new(bulk::BUSINESS_BATCH),
            single_tags: SingleTags::default(),
            at_once: self.concurrency,
        })
    }
}

fn is_unsettled(state: OpState) -> bool {
    matches!(state, OpState::Pending | OpState::Sent)
}

/// Whether `--max-errors` counts a row with an op in this state.
fn counts_as_failure(state: OpState) -> bool {
    matches!(state, OpState::Refused | OpState::Conflict | OpState::InDoubt)
}

impl PushContext {
    async fn run_phases(self: &Arc<Self>) -> Result<Vec<DuplicatedRow>, PushError> {
        self.report_progress();
        self.create_fields().await?;
        let serial_groups = concurrency::run_unordered(self.stream_serial_groups(), OPEN_GROUPS, {
            let work = Arc::clone(self);
            move |ops| {
                let work = Arc::clone(&work);
                async move { serial::run_group(work, ops?).await }
            }
        });
        self.drain_results(serial_groups).await?;
        self.ledger.flush().await?;
        self.send_bulk_ops().await?;
        if self.stop.is_cancelled() {
            return Err(PushError::stopped());
        }
        self.ledger.flush().await?;
        self.delete_unused_fields().await?;
        self.wait_for_late_writes().await?;
        self.find_duplicates().await
    }

    /// Waits until no request of this run without an answer can be applied any more: what is edited after the end of
    /// the run must not be overwritten by it.
    async fn wait_for_late_writes(&self) -> Result<(), PushError> {
        let since_ms = reconcile::oldest_late_write(self.doubt.settle);
        let last = self.read_ledger(move |reader| reader.last_unanswered_send(since_ms)).await?;
        match last {
            Some(last) => self.wait_until_applied_or_lost(last).await,
            None => Ok(()),
        }
    }

    /// Waits until a request that was sent at this time must have been applied or lost.
    async fn wait_until_applied_or_lost(&self, sent_ms: i64) -> Result<(), PushError> {
        let settle = self.doubt.settle;
        Ok(reconcile::wait_for_late_writes(sent_ms, settle, &self.stop, &self.observer).await?)
    }

    /// Awaits tasks. The first failure cancels the push, and the other tasks wind down.
    async fn drain_results(
        &self,
        pieces: impl Stream<Item = Result<(), PushError>>,
    ) -> Result<(), PushError> {
        let mut pieces = pin!(pieces);
        let mut first: Option<PushError> = None;
        while let Some(result) = pieces.next().await {
            let Err(error) = result else { continue };
            self.stop.cancel_with(CancelCause::Failure);
            if first.as_ref().is_none_or(|first| first.is_stopped() && !error.is_stopped()) {
                first = Some(error);
            }
        }
        match (first, self.failures_over_limit()) {
            (Some(error), None) => Err(error),
            (Some(error), Some(_)) if !error.is_stopped() => Err(error),
            (_, Some(errors)) => Err(PushError::MaxErrors(errors)),
            (None, None) if self.stop.is_cancelled() => Err(PushError::stopped()),
            (None, None) => Ok(()),
        }
    }

    /// The serial groups with ops to send or look up, in order, with all their ops. The stream ends on cancellation.
    fn stream_serial_groups(
        self: &Arc<Self>,
    ) -> impl Stream<Item = Result<Vec<OpRecord>, PushError>> + use<> {
        let work = Arc::clone(self);
        let lots = futures::stream::unfold(Some(0), move |after| {
            let work = Arc::clone(&work);
            async move {
                let after = after.filter(|_| !work.stop.is_cancelled())?;
                let lot = work.read_ledger(move |reader| load_serial_groups(reader, after)).await;
                let next = match &lot {
                    Ok(lot) if lot.len() == LOT => {
                        lot.last().map(|(serial_group, _)| *serial_group)
                    }
                    _ => None,
                };
                let ops = match lot {
                    Ok(lot) => lot.into_iter().map(|(_, ops)| Ok(ops)).collect(),
                    Err(error) => vec![Err(error)],
                };
                Some((futures::stream::iter(ops), next))
            }
        });
        lots.flatten()
    }

    /// Reads from the ledger on a blocking thread.
    async fn read_ledger<T: Send + 'static>(
        &self,
        read: impl FnOnce(&LedgerReader) -> Result<T, run::RunError> + Send + 'static,
    ) -> Result<T, PushError> {
        let db = self.db.clone();
        Ok(concurrency::run_blocking(move || read(&LedgerReader::open(&db)?)).await?)
    }

    /// The delay before an op is sent again after this many attempts without a response. With a short settle time,
    /// the delays are short as well.
    fn retry_delay(&self, unanswered: u32) -> Duration {
        let first = PAUSES[0].min(self.doubt.settle / 8);
        first.saturating_mul(1 << unanswered.saturating_sub(1).min(16)).min(PAUSES[1])
    }

    /// Whether a row is selected to be sent.
    fn includes_row(&self, row: u64) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&row))
    }

    /// Counts an op that has reached a final state. Too many failed rows cancel the push.
    fn count_settled_op(&self, row: u64, state: OpState) {
        self.settled.fetch_add(1, Ordering::Relaxed);
        self.report_progress();
        if let Some(errors) = self.errors.as_ref().filter(|_| counts_as_failure(state)) {
            errors.rows.lock().unwrap_or_else(PoisonError::into_inner).insert(row);
            if self.failures_over_limit().is_some() {
                self.stop.cancel_with(CancelCause::Failure);
            }
        }
    }

    fn failures_over_limit(&self) -> Option<u64> {
        let errors = self.errors.as_ref()?;
        Some(errors.failed_rows()).filter(|failed| *failed > errors.most)
    }

    /// Counts a row as probably failed until the returned value is dropped.
    fn mark_pending_failure(&self) -> PendingFailure<'_> {
        if let Some(errors) = &self.errors {
            errors.suspects.fetch_add(1, Ordering::Relaxed);
        }
        PendingFailure(self.errors.as_ref())
    }

    /// Waits for a send permit. None is given while the failed rows, including the probable ones, exceed the limit:
    /// nothing more may be sent if the limit turns out to be reached.
    async fn acquire_send_permit(&self) -> SemaphorePermit<'_> {
        loop {
            let less = self.errors.as_ref().map(|errors| errors.less.notified());
            let permit = self.seats.acquire().await.expect("the semaphore is never closed");
            let Some(less) =
                less.filter(|_| self.errors.as_ref().is_some_and(FailureBudget::may_be_exceeded))
            else {
                return permit;
            };
            drop(permit);
            less.await;
        }
    }

    fn report_progress(&self) {
        let done = self.settled.load(Ordering::Relaxed);
        self.observer.observe(&RunEvent::Progress { what: "ops", done, total: Some(self.ops) });
    }
}

fn load_serial_groups(
    reader: &LedgerReader,
    after: u64,
) -> Result<Vec<(u64, Vec<OpRecord>)>, run::RunError> {
    let serial_groups = reader.unfinished_serial_groups(after, LOT)?;
    serial_groups
        .into_iter()
        .map(|serial_group| Ok((serial_group, reader.ops_in_serial_group(serial_group)?)))
        .collect()
}
