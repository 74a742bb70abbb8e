//! `ghl-bulk restore`.

mod args;

use std::path::Path;

use super::backup::open_repository::select_only_location;
use super::backup::snapshot_arg::SnapshotSource;
use super::import::confirm_delete::ConfirmDeleteArgs;
use super::import::confirm_plan::PlanConfirmation;
use super::import::{apply_plan, confirm_and_apply, import_context, import_report};
use crate::cli::account::LocationAccounts;
use crate::cli::account::protected::ProtectedLocationGuard;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::LocationId;
use crate::import::{self, ImportAccount, PriorConsent, RestoreRequest, RestoreSource};

pub(crate) use args::RestoreArgs;

/// Runs the command.
pub(crate) fn run(args: &RestoreArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let scope = args.scope()?;
    // What is wrong with the files or the repository costs no request.
    let contacts = args.selection()?;
    let user_map = args.read_user_map()?;
    let opened = SnapshotSource::open(args.from.as_deref(), &args.snapshot, settings)?;
    let (source, _) = select_only_location(&opened.repository, settings, "restore")?;
    let target = args.to.clone().unwrap_or_else(|| source.clone());
    if args.to.as_ref() == Some(&source) {
        return Err(CliError::usage(format!("`--to {target}` is the location of the backup"))
            .with_hint("leave `--to` out to restore into it"));
    }
    let snapshot = match &args.what.undo {
        None => RestoreSource {
            chain: opened.open_chain(&source)?,
            later: None,
            contacts: contacts.clone(),
        },
        Some(range) => RestoreSource {
            chain: opened.open_chosen_chain(&source, &range.before)?,
            later: Some(opened.open_chosen_chain(&source, &range.after)?),
            contacts: contacts.clone(),
        },
    };
    let accounts = LocationAccounts::resolve_for_location(settings, &target)?;
    let request = build_request(args, settings, &accounts, &snapshot, source, scope, user_map)?;
    restore(args, settings, &accounts, snapshot, request)
}

fn build_request(
    args: &RestoreArgs,
    settings: &Settings,
    accounts: &LocationAccounts,
    snapshot: &RestoreSource,
    source: LocationId,
    scope: import::RestoreScope,
    user_map: Vec<(String, String)>,
) -> Result<RestoreRequest, CliError> {
    let wrong = |error| CliError::usage(format!("`--out`: {error}"));
    let out = args.out.as_ref().map(std::path::absolute).transpose().map_err(wrong)?;
    let base = std::path::absolute(Path::new("ghl-import")).map_err(wrong)?;
    let account = &accounts.all[0];
    let manifest = snapshot.chain.manifest();
    let later = snapshot.later.as_ref().map(|later| later.manifest().snapshot.to_string());
    let yes = args.yes && !args.dry_run;
    Ok(RestoreRequest {
        repository: snapshot.chain.repository().place().to_owned(),
        repository_id: snapshot.chain.repository().header().id.clone(),
        source,
        snapshot: manifest.snapshot.to_string(),
        as_of: manifest.as_of,
        later,
        scope,
        chosen: snapshot.contacts.is_some(),
        fields: args.what.fields.iter().map(|name| name.trim().to_owned()).collect(),
        on_existing: args.on_existing,
        may_lack: args.may_lack(),
        user_map: user_map.into_iter().collect(),
        unassigned: args.unassigned.clone(),
        tag: args.tag.clone(),
        order: args.order,
        anonymise: args.anonymise,
        sample: args.sample,
        max_errors: args.max_errors,
        out,
        base,
        dry_run: args.dry_run,
        consent: PriorConsent { yes, deletions: None },
        account: ImportAccount {
            url: accounts.url.clone(),
            token_variable: account.variable.clone(),
            profile: account.profile.clone(),
            sandbox: settings.sandbox,
        },
    })
}

fn restore(
    args: &RestoreArgs,
    settings: &Settings,
    accounts: &LocationAccounts,
    snapshot: RestoreSource,
    request: RestoreRequest,
) -> Result<CliExitCode, CliError> {
    let location = accounts.all[0].location.clone();
    let guard =
        ProtectedLocationGuard::new(settings, &location, None, settings.sandbox, &args.confirm);
    if !args.dry_run {
        guard.ensure_confirmable(!args.yes)?;
    }
    let screen = &CliReporter::new(settings.output_style);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let context = import_context(accounts, settings, screen, &stop)?;
        let planned = import::plan_restore(&context, snapshot, request).await;
        let planned = planned.map_err(|halted| CliError::from_import_halt(halted, &stop))?;
        guard.check_name(&planned)?;
        if planned.summary.rows == 0 {
            screen.print_note("the account has everything that was asked for");
        }
        if args.dry_run {
            screen.finish();
            let detailed = args.detailed_exit_code;
            return Ok(import_report::report_dry_run(&planned, detailed, settings, screen));
        }
        if !planned.summary.has_writes() {
            return apply_plan(&context, planned, &stop, settings, screen).await;
        }
        let deletion = ConfirmDeleteArgs::default();
        let confirmation = PlanConfirmation { yes: args.yes, deletion, guard: &guard };
        confirm_and_apply(&context, planned, &confirmation, &stop, settings, screen).await
    })
}
