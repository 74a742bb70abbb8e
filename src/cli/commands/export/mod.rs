//! `ghl-bulk export`.

mod args;
mod command_start;
pub(super) mod export_report;
pub(super) mod export_templates;
mod from_snapshot;
mod from_snapshot_args;
mod incremental;
mod incremental_args;
mod reading_hint;
pub(super) mod stdout_table;

use std::path::{Path, PathBuf};

use self::command_start::CommandStart;
use self::export_report::ExportOrEstimate;
use super::continue_run::{EarlierRuns, StartChoice};
use super::several_locations::{LocationResult, WorkPlan, work_on_locations};
use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts};
use crate::cli::config::dirs;
use crate::cli::machine_limits;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::event::CancelSignal;
use crate::export::{self, ExportRequest, KnownWarnings};
use crate::id::LocationId;
use crate::run::{RunKind, RunMetadata};

pub(crate) use args::{ExportArgs, OutputFormatArgs};

/// Runs the command.
pub(crate) fn run(args: &ExportArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    args.mask_rules()?;
    args.from_snapshot.check()?;
    if args.from_snapshot.from.is_some() {
        return from_snapshot::run(args, settings);
    }
    if args.incremental {
        return incremental::run(args, settings);
    }
    let (templates, tables) = args.templates_and_tables()?;
    args.resolve_contact_list()?;
    let accounts = LocationAccounts::resolve_selected(settings, &args.several)?;
    let many = args.several.selects_many() || accounts.all.len() > 1;
    let stdout = args.stdout_table()?;
    if stdout.is_some() && (many || settings.json || args.estimate) {
        return Err(CliError::usage(
            "`--out -` writes the table of one location to stdout, and nothing else",
        ));
    }
    if many {
        check_for_several(args)?;
    }
    let screen = CliReporter::new(settings.output_style);
    templates.report_missing(tables, &screen);
    let earlier = if args.estimate {
        EarlierRuns::none()
    } else {
        EarlierRuns::load(&dirs::runs_home()?, RunKind::Export)?
    };
    let (accounts, screen, stdout, earlier) = (&accounts, &screen, stdout.as_ref(), &earlier);
    let began = CommandStart::choose(args.start.continues(), earlier, &accounts.all);
    let out = stdout.map_or(args.out.as_path(), |stdout| stdout.dir.as_path());
    signals::block_on(settings.deadline, screen, |stop| async move {
        let job = ExportCommand {
            args,
            settings,
            accounts,
            earlier,
            began,
            out,
            many,
            screen,
            stop: &stop,
        };
        // The largest first: otherwise the last one to begin may be the one that takes longest.
        let order = earlier.largest_first(&accounts.all, |account| &account.location);
        let one = |account| job.export_location(account);
        let (accounts, at_once, stop) = (&accounts.all, args.at_once, &stop);
        let plan = WorkPlan { accounts, order, at_once, stop, screen };
        let ended = work_on_locations(plan, one).await;
        screen.finish();
        screen.report_known_warnings(&dirs::runs_home()?.short_ids());
        if let Some(stdout) = stdout
            && let Some((_, Ok(ExportOrEstimate::Report(report)))) = ended.first()
        {
            return stdout.finish(report, screen);
        }
        if args.estimate {
            return export_report::report_estimates(ended, settings, screen);
        }
        export_report::report_exports(ended, many, settings, screen)
    })
}

/// Refuses what is about one location.
fn check_for_several(args: &ExportArgs) -> Result<(), CliError> {
    if args.contacts.is_none() {
        return Ok(());
    }
    let hint = "a contact's id and address belong to one location; export from each by itself";
    Err(CliError::usage("`--contacts` is about one location, and several are given")
        .with_hint(hint))
}

/// The command, with what it needs for each location.
struct ExportCommand<'a> {
    args: &'a ExportArgs,
    settings: &'a Settings,
    accounts: &'a LocationAccounts,
    earlier: &'a EarlierRuns,
    began: CommandStart,
    out: &'a Path,
    many: bool,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
}

impl ExportCommand<'_> {
    /// Whether to go on with an interrupted run of the same export.
    async fn choose_start(
        &self,
        location: &LocationId,
        request: &ExportRequest,
    ) -> Result<StartChoice, CliError> {
        let is_same = |meta: &RunMetadata| request.is_same(&meta.options);
        let found = self.earlier.find_interrupted(location, is_same);
        let asks = !self.many;
        self.args.start.choose_start(found, asks, self.settings, self.stop, self.screen).await
    }

    async fn export_location(&self, account: &LocationAccount) -> LocationResult<ExportOrEstimate> {
        let Self { args, settings, accounts, out, many, screen, stop, .. } = *self;
        let out = location_out_dir(out, account, many);
        let work = async {
            let own_stop = stop.child_signal();
            let observer = screen.location_observer(many.then(|| account.location.to_string()));
            let purpose = if args.estimate {
                ClientPurpose::Interactive("export --estimate")
            } else {
                ClientPurpose::Run("export")
            };
            let client =
                account.build_client(&accounts.url, settings, purpose, &own_stop, &observer)?;
            let mut request = args.build_request(account, &accounts.url, &out, settings.sandbox)?;
            request.command_started = many.then(|| self.began.at());
            if let Some(export) =
                self.began.find_finished(&account.location, &request, self.earlier)
            {
                return Ok(ExportOrEstimate::Earlier(export));
            }
            if args.estimate {
                let facts = dirs::runs_home()?.location_facts(client.location_id());
                let estimate = export::estimate_cost(&client, facts, request).await?;
                return Ok(ExportOrEstimate::Estimate(estimate));
            }
            let context = EngineContext {
                client,
                home: dirs::runs_home()?,
                stop: own_stop,
                observer,
                concurrency: machine_limits::share_requests(
                    settings.concurrency,
                    accounts.all.len().min(args.at_once.get()),
                ),
                settle: dirs::read_settle_time(settings.sandbox)?,
            };
            let known = find_known_warnings(self.earlier, &account.location, &request);
            let ended = match self.choose_start(&account.location, &request).await? {
                StartChoice::New => export::export_location(&context, request, known).await,
                StartChoice::Continue(run) => {
                    let run = context.home.open_run(&run)?;
                    export::resume(&context, run, false, args.shape.replace, known).await
                }
            };
            match ended {
                Ok(report) => Ok(ExportOrEstimate::Report(Box::new(report))),
                Err(halted) => Err(CliError::from_export_halt(halted, stop)),
            }
        };
        (account.location.clone(), work.await)
    }
}

/// The warnings of the run before: the latest finished export of the same.
pub(super) fn find_known_warnings(
    earlier: &EarlierRuns,
    location: &LocationId,
    request: &ExportRequest,
) -> Option<KnownWarnings> {
    let is_same = |meta: &RunMetadata| request.is_same_elsewhere(&meta.options);
    earlier.find_finished(location, is_same).map(KnownWarnings::read)
}

fn location_out_dir(out: &Path, account: &LocationAccount, many: bool) -> PathBuf {
    if many { out.join(account.location.escaped_segment()) } else { out.to_owned() }
}
