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

use self::classify::Window;
use crate::api::{self, Client, Kind};
use crate::concurrency;
use crate::event::{Event, Stop, Waiting, Watcher};
use crate::failpoint::{self, Point};
use crate::id::ContactId;
use crate::model::verify::Difference;
use crate::model::{Change, Class, Op};
use crate::run::{self, Ledger, LedgerReader};

pub use baseline::Reference;
pub use classify::{differ, equals_child, gone};

/// How far the server's clock and this one may run apart: where its answers tell the time, and where
/// they do not.
const CLOCKS: [Duration; 2] = [Duration::from_secs(30), Duration::from_mins(2)];
/// The pause before a probe is repeated the first time; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// No look-up lasts longer than this behind the settle time, however much the search lags.
const LONGEST: Duration = Duration::from_mins(15);

/// A code for a contact that does not exist any more.
pub const CONTACT_GONE: &str = "R_CONTACT_GONE";
/// A code for a contact that somebody else has made since the plan.
pub const EXISTS_NOW: &str = "R_EXISTS_NOW";

/// What became of an op.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
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
        differences: Vec<Difference>,
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
        code: &'static str,
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

impl Finding {
    /// Whether it says that the op was applied.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied { .. } | Self::Differs { .. })
    }
}

/// Why a look-up ended without a finding. The op stays unsettled, and the next process looks again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A read failed for good.
    #[error(transparent)]
    Api(#[from] api::Error),
    /// The ledger cannot be read.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// The tap was closed.
    #[error("stopped while looking up what became of a request")]
    Stopped,
}

/// An op in doubt, and what is known of its attempts.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    /// The op.
    pub op: &'a Op,
    /// Its contact; nothing when it makes one.
    pub contact: Option<&'a ContactId>,
    /// When it was first sent, in milliseconds since 1970.
    pub since_ms: i64,
    /// When it was last sent.
    pub at_ms: i64,
    /// What the last intent said about the children before.
    pub reference: Option<Reference>,
}

/// Looks up. Clones share seats, the measured lag and the claims.
#[derive(Clone)]
pub struct Doubt {
    /// The API.
    pub client: Client,
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
    pub stop: Stop,
    /// Who watches.
    pub watcher: Watcher,
    /// What look-ups share.
    pub shared: Arc<Shared>,
}

/// What look-ups share.
#[derive(Debug, Default)]
pub struct Shared {
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
pub struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    /// Counts a piece of work until the answer is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// The op that a look-up has taken this contact for, when it was another one. It was wrong then.
    #[must_use]
    pub fn claimed_by_another(&self, contact: &str, op: u64) -> Option<u64> {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.get(contact).copied().filter(|claimed| *claimed != op)
    }

    /// Takes a contact for an op's work, unless another op has it.
    fn claim(&self, contact: &str, op: u64) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        *claims.entry(contact.to_owned()).or_insert(op) == op
    }

    fn release(&self, contact: &str) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(contact);
    }
}

impl Doubt {
    /// Finds out what became of an op that was sent and not answered.
    ///
    /// # Errors
    /// When a read fails for good or the tap is closed; the op stays in doubt then.
    pub async fn look_up(&self, case: &Case<'_>) -> Result<Finding, Error> {
        match self.found_out(case).await {
            // To ask again would be refused again, and the run could never end.
            Err(Error::Api(error)) if matches!(error.kind, Kind::Refused | Kind::TooLarge) => {
                let message = format!("what became of it cannot be looked up: {error}");
                Ok(Finding::Undecidable { message })
            }
            found => found,
        }
    }

    async fn found_out(&self, case: &Case<'_>) -> Result<Finding, Error> {
        match (&case.op.change, case.op.class) {
            (Change::Update { .. }, _) => self.compare(case).await,
            (change, _) if change.deletes() => self.deleted(case).await,
            (_, Class::Replayable) => Ok(Finding::SendAgain),
            _ => {
                let settled = self.settled(case.at_ms);
                self.rest(settled).await?;
                self.probe_until(case).await
            }
        }
    }

    /// Finds out whether a create that the server refused was done all the same (api.md §5.9).
    ///
    /// A search by identity reads what the server itself checks, so it is asked at once and once more a
    /// little later; without an identity, or where several may have it, there is only the index, which lags.
    ///
    /// # Errors
    /// As for [`Self::look_up`].
    pub async fn after_refusal(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        let identified = lookup::identity(&case.op.change).is_some();
        let by_index = !identified || case.op.class == Class::Marked;
        if identified && let Some(finding) = self.probe_created_now(case).await? {
            return Ok(Some(finding));
        }
        self.rest(if by_index { self.settled(case.at_ms) } else { self.first_pause() }).await?;
        self.probe_created_now(case).await
    }

    /// Whether the contact that stands in the way of a create that was sent before is its own work.
    ///
    /// # Errors
    /// As for [`Self::look_up`].
    pub async fn own_or_not(&self, case: &Case<'_>, id: &ContactId) -> Result<Finding, Error> {
        match self.contact(id).await? {
            Some(live) => self.own(case, &live).await,
            None => Ok(Finding::NotApplied),
        }
    }

    /// What stands there, where it is known that the update was applied.
    ///
    /// # Errors
    /// As for [`Self::look_up`].
    pub async fn compare(&self, case: &Case<'_>) -> Result<Finding, Error> {
        failpoint::reach(Point::DuringLookup);
        let Some(id) = case.contact else { return Ok(Finding::SendAgain) };
        match self.contact(id).await? {
            Some(live) => Ok(classify::updated(case.op, &live)),
            None => Ok(classify::gone(id)),
        }
    }

    async fn probe_until(&self, case: &Case<'_>) -> Result<Finding, Error> {
        let begun = Instant::now();
        let mut pause = self.first_pause();
        let mut probes = 0;
        loop {
            failpoint::reach(Point::DuringLookup);
            if let Some(finding) = self.probe(case).await? {
                if probes > 0 {
                    self.measure(case.at_ms);
                }
                return Ok(finding);
            }
            probes += 1;
            let left = self.window().saturating_sub(begun.elapsed());
            if pause.is_zero() || left.is_zero() {
                break;
            }
            // The last probe is at the window's end.
            self.rest(pause.min(left)).await?;
            pause *= 2;
        }
        match self.second_path(case).await? {
            Some(finding) => {
                self.measure(case.at_ms);
                Ok(finding)
            }
            None if case.op.class == Class::Once => Ok(Finding::Undecidable {
                message: "the server gave no answer, and nothing tells whether the contact was \
                          created: it has neither e-mail address nor phone nor marker"
                    .to_owned(),
            }),
            None => Ok(Finding::NotApplied),
        }
    }

    /// How long until a request sent then must have been applied or dead.
    fn settled(&self, at_ms: i64) -> Duration {
        self.settle.saturating_sub(since(at_ms))
    }

    fn first_pause(&self) -> Duration {
        FIRST_PAUSE.min(self.settle / 8)
    }

    /// How long probes are repeated.
    fn window(&self) -> Duration {
        let lag = Duration::from_millis(self.shared.lag_ms.load(Ordering::Relaxed));
        self.settle.max(lag * 4).min(LONGEST.max(self.settle))
    }

    /// When the op's work can have been added, by the server's clock.
    fn window_of(&self, case: &Case<'_>) -> Window {
        let offset = self.client.server_time_offset();
        let slack = millis(if offset.is_some() { CLOCKS[0] } else { CLOCKS[1] });
        let offset = offset.unwrap_or(0);
        Window {
            from: case.since_ms.saturating_add(offset).saturating_sub(slack),
            to: case.at_ms.saturating_add(offset + slack + millis(self.settle)),
        }
    }

    fn measure(&self, at_ms: i64) {
        let lag = u64::try_from(since(at_ms).as_millis()).unwrap_or(u64::MAX);
        self.shared.lag_ms.fetch_max(lag, Ordering::Relaxed);
    }

    /// Waits, unless the tap is closed.
    ///
    /// # Errors
    /// When it is.
    pub async fn rest(&self, time: Duration) -> Result<(), Error> {
        if self.stop.closed() {
            return Err(Error::Stopped);
        }
        let resting = self.shared.resting.fetch_add(1, Ordering::Relaxed) + 1;
        if !time.is_zero() && resting >= self.shared.open.load(Ordering::Relaxed) {
            let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            self.watcher.observe(&Event::Waiting { reason: Waiting::Settle, ms });
        }
        let rested = tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.stop.wait() => Err(Error::Stopped),
        };
        self.shared.resting.fetch_sub(1, Ordering::Relaxed);
        rested
    }

    /// Whether no other op of the run has made this contact; if so, it is this op's from now on.
    async fn claim(&self, contact: &str, op: u64) -> Result<bool, Error> {
        if !self.shared.claim(contact, op) {
            return Ok(false);
        }
        let taken = self.made_by_another(contact, op).await?;
        if taken {
            self.shared.release(contact);
        }
        Ok(!taken)
    }

    /// Whether another op of the run has made this contact.
    async fn made_by_another(&self, contact: &str, op: u64) -> Result<bool, Error> {
        self.ledger.flush().await?;
        let (db, contact) = (self.db.clone(), contact.to_owned());
        let found = concurrency::blocking(move || {
            let mut taken = false;
            LedgerReader::open(&db)?.each_op(|other| {
                taken |= other.id != op && other.made.as_ref() == Some(&contact);
                Ok(())
            })?;
            Ok::<bool, run::Error>(taken)
        });
        Ok(found.await?)
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time since then.
fn since(at_ms: i64) -> Duration {
    let now = jiff::Timestamp::now().as_millisecond();
    Duration::from_millis(u64::try_from(now.saturating_sub(at_ms)).unwrap_or(0))
}
