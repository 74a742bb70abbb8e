//! What a run warned of, and which of it the run before had warned of already.
//!
//! A nightly export has the same warnings every night. Its run stores them, so that the next one can tell a new
//! warning from a known one. Warnings of the API client are not stored: a full rate limit or a lost connection is
//! about the moment, not about the account.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use super::facts::{self, ExportWarning};
use crate::event::{EventObserver, RunEvent, RunWarning, SharedObserver};
use crate::id::RunId;
use crate::run::{RunError, RunRecorder, RunSummary};

/// The warnings of the run before.
#[derive(Debug, Clone)]
pub struct KnownWarnings {
    run: RunId,
    warnings: Vec<ExportWarning>,
}

impl KnownWarnings {
    /// The warnings of a finished run of the same request. If they cannot be read, none is known, and the new run
    /// shows all of its own.
    #[must_use]
    pub fn read(run: &RunSummary) -> Self {
        Self { run: run.id.clone(), warnings: stored_warnings(run).unwrap_or_default() }
    }

    /// Whether the run before had the warning about all of its subjects.
    fn contains(&self, warning: &RunWarning) -> bool {
        let code = warning.code.spelling();
        let same = || self.warnings.iter().filter(|known| known.code == code);
        let is_known = |subject| same().any(|known| known.subjects.contains(subject));
        same().next().is_some() && warning.subjects.iter().all(is_known)
    }
}

/// The warnings that a run has stored.
///
/// # Errors
/// When they cannot be read.
pub fn stored_warnings(run: &RunSummary) -> Result<Vec<ExportWarning>, RunError> {
    Ok(run.read_fact(&facts::WARNINGS)?.unwrap_or_default())
}

/// Records the warnings of a run on their way to its observer, and marks those that are known.
pub(super) struct WarningLog {
    observer: SharedObserver,
    known: Option<KnownWarnings>,
    seen: Mutex<Vec<ExportWarning>>,
}

impl WarningLog {
    /// A log in front of an observer. `earlier` are the warnings of the run's processes before this one.
    pub(super) fn new(
        observer: SharedObserver,
        known: Option<KnownWarnings>,
        earlier: Vec<ExportWarning>,
    ) -> Self {
        Self { observer, known, seen: Mutex::new(earlier) }
    }

    /// Stores what the run has warned of so far.
    pub(super) fn store(&self, recorder: &RunRecorder) -> Result<(), RunError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        recorder.write_fact(&facts::WARNINGS, &seen)
    }

    /// Adds a warning. One with the same code and subjects is the same with newer numbers.
    fn record_warning(&self, warning: &RunWarning) {
        let stored = ExportWarning {
            code: warning.code.spelling().to_owned(),
            subjects: warning.subjects.clone(),
            message: warning.message.clone(),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|it| it.code != stored.code || it.subjects != stored.subjects);
        seen.push(stored);
    }
}

impl EventObserver for WarningLog {
    fn observe(&self, event: &RunEvent) {
        let RunEvent::Warning(warning) = event else { return self.observer.observe(event) };
        self.record_warning(warning);
        let known = self.known.as_ref().filter(|known| known.contains(warning));
        let known_from = known.map(|known| known.run.clone());
        self.observer.observe(&RunEvent::Warning(RunWarning { known_from, ..warning.clone() }));
    }

    fn watch_requests(&self, sent: Arc<AtomicU64>) {
        self.observer.watch_requests(sent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::EventWarningCode::{Misfit, TasksPerContact};

    #[test]
    fn a_warning_is_known_if_the_run_before_had_it_about_the_same() {
        let stored = |code: &str, subjects: &[&str]| ExportWarning {
            code: code.to_owned(),
            subjects: subjects.iter().map(ToString::to_string).collect(),
            message: String::new(),
        };
        let known = KnownWarnings {
            run: RunId::new(jiff::Timestamp::UNIX_EPOCH),
            warnings: vec![
                stored("misfit", &["contacts.age", "contacts.budget"]),
                stored("a_code_of_a_later_version", &[]),
            ],
        };
        let misfit = |subjects: &[&str]| {
            known.contains(&RunWarning::new(Misfit, "3 values").about(subjects.iter().copied()))
        };
        assert!(misfit(&["contacts.budget", "contacts.age"]));
        assert!(misfit(&["contacts.age"]), "what has ended is not missed");
        assert!(!misfit(&["contacts.age", "contacts.size"]), "one is new");
        assert!(!known.contains(&RunWarning::new(TasksPerContact, "none")));
    }
}
