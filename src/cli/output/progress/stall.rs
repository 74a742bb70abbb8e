//! Notices that nothing moves any more, and says what the command waits for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::lock_ignoring_poison;
use crate::event::{RunEvent, RunPhase};
use crate::text::format_plural;

/// How long nothing has to move before that is said.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the events of a command's locations say about whether it moves.
#[derive(Debug)]
pub(super) struct ActivityLog(Mutex<Activity>);

#[derive(Debug)]
struct Activity {
    /// When something moved, or the end of a wait that was announced.
    moved: Instant,
    phase: Option<RunPhase>,
    counters: Vec<Arc<AtomicU64>>,
    requests: u64,
    is_reported: bool,
}

impl ActivityLog {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Activity {
            moved: now,
            phase: None,
            counters: Vec::new(),
            requests: 0,
            is_reported: false,
        }))
    }

    pub(super) fn record_event(&self, event: &RunEvent, now: Instant) {
        let mut activity = lock_ignoring_poison(&self.0);
        match event {
            RunEvent::Phase { phase } => activity.phase = Some(*phase),
            RunEvent::Waiting { ms, .. } => {
                activity.set_moved(now + Duration::from_millis(*ms));
                return;
            }
            _ => {}
        }
        activity.set_moved(now);
    }

    pub(super) fn watch_requests(&self, sent: Arc<AtomicU64>) {
        lock_ignoring_poison(&self.0).counters.push(sent);
    }

    /// What to say if nothing has moved for a minute and that was not said yet.
    pub(super) fn report_stall(&self, now: Instant) -> Option<String> {
        let mut activity = lock_ignoring_poison(&self.0);
        let requests = activity.counters.iter().map(|sent| sent.load(Ordering::Relaxed)).sum();
        if requests != activity.requests {
            activity.requests = requests;
            activity.set_moved(now);
        }
        if activity.is_reported || now.saturating_duration_since(activity.moved) < PATIENCE {
            return None;
        }
        activity.is_reported = true;
        Some(format!("nothing has moved for a minute: {}", activity.describe_wait()))
    }
}

impl Activity {
    fn set_moved(&mut self, at: Instant) {
        self.moved = self.moved.max(at);
        self.is_reported = false;
    }

    fn describe_wait(&self) -> String {
        use RunPhase::{Merging, Planning, Publishing, Results, Snapshot, Validating};
        let requests = format_plural(self.requests, "request");
        match self.phase {
            None => "waiting for the first response of the API".to_owned(),
            Some(phase @ (Merging | Publishing | Results | Snapshot | Validating | Planning)) => {
                format!("waiting for the disk while {}", phase.name())
            }
            Some(phase) => {
                format!("waiting for responses of the API while {} ({requests} sent)", phase.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::WaitReason;

    #[test]
    fn a_command_that_does_not_move_says_so_once_until_it_moves_again() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let log = ActivityLog::new(begin);
        let sent = Arc::new(AtomicU64::new(3));
        log.watch_requests(Arc::clone(&sent));
        log.record_event(&RunEvent::Phase { phase: RunPhase::Reading }, at(1));
        assert_eq!(log.report_stall(at(10)), None);
        assert_eq!(log.report_stall(at(60)), None);
        let said = log.report_stall(at(70)).unwrap();
        assert_eq!(
            said,
            "nothing has moved for a minute: waiting for responses of the API while reading the account (3 requests \
             sent)"
        );
        assert_eq!(log.report_stall(at(200)), None, "it is said once");
        sent.store(4, Ordering::Relaxed);
        assert_eq!(log.report_stall(at(201)), None, "a request moves");
        assert!(log.report_stall(at(262)).is_some());
    }

    #[test]
    fn a_wait_that_was_announced_is_no_stall() {
        let begin = Instant::now();
        let log = ActivityLog::new(begin);
        let wait = RunEvent::Waiting { reason: WaitReason::DailyQuota, ms: 3_600_000 };
        log.record_event(&wait, begin);
        assert_eq!(log.report_stall(begin + Duration::from_secs(3_650)), None);
        assert!(log.report_stall(begin + Duration::from_secs(3_670)).is_some());
    }
}
