//! `ghl-bulk sync`.

mod sync_lines;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::account::{
    ClientPurpose, LocationAccount, LocationAccounts, MultiLocationArgs, RunAccountRef,
};
use crate::cli::args::time_arg;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::event::CancelSignal;
use crate::run::{Run, RunStore};
use crate::sync::{self, SyncReport, SyncRequest};

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

The copy is in `mirrors/LOCATION` in the directory of runs (`GHL_BULK_HOME`). It holds customer data.")]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    pub(crate) how: SyncOptionArgs,
}

/// How a sync reads.
#[derive(Debug, clap::Args)]
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
        }
    }
}

/// A duration that may be given in days.
fn parse_long_duration(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    let days = days.and_then(|days| days.checked_mul(24)).filter(|hours| *hours < 1_000_000);
    days.map_or_else(|| time_arg::parse_duration(text), |hours| Ok(Duration::from_hours(hours)))
}

impl SyncOptionArgs {
    fn build_request(&self, account: &LocationAccount, url: &str, sandbox: bool) -> SyncRequest {
        SyncRequest {
            url: url.to_owned(),
            token_variable: account.variable.clone(),
            profile: account.profile.clone(),
            sandbox,
            full: self.full,
            walk_every_s: self.walk_every.as_secs(),
            overlap_s: self.overlap.as_secs(),
            accept_empty: self.accept_empty,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &SyncArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let accounts = LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?;
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

/// Syncs the only location of a command.
pub(super) async fn sync_account(
    how: &SyncOptionArgs,
    context: &EngineContext,
    accounts: &LocationAccounts,
    settings: &Settings,
    stop: &CancelSignal,
) -> Result<SyncReport, CliError> {
    let request = how.build_request(&accounts.all[0], &accounts.url, settings.sandbox);
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
    let code = if report.is_complete { CliExitCode::Done } else { CliExitCode::Partial };
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
