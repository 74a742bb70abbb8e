//! The push: a plan's ops, from the ledger into the account, each of them once.
//!
//! Phase 1 goes through the lanes: the ops of a lane run one after the other, lanes side by side, and a
//! lane that waits for a look-up holds neither a request's seat nor the others. Phase 2 sends what many
//! contacts share (tags, businesses) in batches. Every op follows one path: an intent that is durable, the
//! request, the verdict of its answer, and where that is no answer, the look-up; only then is it sent
//! again. When the tap closes nothing new begins, and whatever was sent is settled or stays to be looked
//! up by the next process. The push does not know sheets, mappings or result files.

mod batch;
mod bulk;
mod notes_and_tasks;
mod op_request;
mod serial;
mod server_reply;
mod suspects;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::api::{self, ApiClient, ApiEndpoint, ApiErrorKind, HaltReason};
use crate::concurrency;
use crate::event::{CancelCause, CancelSignal, RunEvent, SharedObserver};
use crate::reconcile::{self, Reconciler};
use crate::run::{self, Ledger, LedgerReader, OpRecord, OpState};

/// Lanes that are open at a time. Most of them wait for the pace, some for a look-up.
const OPEN_LANES: NonZeroUsize = NonZeroUsize::new(1_024).expect("a constant");
/// Lanes read together.
const LOT: usize = 256;
/// How often one process sends an op that is never answered.
const ATTEMPTS: u32 = 8;
/// The pause before an op without an answer is sent again: the first, and the longest; it doubles.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// A push, ready to run.
pub struct Push {
    /// The API.
    pub client: ApiClient,
    /// The ledger, for writing. Whoever opened it closes it.
    pub ledger: Ledger,
    /// Its database, for reading.
    pub db: PathBuf,
    /// Who watches.
    pub observer: SharedObserver,
    /// The tap.
    pub stop: CancelSignal,
    /// Requests in flight at most.
    pub concurrency: NonZeroUsize,
    /// How long after sending a request must have been applied or dead.
    pub settle: Duration,
    /// The id of the marker field.
    pub marker: Option<String>,
    /// How many rows may fail in this process; the push gives up when more do.
    pub max_errors: Option<u64>,
    /// The rows to be sent; nothing for all.
    pub only: Option<BTreeSet<u64>>,
    /// Contacts in one change of tags, to begin with.
    pub tag_batch: usize,
}

/// What a push came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// How many ops stand where, those of earlier processes too.
    pub states: BTreeMap<OpState, u64>,
    /// What stands in the account more than once, as far as it is known.
    pub duplicates: Vec<DuplicatedRow>,
}

/// A row whose record stands in the account more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicatedRow {
    /// The row.
    pub row: u64,
    /// The contacts, notes or tasks.
    pub ids: Vec<String>,
}

/// Why a push ended early. What was sent is in the ledger; another push goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The API: the token, a scope, the budget, no connection, or the tap was closed.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The ledger.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// More rows failed than may; so many.
    #[error("{0} rows failed, more than `--max-errors` allows")]
    MaxErrors(u64),
    /// The ledger holds what no plan of this program holds.
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
    /// The tap was closed between two requests: what the next one would have met.
    fn stopped() -> Self {
        Self::Api(api::ApiError {
            kind: ApiErrorKind::Halted(HaltReason::Cancelled),
            route: ApiEndpoint::CreateContact,
            status: None,
            body: Box::default(),
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

/// What every lane and batch works with.
struct PushContext {
    client: ApiClient,
    ledger: Ledger,
    db: PathBuf,
    observer: SharedObserver,
    /// Closed by the user's tap, by an error that ends the run, and by too many failed rows.
    stop: CancelSignal,
    doubt: Reconciler,
    /// Held while a request is in flight, from its intent on, and never while a lane waits.
    seats: Arc<Semaphore>,
    only: Option<BTreeSet<u64>>,
    errors: Option<FailureBudget>,
    settled: AtomicU64,
    ops: u64,
    tag_batch: AtomicUsize,
    business_batch: AtomicUsize,
    at_once: NonZeroUsize,
}

impl Push {
    /// Sends every op that is still to be sent, and looks up those whose answer nobody read.
    ///
    /// # Errors
    /// When the run cannot go on now. What was sent is in the ledger, and another call goes on from there.
    pub async fn run(self) -> Result<PushReport, PushError> {
        let work = Arc::new(self.prepare().await?);
        let pushed = work.run_phases().await;
        // Also after a failure: what was answered before it is kept.
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
            seats,
            only: self.only,
            errors: self.max_errors.map(FailureBudget::with_limit),
            settled: AtomicU64::new(count(false)),
            ops: count(false) + count(true),
            tag_batch: AtomicUsize::new(self.tag_batch.max(1)),
            business_batch: AtomicUsize::new(bulk::BUSINESS_BATCH),
            at_once: self.concurrency,
        })
    }
}

/// The rows that have failed in this process, where there is a limit to them. Whoever resumes a run that
/// ended because of it wants it to go on.
struct FailureBudget {
    most: u64,
    rows: Mutex<HashSet<u64>>,
    /// Refused rows of which it is being found out whether they were applied all the same.
    suspects: AtomicU64,
    less: Notify,
}

/// A row that has probably failed, while this value lives.
struct PendingFailure<'w>(Option<&'w FailureBudget>);

impl FailureBudget {
    fn with_limit(most: u64) -> Self {
        Self { most, rows: Mutex::default(), suspects: AtomicU64::new(0), less: Notify::new() }
    }

    /// Whether more may have failed than may fail, and that is being found out.
    fn may_be_exceeded(&self) -> bool {
        let suspects = self.suspects.load(Ordering::Relaxed);
        suspects > 0 && self.failed_rows() + suspects > self.most
    }

    fn failed_rows(&self) -> u64 {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

impl Drop for PendingFailure<'_> {
    fn drop(&mut self) {
        if let Some(errors) = self.0 {
            errors.suspects.fetch_sub(1, Ordering::Relaxed);
            errors.less.notify_waiters();
        }
    }
}

fn is_unsettled(state: OpState) -> bool {
    matches!(state, OpState::Pending | OpState::Sent)
}

/// Whether this state makes its row one of those that `--max-errors` counts.
fn counts_as_failure(state: OpState) -> bool {
    matches!(state, OpState::Refused | OpState::Conflict | OpState::InDoubt)
}

impl PushContext {
    async fn run_phases(self: &Arc<Self>) -> Result<Vec<DuplicatedRow>, PushError> {
        self.report_progress();
        let lanes = concurrency::run_unordered(self.stream_serial_groups(), OPEN_LANES, {
            let work = Arc::clone(self);
            move |ops| {
                let work = Arc::clone(&work);
                async move { serial::run_group(work, ops?).await }
            }
        });
        self.drain_results(lanes).await?;
        self.ledger.flush().await?;
        self.send_bulk_ops().await?;
        if self.stop.is_cancelled() {
            return Err(PushError::stopped());
        }
        self.ledger.flush().await?;
        self.find_duplicates().await
    }

    /// Awaits pieces of work. The first that fails closes the tap, and the others come to their ends.
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

    /// The lanes with something to be sent or looked up, in their order, with all their ops. They end
    /// when the tap closes.
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
                    Ok(lot) if lot.len() == LOT => lot.last().map(|(lane, _)| *lane),
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

    /// Reads the ledger.
    async fn read_ledger<T: Send + 'static>(
        &self,
        read: impl FnOnce(&LedgerReader) -> Result<T, run::RunError> + Send + 'static,
    ) -> Result<T, PushError> {
        let db = self.db.clone();
        Ok(concurrency::run_blocking(move || read(&LedgerReader::open(&db)?)).await?)
    }

    /// The pause before an op is sent again that had no answer so often. With a short settle time, pauses
    /// are short too.
    fn retry_delay(&self, unanswered: u32) -> Duration {
        let first = PAUSES[0].min(self.doubt.settle / 8);
        first.saturating_mul(1 << unanswered.saturating_sub(1).min(16)).min(PAUSES[1])
    }

    /// Whether a row is among those to be sent.
    fn includes_row(&self, row: u64) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&row))
    }

    /// Counts an op of a row that came to its end. Too many failed rows close the tap.
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

    /// Notes that a row has probably failed, until the answer is dropped.
    fn mark_pending_failure(&self) -> PendingFailure<'_> {
        if let Some(errors) = &self.errors {
            errors.suspects.fetch_add(1, Ordering::Relaxed);
        }
        PendingFailure(self.errors.as_ref())
    }

    /// A place among those that send. There is none while the rows that have failed, with those that
    /// probably have, are more than may fail: what is sent meanwhile would be too much.
    async fn acquire_send_permit(&self) -> SemaphorePermit<'_> {
        loop {
            let less = self.errors.as_ref().map(|errors| errors.less.notified());
            let seat = self.seats.acquire().await.expect("the seats are never closed");
            let Some(less) =
                less.filter(|_| self.errors.as_ref().is_some_and(FailureBudget::may_be_exceeded))
            else {
                return seat;
            };
            drop(seat);
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
    let lanes = reader.unfinished_lanes(after, LOT)?;
    lanes.into_iter().map(|lane| Ok((lane, reader.ops_in_lane(lane)?))).collect()
}
