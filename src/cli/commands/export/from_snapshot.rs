//! `ghl-bulk export --from`: writes the tables of a snapshot, without a request.

use super::args::ExportArgs;
use super::export_report;
use crate::cli::commands::backup::snapshot_arg::SnapshotSource;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::event::ExportReport;
use crate::export;
use crate::id::LocationId;
use crate::text::format_plural;

/// Exports the snapshots that are meant.
pub(super) fn run(args: &ExportArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let (templates, tables) = args.templates_and_tables()?;
    if tables.appointments && !templates.chosen.is_empty() {
        let message =
            "the files of a template have the names of calendars, which a snapshot does not have";
        return Err(CliError::usage(message)
            .with_hint("export appointments for another system without `--from`"));
    }
    let stdout = args.stdout_table()?;
    let from = &args.from_snapshot;
    let source = SnapshotSource::open(from.from.as_deref(), &from.snapshot, settings)?;
    let locations = source.locations(settings)?;
    let many = locations.len() > 1;
    if stdout.is_some() && (many || settings.json) {
        return Err(CliError::usage(
            "`--out -` writes the table of one location to stdout, and nothing else",
        ));
    }
    let screen = &CliReporter::new(settings.output_style);
    templates.report_missing(tables, screen);
    let export = SnapshotExport { args, settings, source: &source, many, screen };
    let mut code = CliExitCode::Done;
    for location in &locations {
        let report = export.export_location(location)?;
        if let Some(stdout) = &stdout {
            screen.finish();
            return stdout.finish(&report, screen);
        }
        let ended = export.report(location, &report);
        code = if ended == CliExitCode::Done { code } else { ended };
    }
    screen.finish();
    Ok(code)
}

struct SnapshotExport<'a> {
    args: &'a ExportArgs,
    settings: &'a Settings,
    source: &'a SnapshotSource,
    many: bool,
    screen: &'a CliReporter,
}

impl SnapshotExport<'_> {
    fn export_location(&self, location: &LocationId) -> Result<ExportReport, CliError> {
        let out = match self.args.stdout_table()? {
            Some(stdout) => stdout.dir,
            None if self.many => self.args.out.join(location.escaped_segment()),
            None => self.args.out.clone(),
        };
        let request = self.args.build_snapshot_request(&out, self.settings.sandbox)?;
        let chain = self.source.open_chain(location)?;
        let observer = self.screen.location_observer(self.many.then(|| location.to_string()));
        Ok(export::publish_snapshot(&dirs::runs_home()?, &chain, &request, &observer)?)
    }

    fn report(&self, location: &LocationId, report: &ExportReport) -> CliExitCode {
        let ended = export_report::report_exit_code(report);
        if self.settings.json {
            return export_report::report_export(report, self.settings, self.screen);
        }
        if self.many {
            let line = export_report::location_line(report);
            self.screen.print_note(&format!("{location}: {line}"));
            return ended;
        }
        for line in export_report::file_lines(report) {
            self.screen.print_note(&line);
        }
        if ended != CliExitCode::Done {
            let records = format_plural(report.unreadable, "record");
            self.screen.print_note(&format!(
                "the snapshot lacks {records} that could not be read when it was made"
            ));
        }
        ended
    }
}
