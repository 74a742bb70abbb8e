//! `ghl-bulk resume`.

use super::export::export_report;
use super::import::confirm_delete::Confirmation;
use super::import::import_report;
use crate::cli::account::protected::{Confirm, Guard};
use crate::cli::account::{Accounts, OfRun};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::signals;
use crate::context::Context;
use crate::export;
use crate::id::RunId;
use crate::import;
use crate::run::{Home, Meta, Run, State};

/// Go on with a run that was paused, interrupted or killed
///
/// What was stored is not asked for again, and what was sent is not sent again before it is known what
/// became of it. A dry run is applied exactly as it was planned, or refused when the sheet or the account
/// has changed since. A finished run is not an error: there is nothing to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk resume                                        the latest unfinished run
  ghl-bulk resume 20261121-061512-k3f9                   this one
  ghl-bulk resume 20261121-061512-k3f9 --retry-errors    ask once more for what could not be read")]
pub(crate) struct Args {
    /// The run [default: the latest unfinished one, of `--location` if given]
    run: Option<RunId>,

    /// Ask once more for the records that could not be read, and only for those
    #[arg(long)]
    retry_errors: bool,

    #[command(flatten)]
    deletion: Confirmation,

    #[command(flatten)]
    confirm: Confirm,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    let home = dirs::home()?;
    let id = match &args.run {
        Some(id) => id.clone(),
        None => latest(&home, global, args.retry_errors)?,
    };
    let run = home.open(&id)?;
    let state = run.state()?;
    let screen = Screen::new(global.style());
    if run.meta.kind != export::KIND && (args.retry_errors || state != State::Unfinished) {
        return finished(args, &home, &run, state, global, &screen);
    }
    if state == State::Complete || (state == State::Partial && !args.retry_errors) {
        screen.line(&format!("run {id} is finished; there is nothing to do"));
        return Ok(if state == State::Partial { Code::Partial } else { Code::Done });
    }
    match run.meta.kind.as_str() {
        export::KIND => resume_export(args, run, home, global, &screen),
        import::KIND | import::UNDO => resume_import(args, run, global, &screen),
        kind => Err(Failure::usage(format!(
            "run `{id}` is of the kind `{kind}`, which this version does not know"
        ))),
    }
}

fn resume_export(
    args: &Args,
    run: Run,
    home: Home,
    global: &Global,
    screen: &Screen,
) -> Result<Code, Failure> {
    let request = export::request(&run)?;
    let location = run.meta.location.clone();
    let of_run = OfRun {
        location: &location,
        url: &request.url,
        variable: request.token_variable.as_deref(),
        profile: request.profile.as_deref(),
        sandbox: request.sandbox,
    };
    let accounts = Accounts::of_run(global, &of_run)?;
    signals::block_on(global.deadline, screen, |stop| async {
        let stop = stop;
        let watcher = screen.watcher(None);
        let own_stop = stop.child();
        let client = accounts.all[0].client(&accounts.url, global, &own_stop, &watcher)?;
        let settle = dirs::settle()?;
        let concurrency = global.concurrency;
        let context = Context { client, home, stop: own_stop, watcher, concurrency, settle };
        let ended = export::resume(&context, run, args.retry_errors).await;
        screen.finish();
        let report = ended.map_err(|halted| Failure::of_run(halted, &stop))?;
        Ok(export_report::single(&report, global, screen))
    })
}

/// Goes on with an import or an undo: plans it if it has no plan yet, and applies it. Whoever resumes a
/// dry run has seen its plan; what deletes asks for the number all the same.
fn resume_import(args: &Args, run: Run, global: &Global, screen: &Screen) -> Result<Code, Failure> {
    let account = import::account(&run)?;
    let location = run.meta.location.clone();
    let profile = account.profile.as_deref();
    let guard = Guard::new(global, &location, profile, account.sandbox, &args.confirm);
    guard.early(true)?;
    let accounts = Accounts::of_run(global, &OfRun::import(&location, &account))?;
    let accounts = &accounts;
    signals::block_on(global.deadline, screen, |stop| async move {
        let context = super::import::context(accounts, global, screen, &stop)?;
        let planned = import::resume(&context, run).await;
        let planned = planned.map_err(|halted| Failure::of_import(halted, &stop))?;
        guard.check(&planned)?;
        import_report::show_plan(&planned, screen);
        let deletes = planned.summary.removal.is_some();
        if deletes && !planned.begun().map_err(Failure::from)? {
            args.deletion.confirm(&planned, screen)?;
        }
        if guard.asks() {
            guard.ask(&planned, screen)?;
        }
        super::import::apply(&context, planned, &stop, global, screen).await
    })
}

/// An import or undo with nothing to go on with.
fn finished(
    args: &Args,
    home: &Home,
    run: &Run,
    state: State,
    global: &Global,
    screen: &Screen,
) -> Result<Code, Failure> {
    let id = &run.meta.run;
    if args.retry_errors {
        return Err(Failure::usage(format!("`--retry-errors` is for exports; run `{id}` is none"))
            .hint("repair the rows in rejected.csv and import that file"));
    }
    let standing = import::standing(&home.show(id)?, &run.meta, state)?;
    let pending = standing.rows.is_some_and(|rows| rows.pending > 0);
    match &standing.undone_by {
        Some(undo) if pending => Err(Failure::usage(format!(
            "run `{id}` was taken back by run `{undo}`, and its rest is not applied any more"
        ))
        .hint("import the file again")),
        _ => Ok(import_report::finished(id, &standing, global, screen)),
    }
}

fn latest(home: &Home, global: &Global, retry_errors: bool) -> Result<RunId, Failure> {
    let state = if retry_errors { State::Partial } else { State::Unfinished };
    let locations = global.locations()?;
    let fits = |meta: &Meta, known: State| {
        known == state
            && (meta.kind == export::KIND || !retry_errors)
            && locations.first().is_none_or(|it| *it == meta.location)
    };
    let found = home.latest(fits)?;
    let what = if retry_errors { "with unreadable records" } else { "that is unfinished" };
    found.ok_or_else(|| {
        Failure::new(Code::Missing, format!("there is no run {what}"))
            .hint("`ghl-bulk runs list` shows the runs there are")
    })
}
