//! `ghl-bulk export --incremental`: a sync, then the files of the mirror.

use super::ExportArgs;
use super::export_report;
use crate::cli::account::{LocationAccounts, MultiLocationArgs};
use crate::cli::commands::sync::{SyncOptionArgs, build_context, note_lines, sync_account};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::concurrency;
use crate::event::{ExportOutcome, RunPhase};
use crate::export::{self, MirrorExport};
use crate::text::{escape_for_terminal, format_plural};

/// Runs the command.
pub(super) fn run(args: &ExportArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let (templates, tables) = args.templates_and_tables()?;
    if args.stdout_table()?.is_some() {
        return Err(CliError::usage(
            "`--incremental` keeps a directory up to date: it does not go with `--out -`",
        ));
    }
    for (wanted, what) in [(tables.appointments, "appointments"), (tables.businesses, "businesses")]
    {
        if wanted {
            let message = format!("{what} are not among what `--incremental` keeps up to date");
            return Err(CliError::usage(message)
                .with_hint("export them without `--incremental`, into a directory of their own"));
        }
    }
    let accounts = LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?;
    let screen = CliReporter::new(settings.output_style);
    templates.report_missing(tables, &screen);
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let (account, sandbox) = (&accounts.all[0], settings.sandbox);
        let request = args.build_request(account, &accounts.url, &args.out, sandbox)?;
        export::check_output(&request, &account.location)?;
        let context = build_context(account, accounts, settings, screen, sandbox, &stop)?;
        let how = SyncOptionArgs::default();
        let synced = sync_account(&how, &context, accounts, settings, &stop).await?;
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
        let published = published.await?;
        screen.finish();
        Ok(report_published(published, (refused, arrears), settings, screen))
    })
}

fn report_published(
    published: MirrorExport,
    (refused, arrears): (u64, Option<String>),
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let (mut report, is_written) = match published {
        MirrorExport::Written(report) => (report, true),
        MirrorExport::Unchanged(report) => (report, false),
    };
    report.refused = refused;
    if arrears.is_some() {
        report.outcome = ExportOutcome::Partial;
    }
    if settings.json {
        return export_report::report_export(&report, settings, screen);
    }
    if is_written {
        for line in export_report::file_lines(&report) {
            screen.print_note(&line);
        }
    } else {
        let out = report.out.display().to_string();
        let out = escape_for_terminal(&out);
        screen.print_note(&format!("nothing has changed; {out} is up to date"));
        screen.print_note(&export_report::requests_line(&report));
    }
    if report.unreadable > 0 {
        let records = format_plural(report.unreadable, "record");
        screen.print_note(&format!(
            "{records} could not be read; errors.csv says which or why, and the next sync reads them again"
        ));
    }
    if let Some(line) = arrears {
        screen.print_note(&line);
    }
    export_report::report_exit_code(&report)
}
