//! `ghl-bulk sync`.

mod every;
mod hints;
pub(super) mod note_lines;
mod options;
pub(super) mod repeat;
pub(super) mod sync_lines;
mod target;

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::account::{LocationAccount, LocationAccounts, MultiLocationArgs, RunAccountRef};
use crate::cli::args::at_once_arg::parse_at_once;
use crate::cli::args::with_table_arg::WithTableArg;
use crate::cli::commands::several_locations::{
    LocationReport, LocationResult, WorkPlan, report_fields, report_locations,
    report_only_location, work_on_locations,
};
use crate::cli::config::dirs;
use crate::cli::machine_limits;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::event::{CancelSignal, SharedObserver};
use crate::id::LocationId;
use crate::mirror;
use crate::run::{Run, RunStore};
use crate::sync::{self, ExtraTables, SyncReport};

pub(super) use options::{SyncOptionArgs, parse_keep_time, parse_long_duration};
pub(super) use target::SyncTarget;

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
  ghl-bulk sync --locations clients.csv         many locations, each with a copy of its own

The copy is in `mirrors/LOCATION` in the directory of runs (`GHL_BULK_HOME`). It holds customer data.")]
pub(crate) struct SyncArgs {
    /// Sync again and again, this long apart, until stopped; at least `30s`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    pub(crate) every: Option<Duration>,

    /// What is kept up to date in addition to contacts, tasks and notes, which always are: `appointments`, `businesses`.
    /// They are read once a day, and whenever everything is read; appointments take a request for each calendar
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    with: Vec<WithTableArg>,

    #[command(flatten)]
    pub(crate) how: SyncOptionArgs,

    /// How many locations are synced at a time, as far as the system has open files for; each has its own rate limit
    #[arg(long, value_name = "N", default_value = "64", value_parser = parse_at_once, hide_short_help = true)]
    at_once: NonZeroUsize,

    #[command(flatten)]
    several: MultiLocationArgs,
}

impl SyncArgs {
    /// How a sync reads.
    fn options(&self) -> SyncOptionArgs {
        let with = ExtraTables {
            appointments: self.with.contains(&WithTableArg::Appointments),
            businesses: self.with.contains(&WithTableArg::Businesses),
        };
        SyncOptionArgs { with, ..self.how.clone() }
    }
}

/// Runs the command.
pub(crate) fn run(args: &SyncArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let accounts = &LocationAccounts::resolve_selected(settings, &args.several)?;
    let many = args.several.selects_many() || accounts.all.len() > 1;
    args.how.check_for_locations(many)?;
    let every = args.every.map(|every| {
        let every = repeat::check_interval(every, &accounts.url, settings.sandbox);
        every.map(|every| (every, repeat::calm_style(settings.output_style)))
    });
    let every = every.transpose()?;
    let screen = &CliReporter::new(every.map_or(settings.output_style, |(_, style)| style));
    signals::block_on(settings.deadline, screen, |stop| async move {
        let command = SyncCommand { args, settings, accounts, many, screen, stop: &stop };
        match every {
            Some((every, _)) => Box::pin(command.run_always(every)).await,
            None => command.run_once().await,
        }
    })
}

/// The command, with what it needs for each location.
struct SyncCommand<'a> {
    args: &'a SyncArgs,
    settings: &'a Settings,
    accounts: &'a LocationAccounts,
    many: bool,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
}

impl SyncCommand<'_> {
    async fn run_once(&self) -> Result<CliExitCode, CliError> {
        let (accounts, at_once) = (&self.accounts.all, self.args.at_once);
        let order = order_by_mirror_size(accounts, self.settings)?;
        let one = |account| self.sync_location(account);
        let plan = WorkPlan { accounts, order, at_once, stop: self.stop, screen: self.screen };
        let mut ended = Box::pin(work_on_locations(plan, one)).await;
        self.screen.finish();
        let (settings, screen) = (self.settings, self.screen);
        if self.many {
            let kind = json!({ "kind": "sync" });
            return Ok(report_locations(&ended, "synced", kind, settings, screen));
        }
        let (_, report) = ended.pop().expect("one account was asked for");
        Ok(report_only_location(&report?, sync_lines::report_lines, settings, screen))
    }

    async fn sync_location(&self, account: &LocationAccount) -> LocationResult<SyncReport> {
        let work = async {
            let target = self.target_of(account);
            let context = target.build_context(self.observer_of(account), self.stop)?;
            target.sync(&self.args.options(), &context, self.stop).await
        };
        (account.location.clone(), work.await)
    }

    fn target_of<'a>(&'a self, account: &'a LocationAccount) -> SyncTarget<'a> {
        SyncTarget::new(account, self.accounts, self.settings)
    }

    fn observer_of(&self, account: &LocationAccount) -> SharedObserver {
        self.screen.location_observer(self.many.then(|| account.location.to_string()))
    }

    /// A line about a location, which says so if there are several.
    fn label_line(&self, account: &LocationAccount, line: &str) -> String {
        if self.many { format!("{}: {line}", account.location) } else { line.to_owned() }
    }

    fn locations_at_once(&self) -> NonZeroUsize {
        machine_limits::limit_locations(self.args.at_once)
    }

    fn place_of(&self, location: &LocationId) -> Option<usize> {
        self.accounts.all.iter().position(|account| account.location == *location)
    }
}

/// The accounts, those first that are likely to take longest: those without a mirror, then by the size of their mirrors.
pub(super) fn order_by_mirror_size<'a>(
    accounts: &'a [LocationAccount],
    settings: &Settings,
) -> Result<Vec<&'a LocationAccount>, CliError> {
    let home = dirs::runs_home()?;
    let mut order: Vec<&LocationAccount> = accounts.iter().collect();
    order.sort_by_cached_key(|account| {
        let dir = home.mirror_dir(&account.location, settings.sandbox);
        let file = std::fs::metadata(mirror::database_path(&dir));
        std::cmp::Reverse(file.map_or(u64::MAX, |file| file.len()))
    });
    Ok(order)
}

impl LocationReport for SyncReport {
    fn exit_code(&self) -> CliExitCode {
        if self.is_complete() { CliExitCode::Done } else { CliExitCode::Partial }
    }

    fn to_json(&self) -> Value {
        report_fields(self.exit_code(), "sync", self)
    }

    fn summary_line(&self) -> Option<String> {
        Some(sync_lines::report_line(self))
    }
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
        let target = SyncTarget::new(&accounts.all[0], accounts, settings);
        let target = target.with_sandbox(request.sandbox);
        let context = target.build_context(screen.location_observer(None), &stop)?;
        let ended = sync::resume(&context, run).await;
        let report = ended.map_err(|halted| CliError::from_sync_halt(halted, &stop))?;
        screen.finish();
        Ok(report_only_location(&report, sync_lines::report_lines, settings, screen))
    })
}
