//! `ghl-bulk export --incremental`: a sync, then the files of the mirror.

use serde_json::{Map, Value, json};

use super::ExportArgs;
use super::export_report;
use super::location_out_dir;
use crate::cli::account::{LocationAccount, LocationAccounts};
use crate::cli::commands::several_locations::{
    LocationReport, LocationResult, WorkPlan, report_locations, work_on_locations,
};
use crate::cli::commands::sync::{SyncOptionArgs, SyncTarget, note_lines, order_by_mirror_size};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::concurrency;
use crate::event::{CancelSignal, ExportOutcome, ExportReport, RunPhase};
use crate::export::{self, MirrorExport};
use crate::sync::ExtraTables;
use crate::text::{escape_for_terminal, format_plural};

/// Runs the command.
pub(super) fn run(args: &ExportArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let (templates, tables) = args.templates_and_tables()?;
    if args.stdout_table()?.is_some() {
        return Err(CliError::usage(
            "`--incremental` keeps a directory up to date: it does not go with `--out -`",
        ));
    }
    if tables.appointments && !templates.chosen.is_empty() {
        let message = "the files of a template have the names of calendars, which `--incremental` does not keep";
        return Err(CliError::usage(message)
            .with_hint("export appointments for another system without `--incremental`"));
    }
    let accounts = &LocationAccounts::resolve_selected(settings, &args.several)?;
    let many = args.several.selects_many() || accounts.all.len() > 1;
    let screen = &CliReporter::new(settings.output_style);
    templates.report_missing(tables, screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let command = IncrementalExport { args, settings, accounts, many, screen, stop: &stop };
        let order = order_by_mirror_size(&accounts.all, settings)?;
        let one = |account| command.export_location(account);
        let (accounts, at_once, stop) = (&accounts.all, args.at_once, &stop);
        let plan = WorkPlan { accounts, order, at_once, stop, screen };
        let mut ended = Box::pin(work_on_locations(plan, one)).await;
        screen.finish();
        if many {
            let none = Value::Object(Map::new());
            return Ok(report_locations(&ended, "exported", none, settings, screen));
        }
        let (_, published) = ended.pop().expect("one account was asked for");
        Ok(published?.report(settings, screen))
    })
}

/// The command, with what it needs for each location.
struct IncrementalExport<'a> {
    args: &'a ExportArgs,
    settings: &'a Settings,
    accounts: &'a LocationAccounts,
    many: bool,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
}

impl IncrementalExport<'_> {
    async fn export_location(&self, account: &LocationAccount) -> LocationResult<Publication> {
        (account.location.clone(), self.sync_and_publish(account).await)
    }

    async fn sync_and_publish(&self, account: &LocationAccount) -> Result<Publication, CliError> {
        let Self { args, settings, accounts, many, screen, stop } = *self;
        let out = location_out_dir(&args.out, account, many);
        let request = args.build_request(account, &accounts.url, &out, settings.sandbox)?;
        export::check_output(&request, &account.location)?;
        let observer = screen.location_observer(many.then(|| account.location.to_string()));
        let target = SyncTarget::new(account, accounts, settings);
        let context = target.build_context(observer, stop)?;
        let (_, tables) = args.templates_and_tables()?;
        let with = ExtraTables { appointments: tables.appointments, businesses: tables.businesses };
        let how = SyncOptionArgs::of_export(args.how_incremental.retention(), with);
        let synced = target.sync(&how, &context, stop).await?;
        context.start_phase(RunPhase::Publishing);
        let location = account.location.clone();
        let (refused, options) = (synced.refused, args.how_incremental.options());
        let arrears = note_lines::arrears_line(&synced);
        let published = concurrency::run_blocking(move || {
            let (home, requests) = (dirs::runs_home()?, synced.requests);
            let observer = &context.observer;
            export::publish_mirror(&home, &location, &request, options, requests, observer)
                .map_err(CliError::from)
        });
        let (mut export, is_written) = match published.await? {
            MirrorExport::Written(report) => (report, true),
            MirrorExport::Unchanged(report) => (report, false),
        };
        export.refused = refused;
        if arrears.is_some() {
            export.outcome = ExportOutcome::Partial;
        }
        Ok(Publication { export, is_written, arrears })
    }
}

/// What became of an output directory.
struct Publication {
    export: Box<ExportReport>,
    /// Whether its files were written; otherwise they were up to date.
    is_written: bool,
    /// What is not as new as it should be.
    arrears: Option<String>,
}

impl LocationReport for Publication {
    fn exit_code(&self) -> CliExitCode {
        export_report::report_exit_code(&self.export)
    }

    fn to_json(&self) -> Value {
        json!(self.export)
    }

    fn summary_line(&self) -> Option<String> {
        let is_current = !self.is_written;
        let line = export_report::location_line(&self.export);
        Some(if is_current { format!("nothing has changed: {line}") } else { line })
    }
}

impl Publication {
    /// Reports the only one.
    fn report(&self, settings: &Settings, screen: &CliReporter) -> CliExitCode {
        let report = &self.export;
        if settings.json {
            return export_report::report_export(report, settings, screen);
        }
        if self.is_written {
            for line in export_report::file_lines(report) {
                screen.print_note(&line);
            }
        } else {
            let out = report.out.display().to_string();
            let out = escape_for_terminal(&out);
            screen.print_note(&format!("nothing has changed; {out} is up to date"));
            screen.print_note(&export_report::requests_line(report));
        }
        if report.unreadable > 0 {
            let records = format_plural(report.unreadable, "record");
            screen.print_note(&format!(
                "{records} could not be read; errors.csv says which or why, and the next sync reads them again"
            ));
        }
        if let Some(line) = &self.arrears {
            screen.print_note(line);
        }
        export_report::report_exit_code(report)
    }
}
