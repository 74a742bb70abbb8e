//! `ghl-bulk resume`.

use super::export::export_report;
use super::import::confirm_delete::ConfirmDeleteArgs;
use super::import::import_report;
use crate::cli::account::protected::{ConfirmLocationArgs, ProtectedLocationGuard};
use crate::cli::account::{LocationAccounts, RunAccountRef};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::export;
use crate::id::RunId;
use crate::import;
use crate::run::{Run, RunKind, RunMetadata, RunState, RunStore};

/// Continue a run that was paused, interrupted or killed
///
/// Stored records are not requested again. A write whose outcome is unknown is looked up before it is sent
/// again. A dry run is applied exactly as it was planned, or refused if the sheet or the account has
/// changed since. Resuming a finished run does nothing and is not an error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk resume                                        the latest unfinished run
  ghl-bulk resume 20261121-061512-k3f9                   this one
  ghl-bulk resume 20261121-061512-k3f9 --retry-errors    read again what could not be read")]
pub(crate) struct ResumeArgs {
    /// The run [default: the latest unfinished one, of `--location` if given]
    run: Option<RunId>,

    /// Read again the records that could not be read, and only those
    #[arg(long)]
    retry_errors: bool,

    #[command(flatten)]
    deletion: ConfirmDeleteArgs,

    #[command(flatten)]
    confirm: ConfirmLocationArgs,
}

/// Runs the command.
pub(crate) fn run(args: &ResumeArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let id = match &args.run {
        Some(id) => id.clone(),
        None => latest_run(&home, settings, args.retry_errors)?,
    };
    let run = home.open_run(&id)?;
    let state = run.state()?;
    let screen = CliReporter::new(settings.output_style);
    if run.meta.kind != RunKind::Export && (args.retry_errors || state != RunState::Unfinished) {
        return report_finished(args, &home, &run, state, settings, &screen);
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
        RunKind::Import | RunKind::Undo => resume_import(args, run, settings, &screen),
    }
}

fn resume_export(
    args: &ResumeArgs,
    run: Run,
    home: RunStore,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let request = export::stored_request(&run)?;
    let location = run.meta.location.clone();
    let of_run = RunAccountRef {
        location: &location,
        url: &request.url,
        variable: request.token_variable.as_deref(),
        profile: request.profile.as_deref(),
        sandbox: request.sandbox,
    };
    let accounts = LocationAccounts::resolve_for_run(settings, &of_run)?;
    signals::block_on(settings.deadline, screen, |stop| async {
        let stop = stop;
        let observer = screen.location_observer(None);
        let own_stop = stop.child_signal();
        let client = accounts.all[0].build_client(&accounts.url, settings, &own_stop, &observer)?;
        let settle = dirs::read_settle_time()?;
        let concurrency = settings.concurrency;
        let context = EngineContext { client, home, stop: own_stop, observer, concurrency, settle };
        let ended = export::resume(&context, run, args.retry_errors).await;
        screen.finish();
        let report = ended.map_err(|halted| CliError::from_export_halt(halted, &stop))?;
        Ok(export_report::report_export(&report, settings, screen))
    })
}

/// Continues an import or an undo: plans it if it has no plan yet, and applies it. A user who resumes a
/// dry run has seen its plan; a deletion needs its number all the same.
fn resume_import(
    args: &ResumeArgs,
    run: Run,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let account = import::stored_account(&run)?;
    let location = run.meta.location.clone();
    let profile = account.profile.as_deref();
    let guard =
        ProtectedLocationGuard::new(settings, &location, profile, account.sandbox, &args.confirm);
    guard.ensure_confirmable(true)?;
    let accounts = LocationAccounts::resolve_for_run(
        settings,
        &RunAccountRef::from_import_account(&location, &account),
    )?;
    let accounts = &accounts;
    signals::block_on(settings.deadline, screen, |stop| async move {
        let context = super::import::import_context(accounts, settings, screen, &stop)?;
        let planned = import::resume(&context, run).await;
        let planned = planned.map_err(|halted| CliError::from_import_halt(halted, &stop))?;
        guard.check_name(&planned)?;
        import_report::print_plan(&planned, screen);
        let deletes = planned.summary.removal.is_some();
        if deletes && !planned.has_started_applying().map_err(CliError::from)? {
            args.deletion.confirm_deletion(&planned, screen)?;
        }
        if guard.needs_prompt() {
            guard.prompt_for_name(&planned, screen)?;
        }
        super::import::apply_plan(&context, planned, &stop, settings, screen).await
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
    if args.retry_errors {
        return Err(CliError::usage(format!(
            "`--retry-errors` is for exports; run `{id}` is not an export"
        ))
        .with_hint("repair the rows in rejected.csv and import that file"));
    }
    let standing = import::read_status(&home.run_summary(id)?, &run.meta, state)?;
    let pending = standing.rows.is_some_and(|rows| rows.pending > 0);
    match &standing.undone_by {
        Some(undo) if pending => Err(CliError::usage(format!(
            "run `{id}` was taken back by run `{undo}`, and its rest is not applied any more"
        ))
        .with_hint("import the file again")),
        _ => Ok(import_report::report_finished(id, &standing, settings, screen)),
    }
}

fn latest_run(home: &RunStore, settings: &Settings, retry_errors: bool) -> Result<RunId, CliError> {
    let state = if retry_errors { RunState::Partial } else { RunState::Unfinished };
    let locations = settings.locations()?;
    let fits = |meta: &RunMetadata, known: RunState| {
        known == state
            && (meta.kind == RunKind::Export || !retry_errors)
            && locations.first().is_none_or(|it| *it == meta.location)
    };
    if let Some(id) = home.latest_run_id(fits)? {
        return Ok(id);
    }
    // Opening a run that only another version can finish reports that.
    let older = home.list_receipts()?.into_iter().rev().find(|run| fits(&run.meta, run.state));
    if let Some(older) = older {
        return Ok(older.meta.run);
    }
    let what = if retry_errors { "with unreadable records" } else { "that is unfinished" };
    Err(CliError::new(CliExitCode::Missing, format!("there is no run {what}"))
        .with_hint("`ghl-bulk runs list` lists all runs"))
}
