//! `ghl-bulk runs publish`, `results` and `resolve`: the files of a run, written again without calling the API.

use std::path::{Path, PathBuf};

use crate::cli::commands::export::{OutputFormatArgs, export_report, export_templates};
use crate::cli::commands::import::import_report;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::run::{RunKind, RunRef};
use crate::text::format_plural;
use crate::{export, import};

/// Writes the files of an export in other formats or elsewhere.
pub(super) fn publish_run(
    named: &RunRef,
    shape: &OutputFormatArgs,
    out: Option<&PathBuf>,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let run = home.open_run(&home.find_run(named)?)?;
    let id = &run.meta.run;
    if run.meta.kind == RunKind::Sync {
        return Err(CliError::usage(format!("run `{id}` is a sync, which writes no files"))
            .with_hint("`ghl-bulk export --incremental` writes what the mirror has"));
    }
    if run.meta.kind != RunKind::Export {
        let short_id = home.short_ids().shorten(id);
        return Err(CliError::usage(format!("run `{id}` is not an export")).with_hint(format!(
            "`ghl-bulk runs results {short_id}` writes its result files again"
        )));
    }
    let mut request = export::stored_request(&run)?;
    let templates = export_templates::select_templates(&shape.template, Some(request.tables))?;
    request.formats = shape.selected_formats();
    request.csv_safe = shape.csv_safe.unwrap_or_default();
    request.guard_uploads = shape.csv_safe.is_some();
    request.csv_bom = shape.csv_bom;
    request.jsonl = shape.jsonl;
    request.replace = shape.replace;
    request.file_mode = shape.file_mode.unwrap_or(request.file_mode);
    match out {
        Some(out) => request.out.clone_from(out),
        None if request.stdout_table.is_some() => {
            return Err(CliError::usage(format!("run `{id}` wrote to stdout"))
                .with_hint("say where its files go with `--out DIR`"));
        }
        None => {}
    }
    let screen = CliReporter::new(settings.output_style);
    templates.report_missing(request.tables, &screen);
    request.templates = templates.chosen;
    let report = export::republish_files(&home, &run, &request, &screen.location_observer(None));
    screen.finish();
    Ok(export_report::report_export(&report?, settings, &screen))
}

/// Writes the result files of an import or undo again.
pub(super) fn write_results(
    named: &RunRef,
    out: Option<&PathBuf>,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let run = home.open_run(&home.find_run(named)?)?;
    let id = &run.meta.run;
    if run.meta.kind == RunKind::Sync {
        return Err(CliError::usage(format!("run `{id}` is a sync, which writes no files")));
    }
    if run.meta.kind == RunKind::Export {
        let short_id = home.short_ids().shorten(id);
        return Err(CliError::usage(format!("run `{id}` is an export"))
            .with_hint(format!("`ghl-bulk runs publish {short_id}` writes its files again")));
    }
    let out = out.map(std::path::absolute).transpose();
    let out = out.map_err(|error| CliError::usage(format!("`--out`: {error}")))?;
    let (report, summary) = import::rewrite_results(&run, out)?;
    let screen = CliReporter::new(settings.output_style);
    Ok(import_report::report_applied(&report, &summary, settings, &screen))
}

/// Applies a person's decisions on rows in doubt.
pub(super) fn resolve_in_doubt(
    named: &RunRef,
    file: &Path,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let screen = CliReporter::new(settings.output_style);
    let home = dirs::runs_home()?;
    let run = home.open_run(&home.find_run(named)?)?;
    let id = home.short_ids().shorten(&run.meta.run);
    signals::block_on(settings.deadline, &screen, |_| async {
        let resolved = import::resolve_in_doubt(&run, file).await?;
        let (report, summary) = import::rewrite_results(&run, None)?;
        let code = import_report::report_applied(&report, &summary, settings, &screen);
        let again = match resolved.again {
            0 => String::new(),
            rows => {
                format!("; {} will be sent by `ghl-bulk resume {id}`", format_plural(rows, "row"))
            }
        };
        let open = match resolved.open {
            0 => String::new(),
            rows => format!("; {} without a decision", format_plural(rows, "row")),
        };
        screen.print_note(&format!(
            "{} settled{again}{open}",
            format_plural(resolved.settled, "row")
        ));
        Ok(code)
    })
}
