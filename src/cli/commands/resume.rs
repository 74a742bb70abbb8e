//! `ghl-bulk resume`.

use super::apply::{ConsentArgs, RecoveryArgs, apply_run};
use super::continue_run::EarlierRuns;
use super::export::stdout_table::StdoutTable;
use super::export::{export_report, find_known_warnings};
use super::import::import_report;
use super::sync;
use crate::cli::account::{ClientPurpose, LocationAccounts, RunAccountRef};
use crate::cli::config::dirs;
use crate::cli::output::error::{CliError, NextCommand};
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::export;
use crate::id::RunId;
use crate::import;
use crate::run::{Run, RunKind, RunMetadata, RunRef, RunState, RunStore, RunSummary};

/// Continue a run that was paused, interrupted or killed
///
/// Stored records are not requested again. A write whose outcome is unknown is looked up before it is sent
/// again. A plan of a dry run is not resumed but applied: `ghl-bulk apply RUN`. Resuming a finished run does
/// nothing and is not an error.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ghl-bulk resume [RUN] [OPTIONS]")]
#[command(after_help = "\
Examples:
  ghl-bulk resume                        the latest run that was interrupted or paused
  ghl-bulk resume k3f9                   this one
  ghl-bulk resume k3f9 --retry-errors    read again what could not be read")]
pub(crate) struct ResumeArgs {
    /// The run [default: the latest one that was interrupted or paused, of `--location` if given]
    run: Option<RunRef>,

    /// Read again the records that could not be read, and only those
    #[arg(long)]
    retry_errors: bool,

    /// Replace whatever is in the output directory of the export
    #[arg(long)]
    replace: bool,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    recovery: RecoveryArgs,
}

/// Runs the command.
pub(crate) fn run(args: &ResumeArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let id = match &args.run {
        Some(named) => home.find_run(named)?,
        None => latest_run(&home, settings, args.retry_errors)?,
    };
    let screen = CliReporter::new(settings.output_style);
    let run = args.recovery.open_run(&home, &id)?;
    let state = run.state()?;
    if run.meta.kind == RunKind::Sync && !args.retry_errors && !state.is_finished() {
        return sync::resume(run, home, settings, &screen);
    }
    if !matches!(run.meta.kind, RunKind::Export | RunKind::Sync)
        && (args.retry_errors || state.is_finished())
    {
        return report_finished(args, &home, &run, state, settings, &screen);
    }
    match state {
        RunState::Planned => return Err(not_applied_error(&id)),
        RunState::Declined | RunState::Refused => {
            let what = state.name(false);
            return Err(CliError::usage(format!("run `{id}` is a plan that was {what}"))
                .with_hint("start the import or undo again to make a new plan"));
        }
        _ => {}
    }
    if state == RunState::Complete || (state == RunState::Partial && !args.retry_errors) {
        screen.print_note(&format!("run {id} is finished; there is nothing to do"));
        return Ok(if state == RunState::Partial {
            CliExitCode::Partial
        } else {
            CliExitCode::Done
        });
    }
    match run.meta.kind {
        RunKind::Export => resume_export(args, run, home, settings, &screen),
        RunKind::Sync => {
            Err(CliError::usage(format!("`--retry-errors` is for exports; run `{id}` is a sync"))
                .with_hint("the next `ghl-bulk sync` reads again what could not be read"))
        }
        RunKind::Import | RunKind::Undo | RunKind::Restore => {
            apply_run(run, &args.consent, &args.recovery, true, settings)
        }
    }
}

/// A plan is applied by a command of its own, so that nothing is sent that was only rehearsed.
fn not_applied_error(id: &RunId) -> CliError {
    let mut error = CliError::usage(format!(
        "run `{id}` is a plan that was not applied: there is nothing to resume"
    ));
    error.next = Some(Box::new(NextCommand::apply(id.clone(), "")));
    error
}

fn resume_export(
    args: &ResumeArgs,
    run: Run,
    home: RunStore,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let request = export::stored_request(&run)?;
    let stdout = StdoutTable::of_request(&request);
    if stdout.is_some() && settings.json {
        return Err(CliError::usage("the export writes a table to stdout, and nothing else")
            .with_hint("resume it without `--json`"));
    }
    let location = run.meta.location.clone();
    let of_run = RunAccountRef {
        location: &location,
        url: &request.url,
        variable: request.token_variable.as_deref(),
        profile: request.profile.as_deref(),
        sandbox: request.sandbox,
    };
    let accounts = LocationAccounts::resolve_for_run(settings, &of_run)?;
    // This process has locked the run itself, so that it is none of the earlier ones.
    let earlier = EarlierRuns::load(&home, RunKind::Export)?;
    let known = find_known_warnings(&earlier, &location, &request);
    let short_ids = home.short_ids();
    signals::block_on(settings.deadline, screen, |stop| async {
        let stop = stop;
        let observer = screen.location_observer(None);
        let own_stop = stop.child_signal();
        let client = accounts.all[0].build_client(
            &accounts.url,
            settings,
            ClientPurpose::Run("export"),
            &own_stop,
            &observer,
        )?;
        let settle = dirs::read_settle_time(request.sandbox)?;
        let concurrency = settings.concurrency;
        let context = EngineContext { client, home, stop: own_stop, observer, concurrency, settle };
        let ended = export::resume(&context, run, args.retry_errors, args.replace, known).await;
        screen.finish();
        screen.report_known_warnings(&short_ids);
        let report = ended.map_err(|halted| CliError::from_export_halt(halted, &stop))?;
        if let Some(stdout) = stdout {
            return stdout.finish(&report, screen);
        }
        Ok(export_report::report_export(&report, settings, screen))
    })
}

/// An import or undo with nothing left to do.
fn report_finished(
    args: &ResumeArgs,
    home: &RunStore,
    run: &Run,
    state: RunState,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let id = &run.meta.run;
    let standing = import::read_status(&home.run_summary(id)?, &run.meta, state)?;
    if args.retry_errors {
        let hint = format!("repair the rows in {} and import that file", standing.rejected_file);
        return Err(CliError::usage(format!(
            "`--retry-errors` is for exports; run `{id}` is not an export"
        ))
        .with_hint(hint));
    }
    let pending = standing.rows.is_some_and(|rows| rows.pending > 0);
    match &standing.undone_by {
        Some(undo) if pending => Err(CliError::usage(format!(
            "run `{id}` was taken back by run `{undo}`, and its rest is not applied any more"
        ))
        .with_hint("import the file again")),
        _ => Ok(import_report::report_finished(id, &standing, settings, screen)),
    }
}

/// The run that a bare `resume` continues: the latest one that began and did not end.
fn latest_run(home: &RunStore, settings: &Settings, retry_errors: bool) -> Result<RunId, CliError> {
    let locations = settings.locations()?;
    let fits = |meta: &RunMetadata, state: RunState| {
        let wanted = if retry_errors {
            state == RunState::Partial && meta.kind == RunKind::Export
        } else {
            state.is_resumable()
        };
        wanted && locations.first().is_none_or(|it| *it == meta.location)
    };
    let runs = home.list_runs()?;
    let fitting =
        |run: &&RunSummary| run.known.as_ref().is_ok_and(|(meta, state)| fits(meta, *state));
    let mut running = None;
    for run in runs.iter().rev().filter(fitting) {
        if !run.running {
            return Ok(run.id.clone());
        }
        running = running.or(Some(&run.id));
    }
    // Opening a run that only another version can finish reports that.
    let older = home.list_receipts()?.into_iter().rev().find(|run| {
        fits(&run.meta, run.state)
            && !runs.iter().any(|known| known.id == run.meta.run && known.known.is_ok())
    });
    if let Some(older) = older {
        return Ok(older.meta.run);
    }
    Err(no_run_error(home, &runs, running, retry_errors))
}

/// Why there is no run to resume, with the plans that wait to be applied.
fn no_run_error(
    home: &RunStore,
    runs: &[RunSummary],
    running: Option<&RunId>,
    retry_errors: bool,
) -> CliError {
    if let Some(run) = running {
        return CliError::new(
            CliExitCode::Locked,
            format!("run `{run}` is running in another process, and there is no other to resume"),
        );
    }
    let what =
        if retry_errors { "with unreadable records" } else { "that was interrupted or paused" };
    let error = CliError::new(CliExitCode::Missing, format!("there is no run {what}"));
    let latest = |wanted: RunState| {
        let is_wanted = |run: &&RunSummary| {
            run.known.as_ref().is_ok_and(|(_, state)| *state == wanted) && !run.running
        };
        runs.iter().rev().find(is_wanted)
    };
    let short_ids = home.short_ids();
    match (latest(RunState::Planned), latest(RunState::Failed)) {
        _ if retry_errors => error.with_hint("`ghl-bulk runs list` lists all runs"),
        (Some(plan), _) => error.with_hint(format!(
            "run `{0}` is a plan that was not applied; `ghl-bulk apply {0}` applies it",
            short_ids.shorten(&plan.id)
        )),
        (None, Some(failed)) => error.with_hint(format!(
            "run `{0}` failed before it read anything; `ghl-bulk resume {0}` tries it again",
            short_ids.shorten(&failed.id)
        )),
        (None, None) => error.with_hint("`ghl-bulk runs list` lists all runs"),
    }
}
