//! `ghl-bulk sync`.

mod hints;
pub(super) mod note_lines;
pub(super) mod repeat;
pub(super) mod sync_lines;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::api::QuotaReserve;
use crate::cli::account::{
    ClientPurpose, LocationAccount, LocationAccounts, MultiLocationArgs, RunAccountRef,
};
use crate::cli::args::time_arg;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::service::ServiceManager;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::event::CancelSignal;
use crate::run::{Run, RunStore};
use crate::sync::{self, NotesMaxAge, SyncReport, SyncRequest};

use repeat::{PassingFailures, RepeatedSync};

/// Keep a local copy of a location up to date
///
/// The first sync reads everything, with tasks and notes. Later ones read what was updated since: one request when
/// nothing has changed, because the search counts all contacts and so proves that none was deleted. A contact counts as
/// deleted only when its own endpoint says so. What does not show in the contacts, such as an edit of an old note, is
/// found when everything is read again. `ghl-bulk export --incremental` writes the copy into files.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk sync --sandbox              try it on made-up data, no account needed
  ghl-bulk sync                        read what has changed
  ghl-bulk sync --walk-every 7d        read everything once a week only
  ghl-bulk sync --full                 read everything now
  ghl-bulk sync --every 5m --max-requests 5%    stay up to date, with a twentieth of the daily quota

The copy is in `mirrors/LOCATION` in the directory of runs (`GHL_BULK_HOME`). It holds customer data.")]
pub(crate) struct SyncArgs {
    /// Sync again and again, this long apart, until stopped; at least `30s`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    pub(crate) every: Option<Duration>,

    #[command(flatten)]
    pub(crate) how: SyncOptionArgs,
}

/// How a sync reads.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SyncOptionArgs {
    /// How often everything is read, also what has not changed: a duration such as `24h`
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_long_duration)]
    pub(crate) walk_every: Duration,

    /// Read everything now
    #[arg(long)]
    pub(crate) full: bool,

    /// How far before the last sync updates are read again, because the search lags behind
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = parse_long_duration, hide_short_help = true)]
    pub(crate) overlap: Duration,

    /// How often all tasks are read, also those of contacts that have not changed; by default whenever everything is
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration, hide_short_help = true)]
    pub(crate) tasks_every: Option<Duration>,

    /// How old a reading of a contact's notes may be where each takes a request: a duration such as `7d`; `auto` (7 days,
    /// or longer where that takes more than a quarter of the day's requests); or `off`
    #[arg(long, value_name = "AGE", default_value = "auto", value_parser = parse_notes_max_age)]
    pub(crate) notes_max_age: NotesMaxAge,

    /// How often the newest notes are searched for, where the location's search of notes is proven
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = parse_long_duration, hide_short_help = true)]
    pub(crate) notes_every: Duration,

    /// Requests that all syncs of the location may send in a day (UTC): a number, or a share of the daily quota such as
    /// `5%`
    #[arg(long, value_name = "N|N%")]
    pub(crate) max_requests: Option<QuotaReserve>,

    /// Read these contacts first, with their tasks and notes: a file with one id a line, or `-`
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) hint: Option<PathBuf>,

    /// Believe it if most or all contacts of the account were deleted
    #[arg(long, hide_short_help = true)]
    pub(crate) accept_empty: bool,
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
            notes_max_age: NotesMaxAge::Auto,
            notes_every: Duration::from_mins(1),
            tasks_every: None,
        }
    }
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
fn parse_long_duration(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    let days = days.and_then(|days| days.checked_mul(24)).filter(|hours| *hours < 1_000_000);
    days.map_or_else(|| time_arg::parse_duration(text), |hours| Ok(Duration::from_hours(hours)))
}

impl SyncOptionArgs {
    /// Forgets what is only for the first of many syncs.
    pub(super) fn forget_first(&mut self) {
        (self.full, self.accept_empty, self.hint) = (false, false, None);
    }

    fn build_request(
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
            hints: hints.unwrap_or_default(),
            notes_max_age: self.notes_max_age,
            notes_every_s: self.notes_every.as_secs(),
            tasks_every_s: self.tasks_every.map(|every| every.as_secs()),
        })
    }
}

/// Runs the command.
pub(crate) fn run(args: &SyncArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let accounts = LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?;
    if let Some(every) = args.every {
        return run_always(args, every, &accounts, settings);
    }
    let screen = CliReporter::new(settings.output_style);
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let context =
            build_context(&accounts.all[0], accounts, settings, screen, settings.sandbox, &stop)?;
        let report = sync_account(&args.how, &context, accounts, settings, &stop).await?;
        screen.finish();
        Ok(report_sync(&report, settings, screen))
    })
}

/// Runs `sync --every`: until it is stopped, which is no failure, or a person must do something.
fn run_always(
    args: &SyncArgs,
    every: Duration,
    accounts: &LocationAccounts,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let every = repeat::check_interval(every, &accounts.url, settings.sandbox)?;
    let screen = &CliReporter::new(repeat::calm_style(settings.output_style));
    signals::block_on(settings.deadline, screen, |stop| async move {
        let account = &accounts.all[0];
        let context = build_context(account, accounts, settings, screen, settings.sandbox, &stop)?;
        let (manager, mut failures) = (ServiceManager::from_env(), PassingFailures::default());
        let _alive = manager.start_watchdog();
        manager.notify_ready();
        let (mut how, context, stop) = (args.how.clone(), &context, &stop);
        while !stop.is_cancelled() {
            let next = tokio::time::Instant::now() + every;
            let sync = RepeatedSync { how: &how, context, accounts, settings, screen, stop };
            match sync.sync_after_others().await {
                Ok(report) => {
                    failures.clear();
                    for line in sync_lines::change_lines(&report) {
                        screen.print_note(&line);
                    }
                    how.forget_first();
                }
                Err(_) if stop.is_cancelled() => {}
                Err(error) => failures.report(error, &context.observer)?,
            }
            let left = next.saturating_duration_since(tokio::time::Instant::now());
            repeat::sleep_unless_stopped(left, stop).await;
        }
        manager.notify_stopping();
        screen.finish();
        Ok(report_stopped(settings, screen))
    })
}

/// Reports the end of a command that goes on until it is stopped.
fn report_stopped(settings: &Settings, screen: &CliReporter) -> CliExitCode {
    if settings.json {
        screen.emit_event(&json!({
            "event": "summary", "exit_code": CliExitCode::Done as u8, "outcome": "complete", "kind": "sync",
        }));
    }
    CliExitCode::Done
}

/// Syncs the only location of a command.
pub(super) async fn sync_account(
    how: &SyncOptionArgs,
    context: &EngineContext,
    accounts: &LocationAccounts,
    settings: &Settings,
    stop: &CancelSignal,
) -> Result<SyncReport, CliError> {
    let request = how.build_request(&accounts.all[0], &accounts.url, settings.sandbox)?;
    let ended = sync::sync_location(context, request).await;
    ended.map_err(|halted| CliError::from_sync_halt(halted, stop))
}

/// What a sync of an account works with.
pub(super) fn build_context(
    account: &LocationAccount,
    accounts: &LocationAccounts,
    settings: &Settings,
    screen: &CliReporter,
    sandbox: bool,
    stop: &CancelSignal,
) -> Result<EngineContext, CliError> {
    let (observer, own_stop) = (screen.location_observer(None), stop.child_signal());
    let purpose = ClientPurpose::Run("sync");
    let client = account.build_client(&accounts.url, settings, purpose, &own_stop, &observer)?;
    Ok(EngineContext {
        client,
        home: dirs::runs_home()?,
        stop: own_stop,
        observer,
        concurrency: settings.concurrency,
        settle: dirs::read_settle_time(sandbox)?,
    })
}

/// Finishes a sync that was interrupted.
pub(super) fn resume(
    run: Run,
    home: RunStore,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let request = sync::stored_request(&run)?;
    let location = run.meta.location.clone();
    let of_run = RunAccountRef {
        location: &location,
        url: &request.url,
        variable: request.token_variable.as_deref(),
        profile: request.profile.as_deref(),
        sandbox: request.sandbox,
    };
    let accounts = LocationAccounts::resolve_for_run(settings, &of_run)?;
    drop(home);
    let accounts = &accounts;
    signals::block_on(settings.deadline, screen, |stop| async move {
        let account = &accounts.all[0];
        let context = build_context(account, accounts, settings, screen, request.sandbox, &stop)?;
        let ended = sync::resume(&context, run).await;
        let report = ended.map_err(|halted| CliError::from_sync_halt(halted, &stop))?;
        screen.finish();
        Ok(report_sync(&report, settings, screen))
    })
}

/// Reports how a sync ended.
fn report_sync(report: &SyncReport, settings: &Settings, screen: &CliReporter) -> CliExitCode {
    let code = if report.is_complete() { CliExitCode::Done } else { CliExitCode::Partial };
    if settings.json {
        let outcome = if code == CliExitCode::Done { "complete" } else { "partial" };
        let mut line = Map::new();
        let head = json!({
            "event": "summary", "exit_code": code as u8, "outcome": outcome, "kind": "sync",
        });
        for part in [head, json!(report)] {
            if let Value::Object(part) = part {
                line.extend(part);
            }
        }
        screen.emit_event(&line);
        return code;
    }
    for line in sync_lines::report_lines(report) {
        screen.print_note(&line);
    }
    code
}
