//! `ghl-bulk apply`.

use super::import::confirm_delete::ConfirmDeleteArgs;
use super::import::confirm_plan::PlanConfirmation;
use super::import::{confirm_and_apply, import_context, import_report};
use crate::cli::account::protected::{ConfirmLocationArgs, ProtectedLocationGuard};
use crate::cli::account::{LocationAccounts, RunAccountRef};
use crate::cli::config::dirs;
use crate::cli::output::error::{CliError, NextCommand};
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::RunId;
use crate::import;
use crate::run::{Run, RunKind, RunRef, RunState, RunStore};
use crate::text::format_plural;

/// Apply the plan of a dry run
///
/// Applies exactly what was planned, or refuses if the file or a contact of the plan has changed since. A
/// plan that was declined is closed and cannot be applied.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ghl-bulk apply <RUN> [OPTIONS]")]
#[command(after_help = "\
Examples:
  ghl-bulk apply k3f9                       show the plan, ask, apply it
  ghl-bulk apply k3f9 --yes                 without asking
  ghl-bulk apply k3f9 --confirm-delete 12   a plan that deletes 12 contacts")]
pub(crate) struct ApplyArgs {
    /// The run of the plan
    run: RunRef,

    #[command(flatten)]
    consent: ConsentArgs,

    #[command(flatten)]
    recovery: RecoveryArgs,
}

/// How the user agrees to a plan.
#[derive(Debug, clap::Args)]
pub(crate) struct ConsentArgs {
    /// Do not ask before applying
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) deletion: ConfirmDeleteArgs,

    #[command(flatten)]
    pub(crate) confirm: ConfirmLocationArgs,
}

/// What is known of a run whose ledger cannot be trusted as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct RecoveryArgs {
    /// Go on with an import or undo that has lost its last writes: look up every write that may have been sent
    #[arg(long)]
    reconcile: bool,

    /// Go on with a copied, moved or restored import or undo: the original is finished with, and every write that it
    /// may have sent is looked up
    #[arg(long)]
    adopt: bool,
}

impl RecoveryArgs {
    /// Opens a run, even if it has lost its last writes when it is to be recovered.
    pub(crate) fn open_run(&self, home: &RunStore, id: &RunId) -> Result<Run, CliError> {
        let is_recovery = self.reconcile || self.adopt;
        Ok(if is_recovery { home.open_run_to_recover(id)? } else { home.open_run(id)? })
    }

    /// Recovers an import or undo that is about to go on, if that was asked for.
    fn recover_run(&self, run: &Run, screen: &CliReporter) -> Result<(), CliError> {
        if !self.reconcile && !self.adopt {
            return Ok(());
        }
        let recovery = import::recover_run(run, self.adopt)?;
        for (count, what) in
            [(recovery.restored, "run.db had lost"), (recovery.assumed, "may have been sent")]
        {
            if count > 0 {
                let writes = format_plural(count, "write");
                screen.print_note(&format!("{writes} that {what}: each is looked up first"));
            }
        }
        Ok(())
    }
}

/// Runs the command.
pub(crate) fn run(args: &ApplyArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let id = &home.find_run(&args.run)?;
    let run = args.recovery.open_run(&home, id)?;
    let short_id = home.short_ids().shorten(id);
    let refused = |why: String| CliError::usage(format!("run `{id}` {why}"));
    if let kind @ (RunKind::Export | RunKind::Sync) = run.meta.kind {
        let article = if kind == RunKind::Export { "an" } else { "a" };
        return Err(refused(format!("is {article} {kind}, which has no plan"))
            .with_hint(format!("`ghl-bulk resume {short_id}` continues {article} {kind}")));
    }
    match run.state()? {
        // A refused plan may fit again: the check is repeated.
        RunState::Planned | RunState::Refused => {
            apply_run(run, &args.consent, &args.recovery, false, settings)
        }
        RunState::Declined => Err(refused("was declined, so its plan is closed".to_owned())
            .with_hint("start the import or undo again to make a new plan")),
        RunState::Complete | RunState::Partial => Err(refused("is applied already".to_owned())
            .with_hint(format!("`ghl-bulk runs show {short_id}` shows how it ended"))),
        RunState::Running | RunState::Interrupted | RunState::Paused | RunState::Failed => {
            let mut error = refused("was begun and did not end; it is resumed".to_owned());
            error.next = Some(Box::new(NextCommand::resume(id.clone())));
            Err(error)
        }
    }
}

/// Continues an import or an undo: plans it if it has no plan yet, asks if the user has not agreed yet, and
/// applies it. A dry run that is only resumed ends with its plan.
pub(crate) fn apply_run(
    run: Run,
    consent: &ConsentArgs,
    recovery: &RecoveryArgs,
    only_resume: bool,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let account = import::stored_account(&run)?;
    let location = run.meta.location.clone();
    let profile = account.profile.as_deref();
    let guard = ProtectedLocationGuard::new(
        settings,
        &location,
        profile,
        account.sandbox,
        &consent.confirm,
    );
    guard.ensure_confirmable(true)?;
    let accounts = LocationAccounts::resolve_for_run(
        settings,
        &RunAccountRef::from_import_account(&location, &account),
    )?;
    let screen = CliReporter::new(settings.output_style);
    recovery.recover_run(&run, &screen)?;
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let context = import_context(accounts, settings, screen, &stop)?;
        let planned = import::resume(&context, run).await;
        let planned = planned.map_err(|halted| CliError::from_import_halt(halted, &stop))?;
        guard.check_name(&planned)?;
        let started = planned.has_started_applying().map_err(CliError::from)?;
        if only_resume && planned.is_dry_run() && !started {
            screen.finish();
            return Ok(import_report::report_dry_run(&planned, false, settings, screen));
        }
        let confirmation =
            PlanConfirmation { yes: consent.yes, deletion: consent.deletion, guard: &guard };
        confirm_and_apply(&context, planned, &confirmation, &stop, settings, screen).await
    })
}
