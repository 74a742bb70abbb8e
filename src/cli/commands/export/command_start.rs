//! When a command for several locations began, which its runs keep: so `--continue` knows which locations the command that
//! did not finish has exported.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::cli::account::LocationAccount;
use crate::cli::commands::continue_run::EarlierRuns;
use crate::export::ExportRequest;
use crate::id::{LocationId, RunId};
use crate::run::{RunMetadata, RunState};

/// A command that began earlier than this is not gone on with: what it has finished is then too old. A nightly command
/// with `--continue` must not leave out locations that it exported the night before.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(12);

/// The beginning of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandStart {
    at: Timestamp,
    /// Whether it is that of an earlier command, which this one goes on with.
    is_continued: bool,
}

/// The finished export of a location by the command that this one goes on with.
#[derive(Debug)]
pub(crate) struct EarlierExport {
    /// Its run.
    pub(crate) run: RunId,
    /// Whether some records could not be read.
    pub(crate) is_partial: bool,
}

impl CommandStart {
    /// The beginning of a command that goes on with the latest one, if `continues` says so and that one has not exported all
    /// of these locations.
    pub(super) fn choose(
        continues: bool,
        earlier: &EarlierRuns,
        accounts: &[LocationAccount],
    ) -> Self {
        let now = Timestamp::now();
        let unfinished =
            if continues { find_unfinished_command(now, earlier, accounts) } else { None };
        Self { at: unfinished.unwrap_or(now), is_continued: unfinished.is_some() }
    }

    /// The beginning, for the runs of the command.
    pub(super) fn at(self) -> Timestamp {
        self.at
    }

    /// The export of a location that is finished already, if its files are there.
    pub(super) fn find_finished(
        self,
        location: &LocationId,
        request: &ExportRequest,
        earlier: &EarlierRuns,
    ) -> Option<EarlierExport> {
        if !self.is_continued || !request.out.join("manifest.json").exists() {
            return None;
        }
        let is_of_command = |meta: &RunMetadata| {
            ExportRequest::command_started_of(&meta.options) == Some(self.at)
                && request.is_same(&meta.options)
        };
        let run = earlier.find_finished(location, is_of_command)?;
        let is_partial = matches!(run.known, Ok((_, RunState::Partial)));
        Some(EarlierExport { run: run.id.clone(), is_partial })
    }
}

/// When the latest command with any of these locations began, if that is not long ago and it has not exported all of them.
fn find_unfinished_command(
    now: Timestamp,
    earlier: &EarlierRuns,
    accounts: &[LocationAccount],
) -> Option<Timestamp> {
    let locations: HashSet<&LocationId> = accounts.iter().map(|it| &it.location).collect();
    let of_commands = || {
        let runs = earlier.all_runs().filter(|(meta, _)| locations.contains(&meta.location));
        runs.filter_map(|(meta, state)| {
            Some((ExportRequest::command_started_of(&meta.options)?, meta, state))
        })
    };
    let latest = of_commands().map(|(began, ..)| began).max()?;
    let finished: HashSet<&LocationId> = of_commands()
        .filter(|(began, _, state)| *began == latest && state.is_finished())
        .map(|(_, meta, _)| &meta.location)
        .collect();
    let is_recent = now.duration_since(latest) < MAX_AGE;
    (is_recent && finished.len() < locations.len()).then_some(latest)
}
