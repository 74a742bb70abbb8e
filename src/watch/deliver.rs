//! Delivery: sends a sink what waits for it in the outbox, at the sink's own pace.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::error::WatchError;
use super::sink::{Sink, SinkError};
use crate::diagnostic::EventWarningCode;
use crate::event::{CancelSignal, RunEvent, RunWarning, SharedObserver};
use crate::failpoint::{self, FailPoint};
use crate::mirror::{LONGEST_DELAY_MS, NewEvent, Outbox, OutboxEvent};

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause of a sink that fails.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How often an idle worker looks for events that were put off.
const IDLE: Duration = Duration::from_secs(5);
/// Failures in a row after which a single pass ends.
const MOST_FAILURES: u32 = 3;

/// How long a worker works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMode {
    /// Until nothing can be delivered for now.
    Once,
    /// Until it is stopped, or its sink is gone.
    Always,
}

/// What a worker has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The sink's name.
    pub sink: String,
    /// Events that the sink has received.
    pub delivered: u64,
    /// Events that are kept for it.
    pub waiting: u64,
    /// Whether the sink has said that it is gone.
    pub is_gone: bool,
}

/// Delivers the events of one sink.
pub struct SinkWorker {
    sink: Sink,
    outbox: Outbox,
    observer: SharedObserver,
    stop: CancelSignal,
    delivered: u64,
    failures: u32,
    is_gone: bool,
}

impl SinkWorker {
    /// A worker for the outbox of the mirror in a directory.
    ///
    /// # Errors
    /// When the mirror cannot be opened.
    pub fn new(
        sink: Sink,
        dir: &Path,
        observer: SharedObserver,
        stop: CancelSignal,
    ) -> Result<Self, WatchError> {
        let outbox = Outbox::open(dir)?;
        Ok(Self { sink, outbox, observer, stop, delivered: 0, failures: 0, is_gone: false })
    }

    /// Delivers what waits. `filled` wakes the worker when there is more. A delivery that has begun is completed even when
    /// the worker is stopped.
    ///
    /// # Errors
    /// When the outbox is damaged or cannot be written.
    pub async fn run(
        mut self,
        mode: DeliveryMode,
        filled: Arc<Notify>,
    ) -> Result<DeliveryResult, WatchError> {
        while !self.stop.is_cancelled() && !self.is_gone {
            // Registered before looking, so that nothing is missed in between.
            let refilled = filled.notified();
            // After a failure one by one: one that fails again holds back no others.
            let most = if self.failures == 0 { self.sink.batch_size() } else { 1 };
            let events = self.outbox.next_events(self.sink.name(), now_ms(), most)?;
            if !events.is_empty() {
                self.deliver(&events).await?;
                if mode == DeliveryMode::Once && self.failures >= MOST_FAILURES {
                    break;
                }
                self.pause_after_failure().await;
            } else if mode == DeliveryMode::Once {
                break;
            } else {
                tokio::select! {
                    () = refilled => {}
                    () = tokio::time::sleep(IDLE) => {}
                    () = self.stop.wait_for_cancel() => {}
                }
            }
        }
        let waiting = self.outbox.count_waiting(self.sink.name())?;
        let (sink, delivered, is_gone) =
            (self.sink.name().to_owned(), self.delivered, self.is_gone);
        Ok(DeliveryResult { sink, delivered, waiting, is_gone })
    }

    async fn deliver(&mut self, events: &[OutboxEvent]) -> Result<(), WatchError> {
        let bodies: Vec<&NewEvent> = events.iter().map(|event| &event.event).collect();
        let sent = self.sink.send_events(&bodies).await;
        failpoint::kill_if_due(FailPoint::BeforeMark);
        match sent {
            Ok(()) => {
                self.outbox.remove(events)?;
                self.delivered += events.len() as u64;
                self.failures = 0;
            }
            Err(error) => self.record_failure(&events[0], &error)?,
        }
        Ok(())
    }

    fn record_failure(&mut self, event: &OutboxEvent, error: &SinkError) -> Result<(), WatchError> {
        self.is_gone = matches!(error, SinkError::Gone(_));
        let code =
            if self.is_gone { EventWarningCode::SinkGone } else { EventWarningCode::SinkFailing };
        self.failures += 1;
        // One warning for a sink that is down, however many events wait for it.
        if self.failures == 1 {
            let what = if self.is_gone {
                "gets no more events; they are kept"
            } else {
                "does not take an event, which is kept"
            };
            let message = format!("{} {what}: {error}", self.sink.label());
            let warning = RunWarning::new(code, message).about([self.sink.name()]);
            self.observer.observe(&RunEvent::Warning(warning));
        }
        let delay = error.retry_after().unwrap_or_else(|| pause_after(event.attempts + 1));
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(LONGEST_DELAY_MS);
        Ok(self.outbox.postpone(event.number, now_ms() + delay_ms.min(LONGEST_DELAY_MS))?)
    }

    /// Waits before the next event, so that a sink that is down is not sent all of them in vain.
    async fn pause_after_failure(&self) {
        if self.failures == 0 {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(pause_after(self.failures)) => {}
            () = self.stop.wait_for_cancel() => {}
        }
    }
}

/// The pause after so many failures.
fn pause_after(failures: u32) -> Duration {
    let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(16));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
