//! `ghl-bulk doctor`.

mod environment;
mod report;

use clap::ValueEnum;

use crate::cli::account::{ClientPurpose, LocationAccounts, MultiLocationArgs};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::{CliReporter, OutputStyle};
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::doctor::{self, DoctorCheck, DoctorFailureKind, ScopePurpose};
use crate::event::{CancelCause, CancelSignal};
use crate::id::LocationId;
use crate::text::format_plural;
use report::DoctorOutput;

/// Check access, network and this machine, and say what to fix
///
/// Checks in order: the configuration, the connection to the API, its certificate, the clock, the token and
/// its scopes, the location's settings, the remaining daily requests, and the disk. It makes about a dozen
/// requests per location and changes nothing: to test the write scope, it sends an update without fields
/// for a contact id that cannot exist. Exit code 8: token, scope or location; 2: configuration, network or
/// disk; 0: no problems, or only warnings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk doctor                      everything
  ghl-bulk doctor --for export         check a token that only reads
  ghl-bulk doctor --quiet              show only problems
  ghl-bulk doctor --json               print one JSON object
  ghl-bulk doctor --locations a.csv    every location of a list")]
pub(crate) struct DoctorArgs {
    /// What the token will be used for; other scopes are not checked
    #[arg(
        long = "for",
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "export,import,appointments,businesses"
    )]
    wanted: Vec<DoctorPurposeArg>,

    #[command(flatten)]
    several: MultiLocationArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DoctorPurposeArg {
    /// Exports of contacts, tasks and notes
    Export,
    /// Imports and undos
    Import,
    /// Exports `--with appointments`
    Appointments,
    /// Exports by `--business`, and imports that name businesses
    Businesses,
}

impl DoctorPurposeArg {
    fn purpose(self) -> ScopePurpose {
        match self {
            Self::Export => ScopePurpose::Export,
            Self::Import => ScopePurpose::Import,
            Self::Appointments => ScopePurpose::Appointments,
            Self::Businesses => ScopePurpose::Businesses,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &DoctorArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let style = if settings.json { OutputStyle::Json } else { OutputStyle::Quiet };
    let screen = CliReporter::new(style);
    let mut page = DoctorOutput::new(settings);
    // Before the work begins: an agency is asked for its locations, or a person for a passphrase.
    let found = LocationAccounts::resolve_selected(settings, &args.several);
    let code = signals::block_on(settings.deadline, &screen, async |stop: CancelSignal| {
        page.run_checks(found, args, settings, &screen, &stop).await;
        Ok(match stop.cause() {
            Some(CancelCause::Interrupt) => CliExitCode::Interrupted,
            Some(CancelCause::Terminate) => CliExitCode::Terminated,
            Some(CancelCause::Hangup) => CliExitCode::HungUp,
            Some(_) => CliExitCode::Paused,
            None => page.exit_code(),
        })
    })?;
    screen.finish();
    page.print_summary(code, &screen);
    Ok(code)
}

impl DoctorOutput {
    async fn run_checks(
        &mut self,
        found: Result<LocationAccounts, CliError>,
        args: &DoctorArgs,
        settings: &Settings,
        screen: &CliReporter,
        stop: &CancelSignal,
    ) {
        match found {
            Ok(accounts) => {
                self.check_accounts(&accounts, args, settings, screen, stop).await;
                self.add_check(environment::check_keyring(true));
            }
            Err(failure) => {
                let found = failure.code != CliExitCode::Access;
                self.check_without_account(failure, settings).await;
                self.add_check(environment::check_keyring(found));
            }
        }
        match dirs::runs_home_dir() {
            Some(home) => doctor::examine_disk(&home, &mut |check| self.add_check(check)),
            None => self.add_check(
                DoctorCheck::failure(
                    "home",
                    DoctorFailureKind::Environment,
                    "there is no directory to store runs in",
                )
                .with_hint("set `GHL_BULK_HOME` to a directory"),
            ),
        }
        environment::check_variables(&mut |check| self.add_check(check));
    }

    async fn check_accounts(
        &mut self,
        accounts: &LocationAccounts,
        args: &DoctorArgs,
        settings: &Settings,
        screen: &CliReporter,
        stop: &CancelSignal,
    ) {
        let (url, many) = (&accounts.url, accounts.all.len() > 1);
        let what = match accounts.all.as_slice() {
            [one] => format!("location `{}` at `{url}`", one.location),
            all => format!("{} at `{url}`", format_plural(all.len() as u64, "location")),
        };
        self.add_check(DoctorCheck::ok("configuration", what));
        self.add_check(DoctorCheck::ok(
            "token_source",
            match &accounts.source {
                Some(source) => source.describe(),
                None => "each location has a variable of its own".to_owned(),
            },
        ));
        self.add_check(environment::check_proxy(url));
        let first = accounts.all.first().map(|account| &account.location);
        let server = doctor::examine_server(&settings.transport, url, first, &mut |check| {
            self.add_check(check);
        })
        .await;
        let wanted: Vec<_> = args.wanted.iter().map(|what| what.purpose()).collect();
        for account in &accounts.all {
            let mut report_check = |check: DoctorCheck| {
                self.add_check(if many { check.for_location(&account.location) } else { check });
            };
            doctor::examine_token(&account.facts, server.ahead, &mut report_check);
            if !server.answers {
                doctor::skip_location("the API does not answer", &mut report_check);
                continue;
            }
            match account.build_client(
                url,
                settings,
                ClientPurpose::Interactive("doctor"),
                stop,
                &screen.location_observer(None),
            ) {
                Ok(client) => doctor::examine_location(&client, &wanted, &mut report_check).await,
                Err(failure) => report_check(failed_check(failure, "token")),
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    /// The location or the token is missing; the connection to the API can be checked all the same.
    async fn check_without_account(&mut self, failure: CliError, settings: &Settings) {
        let access = failure.code == CliExitCode::Access;
        self.add_check(failed_check(
            failure,
            if access { "token_source" } else { "configuration" },
        ));
        let why = if access { "there is no token" } else { "the configuration is incomplete" };
        let Ok(url) = LocationAccounts::resolve_api_url(settings) else {
            doctor::skip_location(why, &mut |check| self.add_check(check));
            return;
        };
        self.add_check(environment::check_proxy(&url));
        doctor::examine_server(&settings.transport, &url, None, &mut |check| self.add_check(check))
            .await;
        doctor::skip_location(why, &mut |check| self.add_check(check));
    }
}

/// A failure as a check.
fn failed_check(failure: CliError, id: &str) -> DoctorCheck {
    let blame = if failure.code == CliExitCode::Access {
        DoctorFailureKind::Access
    } else {
        DoctorFailureKind::Environment
    };
    let check = DoctorCheck::failure(id, blame, failure.message);
    check.with_hint(failure.hint.unwrap_or_else(|| {
        "`ghl-bulk config explain` shows where each setting comes from".to_owned()
    }))
}
