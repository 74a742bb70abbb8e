//! `ghl-bulk undo`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::import::confirm_delete::ConfirmDeleteArgs;
use super::import::confirm_plan::PlanConfirmation;
use super::import::import_report;
use super::import::{apply_plan, confirm_and_apply, import_context};
use crate::cli::account::protected::{ConfirmLocationArgs, ProtectedLocationGuard};
use crate::cli::account::{LocationAccounts, RunAccountRef};
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::import::{self, CreatedContactRule, UndoRequest};
use crate::run::{Run, RunKind, RunRef};

/// Undo an import: only what it changed, and only where it was not edited since
///
/// Fields that still hold what the import wrote get their previous values back; tags that it added are
/// removed; notes and tasks that it created are deleted unless they were edited since; what it deleted is
/// recreated, with new ids. Whatever was edited since is left alone and listed. An undo is a run of its
/// own: it shows its plan first, and can be resumed.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ghl-bulk undo <RUN> [OPTIONS]")]
#[command(after_help = "\
Examples:
  ghl-bulk undo k3f9 --dry-run           what would be undone
  ghl-bulk undo k3f9                     show the plan, ask, undo
  ghl-bulk undo k3f9 --created delete    and delete the contacts that it created")]
pub(crate) struct UndoArgs {
    /// The import
    run: RunRef,

    /// What to do with contacts that the import created
    #[arg(long, value_enum, value_name = "WHAT", default_value = "tag")]
    created: CreatedContactsArg,

    /// The tag that created contacts get
    #[arg(long, value_name = "TAG", default_value = "import-undone")]
    tag: String,

    /// Plan only; `ghl-bulk apply RUN` applies the plan
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before applying
    #[arg(short, long)]
    yes: bool,

    /// The directory of the result files [default: ghl-import/RUN of the undo]
    #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
    out: Option<PathBuf>,

    #[command(flatten)]
    deletion: ConfirmDeleteArgs,

    #[command(flatten)]
    confirm: ConfirmLocationArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CreatedContactsArg {
    /// Tag them, so that they can be found
    Tag,
    /// Delete them permanently unless something was changed or attached since; then tag them
    Delete,
    /// Leave them as they are
    Keep,
}

/// Runs the command.
pub(crate) fn run(args: &UndoArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let original = home.open_run(&home.find_run(&args.run)?)?;
    let undone = original.meta.run.clone();
    ensure_import_run(&original)?;
    let account = import::stored_account(&original)?;
    let location = original.meta.location.clone();
    let profile = account.profile.as_deref();
    let guard =
        ProtectedLocationGuard::new(settings, &location, profile, account.sandbox, &args.confirm);
    if !args.dry_run {
        guard.ensure_confirmable(!args.yes)?;
    }
    let accounts = LocationAccounts::resolve_for_run(
        settings,
        &RunAccountRef::from_import_account(&location, &account),
    )?;
    let absolute = |path: &PathBuf| std::path::absolute(path);
    let out = args.out.as_ref().map(absolute).transpose();
    let base = std::path::absolute("ghl-import");
    let wrong = |error| CliError::usage(format!("`--out`: {error}"));
    let undo = UndoRequest {
        of: undone.clone(),
        created: match args.created {
            CreatedContactsArg::Tag => CreatedContactRule::Tag,
            CreatedContactsArg::Delete => CreatedContactRule::Delete,
            CreatedContactsArg::Keep => CreatedContactRule::Keep,
        },
        tag: args.tag.clone(),
        out: out.map_err(wrong)?,
        base: base.map_err(wrong)?,
        dry_run: args.dry_run,
        consent: args.deletion.prior_consent(args.yes, args.dry_run),
        account,
    };
    let screen = CliReporter::new(settings.output_style);
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let context = import_context(accounts, settings, screen, &stop)?;
        let planned = import::plan_undo(&context, original, undo).await;
        let planned = planned.map_err(|halted| CliError::from_import_halt(halted, &stop))?;
        guard.check_name(&planned)?;
        if args.dry_run {
            screen.finish();
            return Ok(import_report::report_dry_run(&planned, false, settings, screen));
        }
        if planned.summary.rows == 0 {
            screen.print_note(&format!("run {undone} has applied nothing"));
        }
        if !planned.summary.has_writes() {
            return apply_plan(&context, planned, &stop, settings, screen).await;
        }
        let confirmation =
            PlanConfirmation { yes: args.yes, deletion: args.deletion, guard: &guard };
        confirm_and_apply(&context, planned, &confirmation, &stop, settings, screen).await
    })
}

/// Only imports can be taken back.
fn ensure_import_run(run: &Run) -> Result<(), CliError> {
    let id = &run.meta.run;
    match run.meta.kind {
        RunKind::Import | RunKind::Restore => Ok(()),
        RunKind::Undo => Err(CliError::usage(format!(
            "run `{id}` is an undo itself, and an undo cannot be taken back"
        ))
        .with_hint("import the file again")),
        kind @ (RunKind::Export | RunKind::Sync) => Err(CliError::usage(format!(
            "run `{id}` is of the kind `{kind}`: only an import can be undone"
        ))
        .with_hint("`ghl-bulk runs list` shows which are")),
    }
}
