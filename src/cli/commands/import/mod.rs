//! `ghl-bulk import`.

pub(super) mod args;
pub(super) mod confirm_delete;
pub(super) mod import_report;
pub(super) mod many_files;

use std::path::{Path, PathBuf};

use super::import::args::{PolicyArgs, SheetArgs, UnmappedArg};
use super::import::confirm_delete::Confirmation;
use crate::cli::account::protected::{Confirm, Guard, is_terminal, question};
use crate::cli::account::{Account, Accounts, Several};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::cli::signals;
use crate::context::Context;
use crate::event::Stop;
use crate::import::{self, MaxErrors, Planned, Request, Unmapped};

/// Import a spreadsheet: create, update, tag or delete contacts, notes and tasks
///
/// Reads CSV, TSV, XLSX, XLS or ODS. The whole file is read and compared with the account first; then
/// you see what will happen and are asked. Only what differs is sent, each write exactly once, and every
/// row ends in one result file.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
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
    #[arg(long, value_name = "MODE", value_parser = ["upsert", "create", "update", "tag", "untag", "delete"])]
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

    #[command(flatten)]
    deletion: Confirmation,

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

    #[command(flatten)]
    confirm: Confirm,

    // Last: its heading is that of everything behind it.
    #[command(flatten)]
    several: Several,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk import samples/contacts.csv --sandbox --yes        try it on made-up data, no account needed
  ghl-bulk map leads.xlsx -o leads.toml                       first time: what goes where?
  ghl-bulk import leads.xlsx --map leads.toml --dry-run       what would happen; then `ghl-bulk resume`
  ghl-bulk import leads.xlsx --map leads.toml --max-errors 1%
  ghl-bulk import vip.csv --mode tag                          add tags to contacts that exist
  ghl-bulk import faq.csv --location-name 'Acme *' --dry-run  into several locations of an agency
  ghl-bulk import gone.csv --mode delete                      delete by id, e-mail or phone
  ghl-bulk import leads.csv --map Budget=customFields.budget:number --ignore-column 'Internal *'

Result files: succeeded.csv, unchanged.csv, rejected.csv (repair it and import it again), in_doubt.csv,
pending.csv, warnings.csv, summary.json; plan.csv says what each row does, field by field.";

impl Args {
    fn guard(&self, account: &Account, global: &Global) -> Guard {
        Guard::new(global, &account.location, None, global.sandbox, &self.confirm)
    }

    /// What to import into one account; into a directory of its own beside others.
    fn request(
        &self,
        url: &str,
        account: &Account,
        many: bool,
        global: &Global,
    ) -> Result<Request, Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| Failure::usage(format!("`{}`: {error}", path.display())))
        };
        let is_rule = |text: &&String| text.contains('=') && !Path::new(text.as_str()).exists();
        let (rules, files): (Vec<_>, Vec<_>) = self.map.iter().partition(is_rule);
        if files.len() > 1 {
            return Err(Failure::usage("`--map` takes one mapping file; rules can be many"));
        }
        // A preset that only the configuration names gives way to the mapping that was given.
        let preset = self.preset.clone();
        let by_default = global.sources.by_default.contains("preset") && !files.is_empty();
        let preset = preset.filter(|_| !by_default);
        if !files.is_empty() && preset.is_some() {
            return Err(Failure::usage("`--preset` and a mapping file exclude each other"));
        }
        let own =
            |out: &PathBuf| if many { out.join(account.location.segment()) } else { out.clone() };
        let out = self.out.as_ref().map(own);
        Ok(Request {
            file: absolute(&self.file)?,
            out: out.as_deref().map(absolute).transpose()?,
            base: absolute(Path::new("ghl-import"))?,
            mapping: files.first().map(|path| absolute(Path::new(path))).transpose()?,
            preset,
            presets: dirs::presets(),
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
                url: url.to_owned(),
                token_variable: account.variable.clone(),
                profile: account.profile.clone(),
                sandbox: global.sandbox,
            },
        })
    }
}

/// Whether there is a file to read.
pub(crate) fn there(file: &Path) -> Result<(), Failure> {
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
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    // Before the account is asked for: a wrong path is the more likely mistake.
    there(&args.file)?;
    let accounts = Accounts::choose(global, &args.several)?;
    let many = args.several.asked() || accounts.all.len() > 1;
    if !args.dry_run {
        for account in &accounts.all {
            args.guard(account, global).early(!args.yes)?;
        }
    }
    let screen = Screen::new(global.style());
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(global.deadline, screen, |stop| async move {
        let stop = &stop;
        if many {
            let one = async |account: &Account, screen: &Screen| {
                one(args, accounts, account, true, global, screen, stop).await
            };
            return many_files::each(accounts, global, screen, stop, one).await;
        }
        let account = accounts.all.first().expect("an account was found");
        one(args, accounts, account, false, global, screen, stop).await
    })
}

/// Plans and applies for one location.
async fn one(
    args: &Args,
    accounts: &Accounts,
    account: &Account,
    many: bool,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
) -> Result<Code, Failure> {
    let guard = args.guard(account, global);
    let request = args.request(&accounts.url, account, many, global)?;
    let label = many.then(|| account.location.to_string());
    let context = context_of(&accounts.url, account, label, global, screen, stop)?;
    let planned = import::plan(&context, request).await;
    let planned = planned.map_err(|halted| Failure::of_import(halted, stop))?;
    guard.check(&planned)?;
    if args.dry_run {
        screen.finish();
        return Ok(import_report::dry_run(&planned, args.detailed_exit_code, global, screen));
    }
    if !planned.summary.changes() {
        // There is nothing to ask about; the result files are made all the same.
        return apply(&context, planned, stop, global, screen).await;
    }
    import_report::show_plan(&planned, screen);
    let confirmed = args.deletion.confirm(&planned, screen)?;
    if guard.asks() {
        guard.ask(&planned, screen)?;
    } else if !confirmed && !args.yes {
        confirm(&planned, screen)?;
    }
    apply(&context, planned, stop, global, screen).await
}

/// What an import of these accounts works with.
pub(crate) fn context(
    accounts: &Accounts,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
) -> Result<Context, Failure> {
    context_of(&accounts.url, &accounts.all[0], None, global, screen, stop)
}

fn context_of(
    url: &str,
    account: &Account,
    label: Option<String>,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
) -> Result<Context, Failure> {
    let own_stop = stop.child();
    let watcher = screen.watcher(label);
    let client = account.client(url, global, &own_stop, &watcher)?;
    Ok(Context {
        client,
        home: dirs::home()?,
        stop: own_stop,
        watcher,
        concurrency: global.concurrency,
        settle: dirs::settle_writes(global.timeout)?,
    })
}

/// Applies a plan and tells how it went.
pub(crate) async fn apply(
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
    Ok(import_report::applied(&report, &summary, global, screen))
}

/// Asks whether to go on.
pub(crate) fn confirm(planned: &Planned, screen: &Screen) -> Result<(), Failure> {
    let run = planned.run();
    if !is_terminal() {
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
    let answer = question(&format!("Apply this to {}? [y/N] ", safe(&name)));
    if answer.is_some_and(|answer| matches!(answer.to_lowercase().as_str(), "y" | "yes")) {
        return Ok(());
    }
    Err(Failure::new(Code::Done, "nothing was sent").resumes(run.clone()))
}
