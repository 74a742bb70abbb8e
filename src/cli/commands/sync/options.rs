//! How a sync reads: what `sync` and `watch` have in common.

use std::path::PathBuf;
use std::time::Duration;

use super::hints;
use crate::api::QuotaReserve;
use crate::cli::account::LocationAccount;
use crate::cli::args::time_arg;
use crate::cli::output::error::CliError;
use crate::mirror::{KeepTime, RequestedRetention};
use crate::sync::{ExtraTables, NotesMaxAge, SyncRequest};

/// How a sync reads.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SyncOptionArgs {
    /// How often everything is read, also what has not changed: a duration such as `24h`
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_long_duration)]
    pub(super) walk_every: Duration,

    /// Read everything now
    #[arg(long)]
    pub(super) full: bool,

    /// How far before the last sync updates are read again, because the search lags behind
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_long_duration, hide_short_help = true)]
    pub(super) overlap: Duration,

    /// How often all tasks are read, also those of contacts that have not changed; by default whenever everything is
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration, hide_short_help = true)]
    pub(super) tasks_every: Option<Duration>,

    /// How old a reading of a contact's notes may be where each takes a request: a duration such as `7d`; `auto` (7 days,
    /// or longer where that takes more than a quarter of the day's requests); or `off`
    #[arg(long, value_name = "AGE", default_value = "auto", value_parser = parse_notes_max_age)]
    pub(super) notes_max_age: NotesMaxAge,

    /// How often the newest notes are searched for, where the location's search of notes is proven
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_long_duration, hide_short_help = true)]
    pub(super) notes_every: Duration,

    /// Requests that all syncs of the location may send in a day (UTC): a number, or a share of the daily quota such as
    /// `5%`
    #[arg(long, value_name = "N|N%")]
    pub(super) max_requests: Option<QuotaReserve>,

    /// Read these contacts first, with their tasks and notes: a file with one id a line, or `-`
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(super) hint: Option<PathBuf>,

    /// How long what deleted records said is kept in the copy, such as `30d`, or `forever` [default: 90d, or what was last
    /// said for the copy]
    #[arg(long, value_name = "DURATION", value_parser = parse_keep_time, hide_short_help = true)]
    pub(super) deleted_keep: Option<KeepTime>,

    /// How long what records said before they changed is kept in the copy, or `forever` [default: 365d, or what was last
    /// said for the copy]
    #[arg(long, value_name = "DURATION", value_parser = parse_keep_time, hide_short_help = true)]
    pub(super) history_keep: Option<KeepTime>,

    /// Which tables are kept up to date in addition to the usual ones.
    #[arg(skip)]
    pub(super) with: ExtraTables,

    /// Believe it if most or all contacts of the account were deleted
    #[arg(long, hide_short_help = true)]
    pub(super) accept_empty: bool,
}

/// As the command line has them when none is given.
impl Default for SyncOptionArgs {
    fn default() -> Self {
        Self {
            walk_every: Duration::from_hours(24),
            full: false,
            overlap: Duration::from_mins(15),
            accept_empty: false,
            max_requests: None,
            hint: None,
            with: ExtraTables::default(),
            deleted_keep: None,
            history_keep: None,
            notes_max_age: NotesMaxAge::Auto,
            notes_every: Duration::from_mins(1),
            tasks_every: None,
        }
    }
}

/// How long something is kept: a duration that may be given in days, or `forever`.
pub(in crate::cli::commands) fn parse_keep_time(text: &str) -> Result<KeepTime, String> {
    if text == "forever" {
        return Ok(KeepTime::Forever);
    }
    let duration = parse_long_duration(text).map(KeepTime::from);
    duration.map_err(|_| "neither a duration such as `90d` nor `forever`".to_owned())
}

fn parse_notes_max_age(text: &str) -> Result<NotesMaxAge, String> {
    match text {
        "auto" => Ok(NotesMaxAge::Auto),
        "off" => Ok(NotesMaxAge::Off),
        text => match parse_long_duration(text)?.as_secs() {
            0 => Err("it must be at least a second; `sync --full` reads all notes now".to_owned()),
            seconds => Ok(NotesMaxAge::Within(seconds)),
        },
    }
}

/// A duration that may be given in days.
pub(in crate::cli::commands) fn parse_long_duration(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    let days = days.and_then(|days| days.checked_mul(24)).filter(|hours| *hours < 1_000_000);
    days.map_or_else(|| time_arg::parse_duration(text), |hours| Ok(Duration::from_hours(hours)))
}

impl SyncOptionArgs {
    /// As the command line has them when only this is given.
    pub(in crate::cli::commands) fn of_export(
        retention: RequestedRetention,
        with: ExtraTables,
    ) -> Self {
        let RequestedRetention { deleted, history } = retention;
        Self { deleted_keep: deleted, history_keep: history, with, ..Self::default() }
    }

    /// The same for a backup, which reads everything each time: only that finds what moves no date.
    pub(in crate::cli::commands) fn for_backup(self, with: ExtraTables) -> Self {
        Self { walk_every: Duration::ZERO, full: false, with, ..self }
    }

    /// Whether `--full` was given.
    pub(in crate::cli::commands) fn asks_for_everything(&self) -> bool {
        self.full
    }

    /// Forgets what is only for the first of many syncs.
    pub(in crate::cli::commands) fn forget_first(&mut self) {
        (self.full, self.accept_empty, self.hint) = (false, false, None);
    }

    /// Refuses what is about one location where several are meant.
    pub(in crate::cli::commands) fn check_for_locations(&self, many: bool) -> Result<(), CliError> {
        let given = [("--hint", self.hint.is_some()), ("--accept-empty", self.accept_empty)];
        match given.into_iter().find(|(_, is_given)| many && *is_given) {
            Some((flag, _)) => Err(CliError::usage(format!(
                "`{flag}` is about one location, and several are given"
            ))
            .with_hint("sync the location by itself: `--location ID`")),
            None => Ok(()),
        }
    }

    pub(super) fn build_request(
        &self,
        account: &LocationAccount,
        url: &str,
        sandbox: bool,
    ) -> Result<SyncRequest, CliError> {
        let hints = self.hint.as_deref().map(hints::read_hints).transpose()?;
        Ok(SyncRequest {
            url: url.to_owned(),
            token_variable: account.variable.clone(),
            profile: account.profile.clone(),
            sandbox,
            full: self.full,
            walk_every_s: self.walk_every.as_secs(),
            overlap_s: self.overlap.as_secs(),
            accept_empty: self.accept_empty,
            max_requests: self.max_requests,
            with: self.with,
            retention: RequestedRetention {
                deleted: self.deleted_keep,
                history: self.history_keep,
            },
            hints: hints.unwrap_or_default(),
            notes_max_age: self.notes_max_age,
            notes_every_s: self.notes_every.as_secs(),
            tasks_every_s: self.tasks_every.map(|every| every.as_secs()),
        })
    }
}
