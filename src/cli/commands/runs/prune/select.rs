//! Which runs may be removed.

use std::collections::HashMap;

use serde::Serialize;

use crate::id::{LocationId, RunId};
use crate::run::{RunKind, RunState};

/// What the user asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct PruneRules {
    /// How many of the latest runs of a location stay.
    pub(super) keep_last: Option<usize>,
    /// Younger runs stay.
    pub(super) older_than: Option<jiff::Timestamp>,
    /// Whether runs go that could still be continued, or of which too little is known.
    pub(super) all: bool,
}

/// What decides about a run.
#[derive(Debug, Clone)]
pub(super) struct PruneCandidate<'a> {
    pub(super) id: &'a RunId,
    /// The location; `None` if the run cannot be read, as below.
    pub(super) location: Option<&'a LocationId>,
    pub(super) kind: Option<RunKind>,
    pub(super) state: Option<RunState>,
    /// Whether a process has locked it.
    pub(super) running: bool,
    pub(super) created: Option<jiff::Timestamp>,
    /// The import that it takes back, if it is an undo.
    pub(super) takes_back: Option<&'a RunId>,
    /// Whether it is unknown of some of its writes if they were applied.
    pub(super) in_doubt: bool,
}

/// Why a run stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeepReason {
    /// A process works on it.
    Running,
    /// It is one of the latest, or not old enough.
    Recent,
    /// It can be resumed or applied, or cannot be read.
    Unfinished,
    /// Some of its writes are in doubt.
    InDoubt,
    /// It is an import or undo, and no age was given.
    NeedsAge,
    /// It is an undo whose import stays.
    UndoOfKept,
}

impl KeepReason {
    /// The reasons that a user may not expect.
    pub(super) const REPORTED: [Self; 4] =
        [Self::Unfinished, Self::InDoubt, Self::NeedsAge, Self::UndoOfKept];

    /// Why, and what removes such a run.
    pub(super) fn explain(self) -> &'static str {
        match self {
            Self::Running => "in use by another process",
            Self::Recent => "recent",
            Self::Unfinished => {
                "can be resumed or applied, or not read by this version; `--all` removes such runs"
            }
            Self::InDoubt => {
                "has writes in doubt: settle them with `ghl-bulk runs resolve`, or use `--all`"
            }
            Self::NeedsAge => "imports and undos are removed only with `--older-than`",
            Self::UndoOfKept => "an undo is kept as long as its import",
        }
    }
}

impl PruneRules {
    /// For each run the reason why it stays, if it does. The runs are given oldest first.
    pub(super) fn reasons_to_keep(&self, runs: &[PruneCandidate<'_>]) -> Vec<Option<KeepReason>> {
        let mut seen: HashMap<Option<&LocationId>, usize> = HashMap::new();
        let mut reasons = vec![None; runs.len()];
        for (run, reason) in runs.iter().zip(&mut reasons).rev() {
            let newer = seen.entry(run.location).or_default();
            let is_latest = self.keep_last.is_some_and(|kept| *newer < kept);
            *newer += 1;
            *reason = self.reason_to_keep(run, is_latest);
        }
        Self::keep_undos_of_kept(runs, &mut reasons);
        reasons
    }

    fn reason_to_keep(&self, run: &PruneCandidate<'_>, is_latest: bool) -> Option<KeepReason> {
        // A run whose age is unknown counts as recent.
        let is_young =
            self.older_than.is_some_and(|limit| run.created.is_none_or(|created| created >= limit));
        let closed = matches!(run.state, Some(state) if is_closed(state));
        match run {
            _ if run.running => Some(KeepReason::Running),
            _ if is_latest || is_young => Some(KeepReason::Recent),
            _ if !closed && !self.all => Some(KeepReason::Unfinished),
            _ if run.in_doubt && !self.all => Some(KeepReason::InDoubt),
            _ if may_have_written(run) && self.older_than.is_none() => Some(KeepReason::NeedsAge),
            _ => None,
        }
    }

    /// Without its undo, a kept import would count as applied: what was undone would not be imported again.
    fn keep_undos_of_kept(runs: &[PruneCandidate<'_>], reasons: &mut [Option<KeepReason>]) {
        let is_kept = |id: &RunId, reasons: &[Option<KeepReason>]| {
            runs.iter().zip(reasons).any(|(run, reason)| run.id == id && reason.is_some())
        };
        for at in 0..runs.len() {
            if let Some(import) = runs[at].takes_back.filter(|_| may_have_written(&runs[at]))
                && reasons[at].is_none()
                && is_kept(import, reasons)
            {
                reasons[at] = Some(KeepReason::UndoOfKept);
            }
        }
    }
}

/// Whether nothing more comes of a run.
fn is_closed(state: RunState) -> bool {
    match state {
        RunState::Complete
        | RunState::Partial
        | RunState::Declined
        | RunState::Refused
        | RunState::Failed => true,
        RunState::Running | RunState::Interrupted | RunState::Paused | RunState::Planned => false,
    }
}

/// Whether a run may have written to the account, so that its ledger is still of use.
fn may_have_written(run: &PruneCandidate<'_>) -> bool {
    let only_planned = matches!(
        run.state,
        Some(RunState::Planned | RunState::Declined | RunState::Refused | RunState::Failed)
    );
    !matches!(run.kind, Some(RunKind::Export | RunKind::Sync)) && !only_planned
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Runs(Vec<(RunId, LocationId, RunKind, RunState)>);

    impl Runs {
        /// Runs of one day after the other, oldest first.
        fn new(runs: &[(&str, RunKind, RunState)]) -> Self {
            let run = |(day, (location, kind, state)): (usize, &(&str, RunKind, RunState))| {
                let id = format!("202611{:02}-000000-aaaa", day + 1);
                (id.parse().unwrap(), location.parse().unwrap(), *kind, *state)
            };
            Self(runs.iter().enumerate().map(run).collect())
        }

        fn candidates(&self) -> Vec<PruneCandidate<'_>> {
            self.0
                .iter()
                .map(|(id, location, kind, state)| PruneCandidate {
                    id,
                    location: Some(location),
                    kind: Some(*kind),
                    state: Some(*state),
                    running: false,
                    created: id.created(),
                    takes_back: None,
                    in_doubt: false,
                })
                .collect()
        }
    }

    fn keep(last: usize) -> PruneRules {
        PruneRules { keep_last: Some(last), older_than: None, all: false }
    }

    fn older_than(day: u32) -> PruneRules {
        let limit = format!("2026-11-{day:02}T00:00:00Z").parse().unwrap();
        PruneRules { keep_last: None, older_than: Some(limit), all: false }
    }

    use KeepReason::{InDoubt, NeedsAge, Recent, Running, UndoOfKept, Unfinished};
    use RunKind::{Export, Import, Undo};
    use RunState::{Complete, Declined, Failed, Interrupted, Partial, Paused, Planned, Refused};

    #[test]
    fn the_latest_runs_of_each_location_stay() {
        let runs = Runs::new(&[
            ("b", Export, Complete),
            ("a", Export, Complete),
            ("a", Export, Failed),
            ("a", Export, Partial),
        ]);
        let reasons = keep(1).reasons_to_keep(&runs.candidates());
        assert_eq!(reasons, [Some(Recent), None, None, Some(Recent)]);
        let both = PruneRules { keep_last: Some(1), ..older_than(3) };
        let reasons = both.reasons_to_keep(&runs.candidates());
        assert_eq!(reasons, [Some(Recent), None, Some(Recent), Some(Recent)]);
    }

    #[test]
    fn what_could_be_continued_stays_unless_all_go() {
        let states = [Interrupted, Paused, Planned, Declined, Refused, Failed, RunState::Running];
        let runs = Runs::new(&states.map(|state| ("a", Export, state)));
        let open = Some(Unfinished);
        let reasons = keep(0).reasons_to_keep(&runs.candidates());
        assert_eq!(reasons, [open, open, open, None, None, None, open]);
        let mut candidates = runs.candidates();
        candidates[0].running = true;
        candidates[1].state = None;
        let all = PruneRules { all: true, ..keep(0) };
        let reasons = all.reasons_to_keep(&candidates);
        assert_eq!(reasons, [Some(Running), None, None, None, None, None, None]);
    }

    #[test]
    fn an_import_goes_only_by_age_and_an_undo_only_with_its_import() {
        let runs = Runs::new(&[
            ("a", Import, Complete),
            ("a", Undo, Complete),
            ("a", Import, Complete),
            ("a", Import, Declined),
        ]);
        let mut candidates = runs.candidates();
        candidates[1].takes_back = Some(&runs.0[0].0);
        let age = Some(NeedsAge);
        assert_eq!(keep(0).reasons_to_keep(&candidates), [age, age, age, None]);
        let recent = Some(Recent);
        assert_eq!(older_than(3).reasons_to_keep(&candidates), [None, None, recent, recent]);
        candidates[0].in_doubt = true;
        let reasons = older_than(9).reasons_to_keep(&candidates);
        assert_eq!(reasons, [Some(InDoubt), Some(UndoOfKept), None, None]);
    }

    #[test]
    fn an_unreadable_run_may_be_an_import() {
        let runs = Runs::new(&[("a", Import, Complete)]);
        let unknown = PruneCandidate {
            location: None,
            kind: None,
            state: None,
            ..runs.candidates().swap_remove(0)
        };
        let all = PruneRules { all: true, ..keep(0) };
        let one = std::slice::from_ref(&unknown);
        assert_eq!(keep(0).reasons_to_keep(one), [Some(Unfinished)]);
        assert_eq!(all.reasons_to_keep(one), [Some(NeedsAge)]);
        assert_eq!(PruneRules { all: true, ..older_than(2) }.reasons_to_keep(one), [None]);
        let ageless = PruneCandidate { created: None, ..unknown };
        let rules = PruneRules { all: true, ..older_than(2) };
        assert_eq!(rules.reasons_to_keep(&[ageless]), [Some(Recent)]);
    }
}
