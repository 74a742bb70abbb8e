//! `ghl-bulk backup`: sync, then one snapshot.

use std::num::NonZeroUsize;
use std::time::Duration;

use serde_json::{Value, json};

use super::open_repository::RepositoryRef;
use super::snapshot_lines;
use crate::backup::{self, AlertLimits, SnapshotReport, SnapshotRequest};
use crate::cli::account::{LocationAccount, LocationAccounts, MultiLocationArgs};
use crate::cli::args::alert_arg::{AlertArg, AlertKind, parse_alert};
use crate::cli::args::at_once_arg::parse_at_once;
use crate::cli::args::time_arg::parse_duration;
use crate::cli::args::with_table_arg::WithTableArg;
use crate::cli::commands::several_locations::{
    LocationReport, LocationResult, WorkPlan, report_fields, report_locations,
    report_only_location, work_on_locations,
};
use crate::cli::commands::sync::repeat::sleep_unless_stopped;
use crate::cli::commands::sync::{SyncOptionArgs, SyncTarget, order_by_mirror_size};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::{AlertEvent, CancelSignal, RunEvent, RunPhase, SnapshotEvent};
use crate::repository::Repository;
use crate::sync::{ExtraTables, SyncReport};

/// How long to wait for another process before the next attempt.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// How a snapshot is made.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("full", |arg| arg.help("Write a full snapshot, and not only what has changed")),
    mut_arg("walk_every", |arg| arg.hide(true))
)]
pub(super) struct MakeArgs {
    /// The repository: a directory, or a name from `[repositories.NAME]` in config.toml [default: `GHL_BULK_REPOSITORY`,
    /// `default_repository`, or the only one that is named]
    #[arg(long, value_name = "REPO")]
    to: Option<String>,

    /// Encrypt for this age recipient (`age1…`) instead of those of the repository; repeat for more
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,

    /// How long to wait for another process that syncs the location or writes its snapshots
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    lock_wait: Duration,

    /// What is backed up in addition to contacts, tasks, notes and the location's lists: `appointments`, `businesses`
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        hide_possible_values = true
    )]
    with: Vec<WithTableArg>,

    /// How much counts as unusual, as `WHAT=N%`: `deleted` records (5%), `changed` contacts (20%), contacts that have lost a
    /// field (`field-emptied`, 20%). A snapshot with an alert holds the one before it
    #[arg(long, value_name = "WHAT=N%", value_parser = parse_alert, hide_short_help = true)]
    alert: Vec<AlertArg>,

    #[command(flatten)]
    how: SyncOptionArgs,

    /// How many locations are backed up at a time
    #[arg(long, value_name = "N", default_value = "64", value_parser = parse_at_once, hide_short_help = true)]
    at_once: NonZeroUsize,

    #[command(flatten)]
    several: MultiLocationArgs,
}

impl MakeArgs {
    fn alert_limits(&self) -> AlertLimits {
        let mut limits = AlertLimits::default();
        for AlertArg { what, limit } in &self.alert {
            match what {
                AlertKind::Deleted => limits.deleted = *limit,
                AlertKind::Changed => limits.changed = *limit,
                AlertKind::FieldEmptied => limits.field_emptied = *limit,
            }
        }
        limits
    }
}

/// Runs the command.
pub(super) fn run(args: &MakeArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.to.as_deref(), settings)?;
    // What is wrong with the repository costs no request.
    let repository = &place.open()?;
    let recipients = &place.recipients(&args.recipient, repository)?;
    let accounts = &LocationAccounts::resolve_selected(settings, &args.several)?;
    let many = args.several.selects_many() || accounts.all.len() > 1;
    args.how.check_for_locations(many)?;
    let screen = &CliReporter::new(settings.output_style);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let stop = &stop;
        let command =
            MakeCommand { args, settings, accounts, repository, recipients, many, screen, stop };
        let order = order_by_mirror_size(&accounts.all, settings)?;
        let one = |account| command.back_up_location(account);
        let (accounts, at_once) = (&accounts.all, args.at_once);
        let plan = WorkPlan { accounts, order, at_once, stop, screen };
        let mut ended = Box::pin(work_on_locations(plan, one)).await;
        screen.finish();
        if many {
            let kind = json!({ "kind": "backup" });
            return Ok(report_locations(&ended, "backed up", kind, settings, screen));
        }
        let (_, report) = ended.pop().expect("one account was asked for");
        Ok(report_only_location(&report?, snapshot_lines::report_lines, settings, screen))
    })
}

/// The command, with what it needs for each location.
struct MakeCommand<'a> {
    args: &'a MakeArgs,
    settings: &'a Settings,
    accounts: &'a LocationAccounts,
    repository: &'a Repository,
    recipients: &'a [String],
    many: bool,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
}

impl MakeCommand<'_> {
    async fn back_up_location(&self, account: &LocationAccount) -> LocationResult<SnapshotReport> {
        (account.location.clone(), Box::pin(self.sync_and_write(account)).await)
    }

    async fn sync_and_write(&self, account: &LocationAccount) -> Result<SnapshotReport, CliError> {
        let observer =
            self.screen.location_observer(self.many.then(|| account.location.to_string()));
        let target = SyncTarget::new(account, self.accounts, self.settings);
        let context = target.build_context(observer, self.stop)?;
        let how = self.sync_options();
        let until = tokio::time::Instant::now() + self.args.lock_wait;
        let mut is_said = false;
        let synced = loop {
            match target.sync(&how, &context, self.stop).await {
                Err(error) if self.may_wait(&error, until) => {
                    self.wait_for_lock(&error, &mut is_said).await;
                }
                synced => break synced?,
            }
        };
        context.start_phase(RunPhase::Snapshot);
        let request = self.snapshot_request(account, &synced);
        loop {
            match self.write_snapshot(&context, request.clone()).await {
                Err(error) if self.may_wait(&error, until) => {
                    self.wait_for_lock(&error, &mut is_said).await;
                }
                written => {
                    let report = written?;
                    announce_snapshot(&context, &report);
                    return Ok(report);
                }
            }
        }
    }

    /// Everything is read each time: only that finds what moves no date.
    fn sync_options(&self) -> SyncOptionArgs {
        let with = ExtraTables {
            appointments: self.args.with.contains(&WithTableArg::Appointments),
            businesses: self.args.with.contains(&WithTableArg::Businesses),
        };
        self.args.how.clone().for_backup(with)
    }

    fn snapshot_request(&self, account: &LocationAccount, synced: &SyncReport) -> SnapshotRequest {
        SnapshotRequest {
            location: account.location.clone(),
            sandbox: self.settings.sandbox,
            full: self.args.how.asks_for_everything(),
            recipients: self.recipients.to_vec(),
            requests: synced.requests.clone(),
            is_complete: synced.is_complete(),
            alerts: self.args.alert_limits(),
        }
    }

    async fn write_snapshot(
        &self,
        context: &EngineContext,
        request: SnapshotRequest,
    ) -> Result<SnapshotReport, CliError> {
        let (home, repository) = (context.home.clone(), self.repository.clone());
        let observer = context.observer.clone();
        let written = concurrency::run_blocking(move || {
            backup::write_snapshot(&home, &repository, &request, &observer)
        });
        Ok(written.await?)
    }

    fn may_wait(&self, error: &CliError, until: tokio::time::Instant) -> bool {
        error.code == CliExitCode::Locked
            && !self.stop.is_cancelled()
            && tokio::time::Instant::now() < until
    }

    async fn wait_for_lock(&self, error: &CliError, is_said: &mut bool) {
        if !std::mem::replace(is_said, true) {
            self.screen.print_note(&format!("{}; waiting for it", error.message));
        }
        sleep_unless_stopped(LOCK_PAUSE, self.stop).await;
    }
}

/// Says that a snapshot stands, and what is unusual about it.
fn announce_snapshot(context: &EngineContext, report: &SnapshotReport) {
    context.observer.observe(&RunEvent::Snapshot(SnapshotEvent {
        id: report.snapshot.to_string(),
        kind: report.kind.name(),
        bytes: report.bytes,
        chain: report.chain as u64,
    }));
    for alert in &report.alerts {
        context.observer.observe(&RunEvent::Alert(AlertEvent {
            code: alert.code.clone(),
            message: alert.message.clone(),
            count: alert.count,
            of: alert.of,
        }));
    }
}

impl LocationReport for SnapshotReport {
    fn exit_code(&self) -> CliExitCode {
        if self.is_complete { CliExitCode::Done } else { CliExitCode::Partial }
    }

    fn to_json(&self) -> Value {
        report_fields(self.exit_code(), "backup", self)
    }

    fn summary_line(&self) -> Option<String> {
        Some(snapshot_lines::snapshot_line(self))
    }
}
