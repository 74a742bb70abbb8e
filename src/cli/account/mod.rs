//! The accounts a command works on: location, token and address, or the embedded sandbox.

pub(super) mod protected;

mod account_error;
mod api_url;
mod location_file;
mod locations;
mod name_pattern;
pub(super) mod passphrase;
pub(super) mod prompt;
pub(super) mod secret_source;
pub(super) mod token_info;
pub(super) mod token_source;

use std::path::Path;
use std::sync::Arc;

pub(super) use api_url::URL;
pub(super) use locations::Several;

use super::args::global::Global;
use super::config::Profile;
use super::output::error::Failure;
use crate::api::{Client, Config, Credential, Pace, Token};
use crate::auth::Agency;
use crate::doctor::TokenFacts;
use crate::event::{Stop, Watcher};
use crate::id::LocationId;
use crate::import;
use crate::sandbox::{self, Running, Settings};
use api_url::checked;
use location_file::Listed;
use token_source::Source;

/// A location and how to reach it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) location: LocationId,
    /// Its name, where the agency has told it. From outside.
    pub(super) name: Option<String>,
    /// The environment variable that holds its token, where it is another than `GHL_TOKEN`.
    pub(super) variable: Option<String>,
    /// The profile it was found by.
    pub(super) profile: Option<String>,
    /// What its token is, as far as can be told without sending it.
    pub(super) facts: TokenFacts,
    credential: Arc<dyn Credential>,
}

/// The accounts, and the sandbox that serves them for as long as this value lives.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) all: Vec<Account>,
    pub(super) url: String,
    /// Where their token comes from; nothing where each has its own.
    pub(super) source: Option<Source>,
    _sandbox: Option<Running>,
}

/// A run's account, as the run remembers it.
pub(super) struct OfRun<'a> {
    pub(super) location: &'a LocationId,
    pub(super) url: &'a str,
    pub(super) variable: Option<&'a str>,
    pub(super) profile: Option<&'a str>,
    pub(super) sandbox: bool,
}

impl<'a> OfRun<'a> {
    /// Of an import or an undo.
    pub(super) fn import(location: &'a LocationId, account: &'a import::Account) -> Self {
        Self {
            location,
            url: &account.url,
            variable: account.token_variable.as_deref(),
            profile: account.profile.as_deref(),
            sandbox: account.sandbox,
        }
    }
}

/// The tokens of a source: the same for all locations, or one made for each.
enum Tokens {
    Same(Arc<dyn Credential>),
    Each(Agency),
}

impl Tokens {
    fn new(source: &Source, global: &Global) -> Result<Self, Failure> {
        let transport = global.transport();
        match locations::agency(source, &transport)? {
            Some(agency) => Ok(Self::Each(agency)),
            None => Ok(Self::Same(source.credential(&transport)?)),
        }
    }

    fn of(&self, location: &LocationId) -> Arc<dyn Credential> {
        match self {
            Self::Same(credential) => Arc::clone(credential),
            Self::Each(agency) => agency.credential(location),
        }
    }
}

impl Accounts {
    /// The accounts that the options and the environment name.
    pub(super) fn find(global: &Global, file: Option<&Path>) -> Result<Self, Failure> {
        let locations = file.map(Path::to_owned);
        Self::choose(global, &Several { locations, ..Several::default() })
    }

    /// The same, where an agency's locations can be asked for.
    pub(super) fn choose(global: &Global, several: &Several) -> Result<Self, Failure> {
        let accounts = Self::reached(global, several)?;
        match &accounts.source {
            Some(source) if accounts.all.is_empty() => Err(nowhere(source)),
            _ => Ok(accounts),
        }
    }

    /// The same, where the token counts and not the location: there may be none.
    pub(super) fn reached(global: &Global, several: &Several) -> Result<Self, Failure> {
        if global.sandbox {
            return match several.by_agency() {
                None => Self::embedded(global.locations()?),
                Some(flag) => Err(Failure::usage(format!("`{flag}` does not go with `--sandbox`"))),
            };
        }
        if let Some(file) = &several.locations {
            return Self::listed(global, file);
        }
        let profile = global.profile.as_ref();
        let given = global.locations()?;
        let source = Source::find(profile, global)?;
        let url = url(global.address(), Some(&source), global)?;
        let named: Vec<(LocationId, Option<String>)> = match several.by_agency() {
            Some(_) => locations::ask(several, &source, &global.transport())?
                .into_iter()
                .map(|it| (it.id, Some(it.name).filter(|name| !name.is_empty())))
                .collect(),
            None if !given.is_empty() => given.into_iter().map(|id| (id, None)).collect(),
            None => source.location().map(|id| (id.clone(), None)).into_iter().collect(),
        };
        let tokens = Tokens::new(&source, global)?;
        let (profile, facts) = (profile_of(profile, &source), token_info::facts(&source));
        let account = |(location, name): (LocationId, Option<String>)| Account {
            credential: tokens.of(&location),
            location,
            name,
            variable: None,
            profile: profile.clone(),
            facts,
        };
        let all = named.into_iter().map(account).collect::<Vec<_>>();
        Ok(Self { all, url, source: Some(source), _sandbox: None })
    }

    /// The accounts of a file. A line without a variable has the token that every command has.
    fn listed(global: &Global, file: &Path) -> Result<Self, Failure> {
        let listed = location_file::read(file)?;
        let profile = global.profile.as_ref();
        // Where every line has a variable no other token is needed.
        let common = listed.iter().any(|line| line.variable.is_none()).then(|| {
            let source = Source::find(profile, global)?;
            let tokens = Tokens::new(&source, global)?;
            Ok::<_, Failure>((source, tokens))
        });
        let common = common.transpose()?;
        let account = |Listed { location, variable, line }| {
            if let (None, Some((source, tokens))) = (&variable, &common) {
                let (profile, facts) = (profile_of(profile, source), token_info::facts(source));
                let credential = tokens.of(&location);
                return Ok(Account { location, name: None, variable, profile, facts, credential });
            }
            let source = Source::of_variable(variable.as_deref().unwrap_or_default());
            let source =
                source.map_err(|error| location_file::wrong(file, line, &error.message))?;
            let credential = source.credential(&global.transport())?;
            let facts = token_info::facts(&source);
            Ok(Account { location, name: None, variable, profile: None, facts, credential })
        };
        let all = listed.into_iter().map(account).collect::<Result<_, Failure>>()?;
        let source = common.map(|(source, _)| source);
        let url = url(global.address(), source.as_ref(), global)?;
        Ok(Self { all, url, source, _sandbox: None })
    }

    /// The account of a run: its location, at the address it was begun with unless told otherwise.
    pub(super) fn of_run(global: &Global, run: &OfRun) -> Result<Self, Failure> {
        if run.sandbox {
            return Self::embedded(vec![run.location.clone()]);
        }
        let config = &global.sources.config;
        let profile = match (global.named_profile(), run.profile) {
            // The run knows better than a default does.
            (None, Some(name)) if name != token_source::DEFAULT => config.choose(Some(name))?,
            (None, Some(_)) => None,
            _ => global.profile.clone(),
        };
        let source = match run.variable {
            Some(name) => Source::of_variable(name)?,
            None => Source::find(profile.as_ref(), global)?,
        };
        let given = global.api_url.clone().unwrap_or_else(|| run.url.to_owned());
        let url = url(Some(given), Some(&source), global)?;
        let account = Account {
            location: run.location.clone(),
            name: None,
            variable: run.variable.map(str::to_owned),
            profile: profile_of(profile.as_ref(), &source),
            facts: token_info::facts(&source),
            credential: Tokens::new(&source, global)?.of(run.location),
        };
        Ok(Self { all: vec![account], url, source: Some(source), _sandbox: None })
    }

    /// The address that the options and the environment name.
    pub(super) fn address(global: &Global) -> Result<String, Failure> {
        checked(global.address().unwrap_or_else(|| URL.to_owned()), global.allow_http)
    }

    fn embedded(mut locations: Vec<LocationId>) -> Result<Self, Failure> {
        if locations.is_empty() {
            locations.push(sandbox::LOCATION.parse().expect("the sandbox's location is an id"));
        }
        let settings = Settings {
            locations: locations.iter().map(ToString::to_string).collect(),
            // A try-out need not take the minutes that the real limit takes.
            limit: sandbox::Limit::NONE,
            ..Settings::default()
        };
        let running = sandbox::start(settings).map_err(|error| {
            Failure::usage(format!("the sandbox cannot listen on this machine: {error}"))
        })?;
        let token = Token::new(sandbox::TOKEN).expect("the sandbox's token can be sent");
        let account = |location| Account::with(location, token.clone());
        let all = locations.into_iter().map(account).collect();
        let (url, source) = (running.url().to_owned(), Some(Source::Sandbox(token.clone())));
        Ok(Self { all, url, source, _sandbox: Some(running) })
    }
}

impl Account {
    /// An account of which only the location and its token are known.
    pub(super) fn with(location: LocationId, token: Token) -> Self {
        let facts = token_info::facts(&Source::Sandbox(token.clone()));
        let credential = Arc::new(token);
        Self { location, name: None, variable: None, profile: None, facts, credential }
    }

    /// A client for the account.
    pub(super) fn client(
        &self,
        url: &str,
        global: &Global,
        stop: &Stop,
        watcher: &Watcher,
    ) -> Result<Client, Failure> {
        let config = Config {
            url: url.to_owned(),
            credential: Arc::clone(&self.credential),
            location: self.location.clone(),
            transport: global.transport(),
        };
        let pace = Pace::new(global.budget(), stop.clone(), watcher.clone());
        Client::new(&config, pace, watcher.clone())
            .map_err(|error| Failure::usage(error.to_string()))
    }
}

/// The address that tokens of this source are sent to. A login is good at the address that gave it, and
/// goes nowhere else.
fn url(given: Option<String>, source: Option<&Source>, global: &Global) -> Result<String, Failure> {
    let login = source.and_then(Source::login);
    let own = login.map(|(safe, login)| (safe.profile(), login.api_url.trim_end_matches('/')));
    let given = given.map(|url| checked(url, global.allow_http)).transpose()?;
    match (given, own) {
        (None, None) => Ok(URL.to_owned()),
        (None, Some((_, own))) => checked(own.to_owned(), global.allow_http),
        (Some(given), None) => Ok(given),
        (Some(given), Some((_, own))) if given.trim_end_matches('/') == own => Ok(given),
        (Some(given), Some((profile, own))) => Err(Failure::usage(format!(
            "the login of profile `{profile}` is good at `{own}`, and `{given}` is asked for"
        ))
        .hint("check `--api-url` and `GHL_API_URL`, or log in there under another `--profile`")),
    }
}

/// The profile that a run should remember.
fn profile_of(profile: Option<&Profile>, source: &Source) -> Option<String> {
    match (profile, source) {
        (Some(profile), _) => Some(profile.name.clone()),
        (None, Source::Kept(safe, _)) => Some(safe.profile().to_owned()),
        (None, _) => None,
    }
}

fn nowhere(source: &Source) -> Failure {
    let failure = Failure::usage("no location is given");
    if source.login().is_some_and(|(_, login)| login.is_company()) {
        return failure.hint(
            "the login is an agency's: give `--location ID`, `--location-name PATTERN` or \
             `--all-locations`",
        );
    }
    failure.hint(
        "give `--location ID` or set `GHL_LOCATION_ID`; it stands in the browser's address behind \
         `/location/`. `--sandbox` needs none",
    )
}
