//! `ghl-bulk undo`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::import::import_report;
use super::import::{apply, confirm, context};
use crate::cli::account::protected::{Confirm, Guard};
use crate::cli::account::{Accounts, OfRun};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::signals;
use crate::id::RunId;
use crate::import::{self, Created, Undo};
use crate::run::Run;

/// Take an import back: only what it changed, and only where that still stands
///
/// Fields get their former values back where they still hold what the import wrote; tags that it added are
/// taken off; notes and tasks that it made are deleted when nobody has changed them; what it deleted is made
/// anew, with new ids. What somebody has edited since is left alone and listed. It is a plan of its own:
/// shown first, and resumable.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk undo 20261121-061512-k3f9 --dry-run           what would be taken back
  ghl-bulk undo 20261121-061512-k3f9                     show it, ask, do it
  ghl-bulk undo 20261121-061512-k3f9 --created delete    and delete the contacts that it made")]
pub(crate) struct Args {
    /// The import
    run: RunId,

    /// What becomes of contacts that the import made
    #[arg(long, value_enum, value_name = "WHAT", default_value = "tag")]
    created: CreatedArg,

    /// The tag that they get
    #[arg(long, value_name = "TAG", default_value = "import-undone")]
    tag: String,

    /// Plan only; `ghl-bulk resume` applies the plan
    #[arg(long)]
    dry_run: bool,

    /// Do not ask before applying
    #[arg(short, long)]
    yes: bool,

    /// The directory of the result files [default: ghl-import/RUN of the undo]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    confirm: Confirm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CreatedArg {
    /// They get a tag, so that they can be found
    Tag,
    /// They are deleted for good, if nothing was changed or attached since; else they get the tag
    Delete,
    /// They stay as they are
    Keep,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    let home = dirs::home()?;
    let original = home.open(&args.run)?;
    check_kind(&original)?;
    let account = import::account(&original)?;
    let location = original.meta.location.clone();
    let profile = account.profile.as_deref();
    let guard = Guard::new(global, &location, profile, account.sandbox, &args.confirm);
    if !args.dry_run {
        guard.early(!args.yes)?;
    }
    let accounts = Accounts::of_run(global, &OfRun::import(&location, &account))?;
    let absolute = |path: &PathBuf| std::path::absolute(path);
    let out = args.out.as_ref().map(absolute).transpose();
    let base = std::path::absolute("ghl-import");
    let wrong = |error| Failure::usage(format!("`--out`: {error}"));
    let undo = Undo {
        of: args.run.clone(),
        created: match args.created {
            CreatedArg::Tag => Created::Tag,
            CreatedArg::Delete => Created::Delete,
            CreatedArg::Keep => Created::Keep,
        },
        tag: args.tag.clone(),
        out: out.map_err(wrong)?,
        base: base.map_err(wrong)?,
        account,
    };
    let screen = Screen::new(global.style());
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(global.deadline, screen, |stop| async move {
        let context = context(accounts, global, screen, &stop)?;
        let planned = import::plan_undo(&context, original, undo).await;
        let planned = planned.map_err(|halted| Failure::of_import(halted, &stop))?;
        guard.check(&planned)?;
        if args.dry_run {
            screen.finish();
            return Ok(import_report::dry_run(&planned, false, global, screen));
        }
        if planned.summary.rows == 0 {
            screen.line(&format!("run {} has applied nothing", args.run));
        }
        if planned.summary.changes() {
            import_report::show_plan(&planned, screen);
            if guard.asks() {
                guard.ask(&planned, screen)?;
            } else if !args.yes {
                confirm(&planned, screen)?;
            }
        }
        apply(&context, planned, &stop, global, screen).await
    })
}

/// Only imports can be taken back.
fn check_kind(run: &Run) -> Result<(), Failure> {
    let id = &run.meta.run;
    match run.meta.kind.as_str() {
        import::KIND => Ok(()),
        import::UNDO => Err(Failure::usage(format!(
            "run `{id}` is an undo itself, and an undo cannot be taken back"
        ))
        .hint("import the file again")),
        kind => Err(Failure::usage(format!(
            "run `{id}` is of the kind `{kind}`: only an import can be undone"
        ))
        .hint("`ghl-bulk runs list` shows which are")),
    }
}
