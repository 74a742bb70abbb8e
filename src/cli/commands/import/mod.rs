//! `ghl-bulk import`.

pub(super) mod args;
pub(super) mod confirm_delete;
pub(super) mod confirm_plan;
pub(super) mod import_report;
pub(super) mod input_files;
pub(super) mod many_files;

use std::path::{Path, PathBuf};

use self::args::{PolicyArgs, SheetArgs};
use self::confirm_delete::ConfirmDeleteArgs;
use self::confirm_plan::{PlanAnswer, PlanConfirmation};
use super::continue_run::{ContinueArgs, EarlierRuns, StartChoice};
use crate::cli::account::protected::{ConfirmLocationArgs, ProtectedLocationGuard};
use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts, MultiLocationArgs};
use crate::cli::args::choice_arg::choice_parser;
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::context::EngineContext;
use crate::event::CancelSignal;
use crate::import::{self, ImportPlan, ImportRequest, MaxErrors, UnmappedRule};
use crate::model::ImportMode;
use crate::run::{RunKind, RunMetadata};

/// Import a spreadsheet: create, update, tag or delete contacts, notes and tasks
///
/// Reads CSV, TSV, XLSX, XLS, ODS, vCard, JSON Lines or Parquet files. First the whole file is read and compared with the account; then you
/// see the plan and confirm it. Only differences are sent, each write exactly once, and every row ends up
/// in one result file.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ghl-bulk import <FILE>... [OPTIONS]")]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImportArgs {
    /// The spreadsheet, `-` for standard input, or several with the same columns, which are imported one
    /// after the other
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// A mapping file (see `ghl-bulk map`), or a rule `COLUMN=target` or `COLUMN=target:converter`
    #[arg(long, value_name = "MAP.toml|RULE")]
    map: Vec<String>,

    /// A mapping for a known kind of file, by name, instead of detecting one
    /// (`ghl-bulk map --list-presets`)
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// A column to ignore, by name, letters or a pattern with `*`
    #[arg(long, value_name = "COLUMN")]
    ignore_column: Vec<String>,

    /// Columns without a target that become new custom fields of the location: names, letters or patterns with `*`,
    /// comma-separated, or `all`. The type comes from the values; a mapping's `create` sets another
    #[arg(long, value_name = "COLUMNS", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    create_fields: Vec<String>,

    /// A tag for every row, in addition to those of its columns; can be repeated
    #[arg(long, value_name = "TAG", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    tag: Vec<String>,

    /// Assign every contact to this user: an id, an e-mail address or a name
    #[arg(long, value_name = "USER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    assign_to: Option<String>,

    /// What to do with columns that have no target
    #[arg(long, value_name = "WHAT", default_value = "ignore", value_parser = choice_parser::<UnmappedRule>())]
    unmapped: UnmappedRule,

    /// What to do with each row [default: upsert]
    #[arg(long, value_name = "MODE", value_parser = choice_parser::<ImportMode>())]
    mode: Option<ImportMode>,

    /// Plan only, without changing anything; `ghl-bulk apply RUN` applies the plan
    #[arg(long)]
    dry_run: bool,

    /// With `--dry-run`: exit with 20 if something would change
    #[arg(long, requires = "dry_run")]
    detailed_exit_code: bool,

    /// Do not ask before applying
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    deletion: ConfirmDeleteArgs,

    #[command(flatten)]
    start: ContinueArgs,

    /// Stop if more rows than this fail: a number, or a share such as `5%`
    #[arg(long, value_name = "N|N%")]
    max_errors: Option<MaxErrors>,

    /// Apply about N rows, some of every action, and stop; `ghl-bulk resume` applies the rest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,

    /// The directory of the result files [default: ghl-import/RUN]
    #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
    out: Option<PathBuf>,

    #[command(flatten)]
    sheet: SheetArgs,

    #[command(flatten)]
    policy: PolicyArgs,

    #[command(flatten)]
    confirm: ConfirmLocationArgs,

    // Last: everything after it would get its heading.
    #[command(flatten)]
    several: MultiLocationArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk import samples/contacts.csv --sandbox --yes        try it on made-up data, no account needed
  ghl-bulk map leads.xlsx -o leads.toml                       first time: propose a mapping
  ghl-bulk import leads.xlsx --map leads.toml --dry-run       show the plan; then `ghl-bulk apply`
  ghl-bulk import leads.xlsx --map leads.toml --max-errors 1%
  ghl-bulk import vip.csv --mode tag                          add tags to contacts that exist
  ghl-bulk import faq.csv --location-name 'Acme *' --dry-run  into several locations of an agency
  ghl-bulk import gone.csv --mode delete                      delete by id, e-mail or phone
  ghl-bulk import fair-*.csv --tag fair-2026 --assign-to ann@example.com
  ghl-bulk import leads.csv --map Budget=customFields.budget:number --ignore-column 'Internal *'

Result files: succeeded.csv, unchanged.csv, rejected.csv (fix it and import it again; of a workbook
also rejected.xlsx), in_doubt.csv, pending.csv, warnings.csv, summary.json; plan.csv shows what each row changes, field by field.";

impl ImportArgs {
    fn protection_guard(
        &self,
        account: &LocationAccount,
        settings: &Settings,
    ) -> ProtectedLocationGuard {
        ProtectedLocationGuard::new(
            settings,
            &account.location,
            None,
            settings.sandbox,
            &self.confirm,
        )
    }

    /// What to import of one file into one account; with a directory of its own for each if there are several.
    fn build_request(
        &self,
        file: &Path,
        url: &str,
        account: &LocationAccount,
        many: bool,
        settings: &Settings,
    ) -> Result<ImportRequest, CliError> {
        let absolute = |path: &Path| {
            std::path::absolute(path)
                .map_err(|error| CliError::usage(format!("`{}`: {error}", path.display())))
        };
        let is_rule = |text: &&String| text.contains('=') && !Path::new(text.as_str()).exists();
        let (rules, files): (Vec<_>, Vec<_>) = self.map.iter().partition(is_rule);
        if files.len() > 1 {
            return Err(CliError::usage("`--map` takes one mapping file; rules can be many"));
        }
        // A preset that only the configuration names gives way to the mapping that was given.
        let preset = self.preset.clone();
        let by_default = settings.layers.by_default.contains("preset") && !files.is_empty();
        let preset = preset.filter(|_| !by_default);
        if !files.is_empty() && preset.is_some() {
            return Err(CliError::usage("`--preset` and a mapping file exclude each other"));
        }
        let own = |out: &PathBuf| {
            if many { out.join(account.location.escaped_segment()) } else { out.clone() }
        };
        let out = self.out.as_ref().map(own);
        let out = out.map(|out| match input_files::own_directory(&self.files, file) {
            Some(name) => out.join(name),
            None => out,
        });
        Ok(ImportRequest {
            file: absolute(file)?,
            piped: self.files.iter().any(|file| file == Path::new("-")),
            out: out.as_deref().map(absolute).transpose()?,
            base: absolute(Path::new("ghl-import"))?,
            mapping: files.first().map(|path| absolute(Path::new(path))).transpose()?,
            preset,
            presets: dirs::presets_dir(),
            rules: rules.into_iter().cloned().collect(),
            ignore: self.ignore_column.clone(),
            create_fields: self.create_fields.clone(),
            fields_may_exist: many || self.files.len() > 1,
            tags: self.tag.clone(),
            assign_to: self.assign_to.clone(),
            unmapped: self.unmapped,
            reading: self.sheet.reading_options(),
            options: self.policy.policy_options(self.mode),
            dry_run: self.dry_run,
            consent: self.deletion.prior_consent(self.yes, self.dry_run),
            max_errors: self.max_errors,
            sample: self.sample,
            account: import::ImportAccount {
                url: url.to_owned(),
                token_variable: account.variable.clone(),
                profile: account.profile.clone(),
                sandbox: settings.sandbox,
            },
        })
    }
}

/// Runs the command.
pub(crate) fn run(args: &ImportArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    // Before the account is asked for: a wrong path is the more likely mistake.
    for file in args.files.iter().filter(|file| *file != Path::new("-")) {
        input_files::ensure_file_exists(file)?;
        input_files::ensure_not_masked(file)?;
    }
    let accounts = LocationAccounts::resolve_selected(settings, &args.several)?;
    let many = args.several.selects_many() || accounts.all.len() > 1;
    if !args.dry_run {
        for account in &accounts.all {
            args.protection_guard(account, settings).ensure_confirmable(!args.yes)?;
        }
    }
    // Before signals are handled: reading a pipe is not cancelled otherwise.
    let piped = input_files::read_piped_input(&args.files)?;
    let files = match &piped {
        Some(piped) => vec![piped.path().to_owned()],
        None => args.files.clone(),
    };
    let screen = CliReporter::new(settings.output_style);
    let (accounts, screen, files) = (&accounts, &screen, files.as_slice());
    signals::block_on(settings.deadline, screen, |stop| async move {
        let stop = &stop;
        if many {
            let one = async |account: &LocationAccount, screen: &CliReporter| {
                let import =
                    LocationImport { args, accounts, account, many, settings, screen, stop };
                import.import_files(files).await
            };
            return many_files::for_each_location(accounts, settings, screen, stop, one).await;
        }
        let account = accounts.all.first().expect("an account was found");
        let import = LocationImport { args, accounts, account, many, settings, screen, stop };
        import.import_files(files).await
    })
}

/// An import into one location.
struct LocationImport<'a> {
    args: &'a ImportArgs,
    accounts: &'a LocationAccounts,
    account: &'a LocationAccount,
    /// Whether the command imports into several locations.
    many: bool,
    settings: &'a Settings,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
}

impl LocationImport<'_> {
    /// Imports the files, one after the other.
    async fn import_files(&self, files: &[PathBuf]) -> Result<CliExitCode, CliError> {
        if let [file] = files {
            return self.import_file(file).await;
        }
        let requests =
            files.iter().map(|file| self.build_request(file)).collect::<Result<Vec<_>, _>>()?;
        import::ensure_one_header(&requests).map_err(CliError::from)?;
        let one = async |file: &Path| self.import_file(file).await;
        input_files::for_each_file(files, self.screen, self.stop, one).await
    }

    fn build_request(&self, file: &Path) -> Result<ImportRequest, CliError> {
        self.args.build_request(file, &self.accounts.url, self.account, self.many, self.settings)
    }

    /// Plans and applies one file.
    async fn import_file(&self, file: &Path) -> Result<CliExitCode, CliError> {
        let Self { args, account, settings, screen, stop, .. } = *self;
        let guard = args.protection_guard(account, settings);
        let mut request = self.build_request(file)?;
        if let Some(run) = import::inherit_request(&mut request, &dirs::runs_home()?) {
            screen.print_note(&format!(
                "with the mapping and options of run {run}, whose rows these are"
            ));
        }
        let label = self.many.then(|| account.location.to_string());
        let context = build_context(&self.accounts.url, account, label, settings, screen, stop)?;
        let location = context.client.location_id();
        let is_same = |meta: &RunMetadata| request.is_same(&meta.options);
        let earlier = EarlierRuns::load(&context.home, RunKind::Import)?;
        let found = earlier.find_interrupted(location, is_same);
        let asks = !self.many && !args.yes;
        let planned = match args.start.choose_start(found, asks, settings, stop, screen).await? {
            StartChoice::New => import::plan_import(&context, request).await,
            StartChoice::Continue(run) => {
                let run = context.home.open_run(&run)?;
                import::resume(&context, run).await
            }
        };
        let planned = planned.map_err(|halted| CliError::from_import_halt(halted, stop))?;
        guard.check_name(&planned)?;
        if args.dry_run {
            screen.finish();
            return Ok(import_report::report_dry_run(
                &planned,
                args.detailed_exit_code,
                settings,
                screen,
            ));
        }
        if !planned.summary.has_writes() {
            // There is nothing to ask about; the result files are made all the same.
            return apply_plan(&context, planned, stop, settings, screen).await;
        }
        let confirmation =
            PlanConfirmation { yes: args.yes, deletion: args.deletion, guard: &guard };
        confirm_and_apply(&context, planned, &confirmation, stop, settings, screen).await
    }
}

/// Shows a plan, asks about it, and applies it.
pub(crate) async fn confirm_and_apply(
    context: &EngineContext,
    planned: ImportPlan,
    confirmation: &PlanConfirmation<'_>,
    stop: &CancelSignal,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    if !planned.has_started_applying().map_err(CliError::from)? {
        import_report::print_plan(&planned, screen);
    }
    match confirmation.confirm(&planned, stop, screen).await? {
        PlanAnswer::Apply => apply_plan(context, planned, stop, settings, screen).await,
        PlanAnswer::Declined => {
            planned.decline().map_err(CliError::from)?;
            screen.finish();
            Ok(import_report::report_declined(&planned, settings, screen))
        }
    }
}

/// What an import of these accounts works with.
pub(crate) fn import_context(
    accounts: &LocationAccounts,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<EngineContext, CliError> {
    build_context(&accounts.url, &accounts.all[0], None, settings, screen, stop)
}

fn build_context(
    url: &str,
    account: &LocationAccount,
    label: Option<String>,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<EngineContext, CliError> {
    let own_stop = stop.child_signal();
    let observer = screen.location_observer(label);
    let client =
        account.build_client(url, settings, ClientPurpose::Run("import"), &own_stop, &observer)?;
    Ok(EngineContext {
        client,
        home: dirs::runs_home()?,
        stop: own_stop,
        observer,
        concurrency: settings.concurrency,
        settle: dirs::write_settle_time(settings.timeout())?,
    })
}

/// Applies a plan and tells how it went.
pub(crate) async fn apply_plan(
    context: &EngineContext,
    planned: ImportPlan,
    stop: &CancelSignal,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let summary = planned.summary.clone();
    let ended = import::apply_plan(context, planned).await;
    screen.finish();
    let report = ended.map_err(|halted| CliError::from_import_halt(halted, stop))?;
    Ok(import_report::report_applied(&report, &summary, settings, screen))
}
