//! `ghl-bulk doctor`.

mod environment;
mod report;

use clap::ValueEnum;

use crate::cli::account::{Accounts, Several};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::{Screen, Style};
use crate::cli::output::text_format::plural;
use crate::cli::signals;
use crate::doctor::{self, Blame, Check, Purpose};
use crate::event::{Cause, Stop};
use crate::id::LocationId;
use report::Page;

/// Find out what is wrong with access, network or this machine, and what to do about it
///
/// Checks one thing after the other: the configuration, the way to the API, its certificate, the clock,
/// the token and its scopes, the location's settings, what is left of the day's requests, and the disk.
/// It takes about a dozen requests a location and changes nothing: whether contacts may be written is asked
/// for by an update without any field of a contact that cannot exist. Exit code 8: token, scope or
/// location; 2: configuration, network or disk; 0: at most warnings.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk doctor                      everything
  ghl-bulk doctor --for export         a token that is to read only
  ghl-bulk doctor --quiet              problems alone
  ghl-bulk doctor --json               one object for programs
  ghl-bulk doctor --locations a.csv    every location of a list")]
pub(crate) struct Args {
    /// What the token is to be good for; other scopes are not asked for
    #[arg(
        long = "for",
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        default_value = "export,import,appointments,businesses"
    )]
    wanted: Vec<What>,

    #[command(flatten)]
    several: Several,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Exports of contacts, tasks and notes
    Export,
    /// Imports and their undoing
    Import,
    /// Exports `--with appointments`
    Appointments,
    /// Exports by `--business`, and imports that name businesses
    Businesses,
}

impl What {
    fn purpose(self) -> Purpose {
        match self {
            Self::Export => Purpose::Export,
            Self::Import => Purpose::Import,
            Self::Appointments => Purpose::Appointments,
            Self::Businesses => Purpose::Businesses,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    let style = if global.json { Style::Json } else { Style::Quiet };
    let screen = Screen::new(style);
    let mut page = Page::new(global);
    // Before the work begins: an agency is asked for its locations, or a person for a passphrase.
    let found = Accounts::choose(global, &args.several);
    let code = signals::block_on(global.deadline, &screen, async |stop: Stop| {
        page.examine(found, args, global, &screen, &stop).await;
        Ok(match stop.cause() {
            Some(Cause::Interrupt) => Code::Interrupted,
            Some(Cause::Terminate) => Code::Terminated,
            Some(_) => Code::Paused,
            None => page.code(),
        })
    })?;
    screen.finish();
    page.close(code, &screen);
    Ok(code)
}

impl Page {
    async fn examine(
        &mut self,
        found: Result<Accounts, Failure>,
        args: &Args,
        global: &Global,
        screen: &Screen,
        stop: &Stop,
    ) {
        match found {
            Ok(accounts) => {
                self.accounts(&accounts, args, global, screen, stop).await;
                self.tell(environment::keyring(true));
            }
            Err(failure) => {
                let found = failure.code != Code::Access;
                self.without_account(failure, global).await;
                self.tell(environment::keyring(found));
            }
        }
        match dirs::home_dir() {
            Some(home) => doctor::disk(&home, &mut |check| self.tell(check)),
            None => self.tell(
                Check::failure("home", Blame::Environment, "there is no place to keep runs in")
                    .hint("set `GHL_BULK_HOME` to a directory"),
            ),
        }
        environment::tell(&mut |check| self.tell(check));
    }

    async fn accounts(
        &mut self,
        accounts: &Accounts,
        args: &Args,
        global: &Global,
        screen: &Screen,
        stop: &Stop,
    ) {
        let (url, many) = (&accounts.url, accounts.all.len() > 1);
        let what = match accounts.all.as_slice() {
            [one] => format!("location `{}` at `{url}`", one.location),
            all => format!("{} at `{url}`", plural(all.len() as u64, "location")),
        };
        self.tell(Check::ok("configuration", what));
        self.tell(Check::ok(
            "token_source",
            match &accounts.source {
                Some(source) => source.shown(),
                None => "each location has a variable of its own".to_owned(),
            },
        ));
        self.tell(environment::proxy(url));
        let first = accounts.all.first().map(|account| &account.location);
        let server =
            doctor::server(&global.transport(), url, first, &mut |check| self.tell(check)).await;
        let wanted: Vec<_> = args.wanted.iter().map(|what| what.purpose()).collect();
        for account in &accounts.all {
            let mut tell = |check: Check| {
                self.tell(if many { check.of(&account.location) } else { check });
            };
            doctor::token(&account.facts, server.ahead, &mut tell);
            if !server.answers {
                doctor::leave("the API does not answer", &mut tell);
                continue;
            }
            match account.client(url, global, stop, &screen.watcher(None)) {
                Ok(client) => doctor::examine(&client, &wanted, &mut tell).await,
                Err(failure) => tell(of(failure, "token")),
            }
            if stop.closed() {
                return;
            }
        }
    }

    /// There is no location or no token; the way to the API can be examined all the same.
    async fn without_account(&mut self, failure: Failure, global: &Global) {
        let access = failure.code == Code::Access;
        self.tell(of(failure, if access { "token_source" } else { "configuration" }));
        let why = if access { "there is no token" } else { "the configuration is incomplete" };
        let Ok(url) = Accounts::address(global) else {
            doctor::leave(why, &mut |check| self.tell(check));
            return;
        };
        self.tell(environment::proxy(&url));
        doctor::server(&global.transport(), &url, None, &mut |check| self.tell(check)).await;
        doctor::leave(why, &mut |check| self.tell(check));
    }
}

/// A failure as a check.
fn of(failure: Failure, id: &str) -> Check {
    let blame = if failure.code == Code::Access { Blame::Access } else { Blame::Environment };
    let check = Check::failure(id, blame, failure.message);
    check.hint(failure.hint.unwrap_or_else(|| {
        "`ghl-bulk config explain` shows where each setting comes from".to_owned()
    }))
}
