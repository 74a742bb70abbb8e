//! `ghl-bulk import`.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::account::Accounts;
use super::exit::Code;
use super::failure::Failure;
use super::global::Global;
use super::import_args::{PolicyArgs, SheetArgs, UnmappedArg};
use super::import_report as report;
use super::progress::Screen;
use super::text::safe;
use super::{environment, signals};
use crate::context::Context;
use crate::event::Stop;
use crate::import::{self, MaxErrors, Planned, Request, Unmapped};

/// Import a spreadsheet: create, update or tag contacts, with their notes and tasks
///
/// Reads CSV, TSV, XLSX, XLS or ODS. The whole file is read and compared with the account first; then
/// you see what will happen and are asked. Only what differs is sent, each write exactly once, and every
/// row ends in one result file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// The spreadsheet
    file: PathBuf,

    /// A mapping file (see `ghl-bulk map`), or a rule `COLUMN=target` or `COLUMN=target:converter`
    #[arg(long, value_name = "MAP.toml|RULE")]
    map: Vec<String>,

    /// A mapping for a known kind of file, by name, instead of finding out which fits
    /// (`ghl-bulk map --list-presets`)
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// A column to leave out, by name, letters or a pattern with `*`
    #[arg(long, value_name = "COLUMN")]
    ignore_column: Vec<String>,

    /// What becomes of columns that have no target
    #[arg(long, value_enum, value_name = "WHAT", default_value = "ignore")]
    unmapped: UnmappedArg,

    /// What becomes of a row [default: upsert]
    #[arg(long, value_name = "MODE", value_parser = ["upsert", "create", "update", "tag", "untag"])]
    mode: Option<String>,

    /// Plan only: nothing that changes anything is sent; `ghl-bulk resume` applies the plan
    #[arg(long)]
    dry_run: bool,

    /// With `--dry-run`: exit 20 when something would change
    #[arg(long, requires = "dry_run")]
    detailed_exit_code: bool,

    /// Do not ask before applying
    #[arg(short, long)]
    yes: bool,

    /// Stop when more rows than this fail: a number, or a share such as `5%`
    #[arg(long, value_name = "N|N%")]
    max_errors: Option<MaxErrors>,

    /// Apply about so many rows, some of every action, and stop; `ghl-bulk resume` applies the rest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,

    /// The directory of the result files [default: ghl-import/RUN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    #[command(flatten)]
    sheet: SheetArgs,

    #[command(flatten)]
    policy: PolicyArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk import samples/contacts.csv --sandbox --yes        try it on made-up data, no account needed
  ghl-bulk map leads.xlsx -o leads.toml                       first time: what goes where?
  ghl-bulk import leads.xlsx --map leads.toml --dry-run       what would happen; then `ghl-bulk resume`
  ghl-bulk import leads.xlsx --map leads.toml --max-errors 1%
  ghl-bulk import vip.csv --mode tag                          add tags to contacts that exist
  ghl-bulk import leads.csv --map Budget=customFields.budget:number --ignore-column 'Internal *'

Result files: succeeded.csv, unchanged.csv, rejected.csv (repair it and import it again), in_doubt.csv,
pending.csv, warnings.csv, summary.json; plan.csv says what each row does, field by field.";

impl Args {
    fn request(&self, accounts: &Accounts, global: &Global) -> Result<Request, Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))
        };
        let is_rule = |text: &&String| text.contains('=') && !Path::new(text.as_str()).exists();
        let (rules, files): (Vec<_>, Vec<_>) = self.map.iter().partition(is_rule);
        if files.len() > 1 {
            return Err(Failure::usage("`--map` takes one mapping file; rules can be many"));
        }
        if !files.is_empty() && self.preset.is_some() {
            return Err(Failure::usage("`--preset` and a mapping file exclude each other"));
        }
        Ok(Request {
            file: absolute(&self.file)?,
            out: self.out.as_deref().map(absolute).transpose()?,
            base: absolute(Path::new("ghl-import"))?,
            mapping: files.first().map(|path| absolute(Path::new(path))).transpose()?,
            preset: self.preset.clone(),
            presets: environment::presets(),
            rules: rules.into_iter().cloned().collect(),
            ignore: self.ignore_column.clone(),
            unmapped: match self.unmapped {
                UnmappedArg::Ignore => Unmapped::Ignore,
                UnmappedArg::Error => Unmapped::Error,
            },
            reading: self.sheet.reading(),
            options: self.policy.options(self.mode.as_ref()),
            dry_run: self.dry_run,
            max_errors: self.max_errors,
            sample: self.sample,
            account: import::Account {
                url: accounts.url.clone(),
                token_variable: accounts.all[0].variable.clone(),
                profile: None,
                sandbox: global.sandbox,
            },
        })
    }
}

/// Whether there is a file to read.
pub(super) fn there(file: &Path) -> Result<(), Failure> {
    if file.exists() {
        return Ok(());
    }
    let failure = Failure::usage(format!("`{}`: there is no such file", file.display()));
    Err(match file.to_str() {
        Some("-") => {
            failure.hint("a sheet is read more than once: save what is piped to a file first")
        }
        _ => failure,
    })
}

/// Runs the command.
pub(super) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    // Before the account is asked for: a wrong path is the more likely mistake.
    there(&args.file)?;
    let accounts = Accounts::find(global, None)?;
    if accounts.all.len() > 1 {
        return Err(Failure::usage("an import goes into one location; several are given")
            .hint("give one with `--location ID`"));
    }
    let request = args.request(&accounts, global)?;
    let screen = Screen::new(global.style());
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(global.deadline, screen, |stop| async move {
        let context = context(accounts, global, screen, &stop)?;
        let planned = import::plan(&context, request).await;
        let planned = planned.map_err(|halted| Failure::of_import(halted, &stop))?;
        if let Some(name) = &args.policy.confirm_location {
            confirm_location(name, &planned)?;
        }
        if args.dry_run {
            screen.finish();
            return Ok(report::dry_run(&planned, args.detailed_exit_code, global, screen));
        }
        if !planned.summary.changes() {
            // There is nothing to ask about; the result files are made all the same.
            return apply(&context, planned, &stop, global, screen).await;
        }
        report::show_plan(&planned, screen);
        if !args.yes {
            confirm(&planned, screen)?;
        }
        apply(&context, planned, &stop, global, screen).await
    })
}

/// What an import of these accounts works with.
pub(super) fn context(
    accounts: &Accounts,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
) -> Result<Context, Failure> {
    let own_stop = stop.child();
    let watcher = screen.watcher(None);
    let client = accounts.all[0].client(&accounts.url, global, &own_stop, &watcher)?;
    Ok(Context {
        client,
        home: environment::home()?,
        stop: own_stop,
        watcher,
        concurrency: global.concurrency,
        settle: environment::settle_writes(global.timeout)?,
    })
}

/// Applies a plan and tells how it went.
pub(super) async fn apply(
    context: &Context,
    planned: Planned,
    stop: &Stop,
    global: &Global,
    screen: &Screen,
) -> Result<Code, Failure> {
    let summary = planned.summary.clone();
    let ended = import::apply(context, planned).await;
    screen.finish();
    let report = ended.map_err(|halted| Failure::of_import(halted, stop))?;
    Ok(report::applied(&report, &summary, global, screen))
}

/// Asks whether to go on.
pub(super) fn confirm(planned: &Planned, screen: &Screen) -> Result<(), Failure> {
    let run = planned.run();
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage(
            "nothing was sent: this needs a yes, and there is no terminal to ask on",
        )
        .hint(format!(
            "look at {} and then `ghl-bulk resume {run}`, or give `--yes` from the start",
            safe(&planned.out.join("plan.csv").display().to_string())
        ))
        .resumes(run.clone()));
    }
    screen.finish();
    let name = planned.location_name().unwrap_or_default();
    let mut err = io::stderr().lock();
    // When stderr is gone, nobody answers either.
    let _ = write!(err, "Apply this to {}? [y/N] ", safe(&name));
    let _ = err.flush();
    drop(err);
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(Code::Done, "nothing was sent").resumes(run.clone()))
}

fn confirm_location(name: &str, planned: &Planned) -> Result<(), Failure> {
    let known = planned.location_name().unwrap_or_default();
    if known == name {
        return Ok(());
    }
    Err(Failure::usage(format!("`--confirm-location {name}`: the location is called `{known}`"))
        .hint("nothing was sent; check `--location`"))
}
