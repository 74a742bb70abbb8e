//! A command that is started again after an interruption: it can go on where it stopped.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::cli::config::dirs::shorten_run_id;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::settings::Settings;
use crate::event::CancelSignal;
use crate::id::{LocationId, RunId};
use crate::run::{RunKind, RunMetadata, RunState, RunStore, RunSummary};

/// How a command that was interrupted is started again.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ContinueArgs {
    /// Continue the latest run of the same command that was interrupted or paused, or start one
    #[arg(long = "continue")]
    continue_run: bool,
}

/// Whether a command begins a run or goes on with one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StartChoice {
    /// A new run.
    New,
    /// The run that was interrupted.
    Continue(RunId),
}

impl ContinueArgs {
    /// Whether to go on with what was interrupted.
    pub(crate) fn continues(self) -> bool {
        self.continue_run
    }

    /// Finds a run of the same command that was interrupted or paused, and decides whether to go on with it: as
    /// `--continue` says, else as the user answers, else not. `asks` is whether the command may ask.
    pub(crate) async fn choose_start(
        self,
        found: Option<&RunSummary>,
        asks: bool,
        settings: &Settings,
        stop: &CancelSignal,
        screen: &CliReporter,
    ) -> Result<StartChoice, CliError> {
        let Some(found) = found else { return Ok(StartChoice::New) };
        let run = found.id.clone();
        if self.continue_run {
            return Ok(StartChoice::Continue(run));
        }
        let short_id = shorten_run_id(&run);
        let kind = found.known.as_ref().map_or("command", |(meta, _)| meta.kind.name());
        let why = found.stop().ok().flatten().map(|stop| format!(" ({})", stop.reason));
        let why = why.unwrap_or_default();
        if !asks || settings.json || settings.quiet || !can_ask() {
            screen.print_note(&format!(
                "run {short_id} of the same {kind} was interrupted{why}; `--continue` goes on with it, and this \
                 command starts a new one"
            ));
            return Ok(StartChoice::New);
        }
        let question =
            format!("Run {short_id} of the same {kind} was interrupted{why}. Continue it? [Y/n] ");
        let question = crate::text::escape_for_terminal(&question).into_owned();
        match ask_question(&question, stop, screen).await {
            QuestionAnswer::Line(line)
                if matches!(line.to_lowercase().as_str(), "" | "y" | "yes") =>
            {
                Ok(StartChoice::Continue(run))
            }
            QuestionAnswer::Line(_) => Ok(StartChoice::New),
            QuestionAnswer::EndOfInput | QuestionAnswer::Cancelled => {
                Err(CliError::new(CliExitCode::Interrupted, "interrupted; nothing was begun"))
            }
        }
    }
}

/// The runs of a kind that began, the latest first. Read once for all locations: every run of the machine is opened
/// for it.
pub(crate) struct EarlierRuns {
    began: Vec<RunSummary>,
    /// Those that stopped before anything was read. They are not continued.
    failed: Vec<RunSummary>,
}

impl EarlierRuns {
    /// No runs, for a command that begins none.
    pub(crate) fn none() -> Self {
        Self { began: Vec::new(), failed: Vec::new() }
    }

    /// Reads the store of runs.
    pub(crate) fn load(home: &RunStore, kind: RunKind) -> Result<Self, CliError> {
        let mut earlier = Self::none();
        for run in home.list_runs()?.into_iter().rev().filter(|run| !run.running) {
            match run.known {
                Ok((ref meta, _)) if meta.kind != kind => {}
                Ok((_, RunState::Failed)) => earlier.failed.push(run),
                Ok((_, state)) if state.is_resumable() || state.is_finished() => {
                    earlier.began.push(run);
                }
                _ => {}
            }
        }
        Ok(earlier)
    }

    /// The latest run of a location that was asked for the same, if it did not finish. An interrupted run with a
    /// finished one after it is not continued: what it has read is older than what is there already.
    pub(crate) fn find_interrupted(
        &self,
        location: &LocationId,
        is_same: impl Fn(&RunMetadata) -> bool,
    ) -> Option<&RunSummary> {
        let (latest, state) = self.same_runs(location, is_same).next()?;
        (!state.is_finished()).then_some(latest)
    }

    /// The accounts of an export, those first whose last run takes most space on disk, and before them those that were
    /// never exported.
    pub(crate) fn largest_first<'a, A>(
        &self,
        accounts: &'a [A],
        location: impl Fn(&A) -> &LocationId,
    ) -> Vec<&'a A> {
        let mut sizes = HashMap::new();
        for run in &self.began {
            if let (Ok((meta, state)), true) = (&run.known, accounts.len() > 1)
                && state.is_finished()
            {
                sizes.entry(&meta.location).or_insert_with(|| run.size_on_disk());
            }
        }
        let mut sorted: Vec<&A> = accounts.iter().collect();
        let size = |account: &&A| sizes.get(location(account)).copied().unwrap_or(u64::MAX);
        sorted.sort_by_key(|account| Reverse(size(account)));
        sorted
    }

    /// The latest run of a location that was asked for the same and finished.
    pub(crate) fn find_finished(
        &self,
        location: &LocationId,
        is_same: impl Fn(&RunMetadata) -> bool,
    ) -> Option<&RunSummary> {
        let mut same = self.same_runs(location, is_same);
        same.find_map(|(run, state)| state.is_finished().then_some(run))
    }

    /// All of them with their states, also those that failed before they read anything.
    pub(crate) fn all_runs(&self) -> impl Iterator<Item = (&RunMetadata, RunState)> {
        self.began.iter().chain(&self.failed).filter_map(|run| {
            let (meta, state) = run.known.as_ref().ok()?;
            Some((meta, *state))
        })
    }

    /// The runs of a location that were asked for the same, with their states.
    fn same_runs(
        &self,
        location: &LocationId,
        is_same: impl Fn(&RunMetadata) -> bool,
    ) -> impl Iterator<Item = (&RunSummary, RunState)> {
        self.began.iter().filter_map(move |run| {
            let (meta, state) = run.known.as_ref().ok()?;
            (meta.location == *location && is_same(meta)).then_some((run, *state))
        })
    }
}
